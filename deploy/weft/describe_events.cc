#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <vector>

#include <nlohmann/json.hpp>

#include "deploy/weft/command.h"
#include "deploy/weft/input_flags.h"
#include "deploy/weft/progress.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/event_reader.h"
#include "operators/io/node_table.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using operators::io::FormatTime;

struct Flags {
  std::string path;
  std::int64_t top = 5;
  bool json = false;
  InputFlags input;
};

// What a file of events holds.
class Description {
 public:
  absl::Status Read(const Flags& flags);
  void Print(const Flags& flags) const;
  const operators::io::ReadReport& report() const { return report_; }

 private:
  absl::Status Add(const operators::io::EventRows& rows);
  // Those with the most events, as sources.
  std::vector<graph::NodeId> TopSources(std::int64_t limit) const;
  void PrintJson(const Flags& flags) const;

  operators::io::NodeTable nodes_;
  std::vector<std::int64_t> source_events_;  // by node
  graph::TimeUs first_us_ = graph::kAfterAllTime;
  graph::TimeUs last_us_ = graph::kBeforeAllTime;
  std::uint64_t late_by_us_ = 0;  // the most that an event lies behind one before it in the file
  std::int32_t feature_count_ = 0;
  operators::io::ReadReport report_;
};

absl::Status Description::Read(const Flags& flags) {
  WEFT_ASSIGN(const operators::io::ReadOptions options, ReadOptionsFrom(flags.input));
  WEFT_ASSIGN(operators::io::OpenedFile file, operators::io::OpenFile(flags.path));
  WEFT_ASSIGN(const auto reader,
              operators::io::EventReader::Open(flags.path == "-" ? "stdin" : flags.path,
                                               std::move(file.bytes), options));
  ProgressBar bar;
  absl::Status status;
  while (status.ok()) {
    const absl::StatusOr<const operators::io::EventRows*> rows = reader->Next(8192);
    report_ = reader->report();
    if (!rows.ok()) return rows.status();
    if ((*rows)->size() == 0) break;
    status = Add(**rows);
    bar.Show("bytes", report_.bytes, std::max<std::int64_t>(file.size_bytes, 0));
  }
  feature_count_ = reader->feature_count();
  return status;
}

absl::Status Description::Add(const operators::io::EventRows& rows) {
  for (std::size_t row = 0; row < rows.source.size(); ++row) {
    const graph::NodeId source = nodes_.FindOrAdd(rows.source[row]);
    const graph::NodeId target = nodes_.FindOrAdd(rows.target[row]);
    if (source == graph::kNoNode || target == graph::kNoNode) {
      return absl::ResourceExhaustedError(graph::Concat(
          "line ", rows.line[row], ": expected at most ", nodes_.size(), " nodes, got one more"));
    }
    if (source >= source_events_.size())
      source_events_.resize(std::max<std::size_t>(source + 1, 2 * source_events_.size()));
    ++source_events_[source];
    const graph::TimeUs time_us = rows.time_us[row];
    if (time_us < last_us_) {
      // Times may lie anywhere in int64, so the difference is taken without sign.
      late_by_us_ = std::max(
          late_by_us_, static_cast<std::uint64_t>(last_us_) - static_cast<std::uint64_t>(time_us));
    }
    first_us_ = std::min(first_us_, time_us);
    last_us_ = std::max(last_us_, time_us);
  }
  return absl::OkStatus();
}

std::vector<graph::NodeId> Description::TopSources(std::int64_t limit) const {
  std::vector<graph::NodeId> nodes(source_events_.size());
  std::iota(nodes.begin(), nodes.end(), graph::NodeId{0});
  std::stable_sort(nodes.begin(), nodes.end(), [this](graph::NodeId one, graph::NodeId other) {
    return source_events_[one] > source_events_[other];
  });
  nodes.resize(std::min<std::size_t>(nodes.size(), static_cast<std::size_t>(limit)));
  while (!nodes.empty() && source_events_[nodes.back()] == 0) nodes.pop_back();
  return nodes;
}

void Description::PrintJson(const Flags& flags) const {
  const bool empty = report_.rows == 0;
  nlohmann::ordered_json sources = nlohmann::ordered_json::array();
  for (const graph::NodeId node : TopSources(flags.top)) {
    sources.push_back(
        {{"source", std::string(nodes_.Key(node))}, {"events", source_events_[node]}});
  }
  nlohmann::ordered_json object = {{"schema_version", 1},
                                   {"input", flags.path},
                                   {"events", report_.rows},
                                   {"nodes", nodes_.size()},
                                   {"features", feature_count_},
                                   {"has_label", report_.has_label},
                                   {"from", nullptr},
                                   {"from_us", nullptr},
                                   {"to", nullptr},
                                   {"to_us", nullptr},
                                   {"late_by_us", late_by_us_},
                                   {"top_sources", sources},
                                   {"unused_columns", report_.unused_columns},
                                   {"broken_lines", report_.broken_lines}};
  if (empty) {
    object["reason"] = "the file has no events";
  } else {
    object["from"] = FormatTime(first_us_);
    object["from_us"] = first_us_;
    object["to"] = FormatTime(last_us_);
    object["to_us"] = last_us_;
  }
  std::printf("%s\n", object.dump().c_str());
}

void Description::Print(const Flags& flags) const {
  if (flags.json) return PrintJson(flags);
  std::printf("%lld events of %lld nodes, %d features, %s\n", static_cast<long long>(report_.rows),
              static_cast<long long>(nodes_.size()), feature_count_,
              report_.has_label ? "labelled" : "no label");
  if (report_.rows == 0) return;
  std::printf("from %s to %s, ", FormatTime(first_us_).c_str(), FormatTime(last_us_).c_str());
  if (late_by_us_ == 0) {
    std::printf("in time order\n");
  } else {
    std::printf("not in time order: up to %.6g s late\n", static_cast<double>(late_by_us_) * 1e-6);
  }
  for (const graph::NodeId node : TopSources(flags.top)) {
    std::printf("  source %s: %lld events\n", std::string(nodes_.Key(node)).c_str(),
                static_cast<long long>(source_events_[node]));
  }
}

int Run(const Flags& flags) {
  Description description;
  const absl::Status status = description.Read(flags);
  PrintNotes(flags.path, description.report());
  if (!status.ok()) return FailOnInput(status);
  description.Print(flags);
  return kOk;
}

}  // namespace

void AddDescribeCommand(Command root, Invocation& invocation) {
  Command describe =
      root.AddCommand("describe", "Say what a file holds.", "weft describe events events.csv");
  describe.RequireCommand();
  Command command = describe.AddCommand(
      "events", "How a file of events is read, before it is sent anywhere.",
      "weft describe events events.csv\n"
      "weft describe events mails.tsv --columns src=from,dst=to,ts=sent --time-unit ms\n"
      "weft describe events events.csv --json");
  auto flags = std::make_shared<Flags>();
  command.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  command.AddOption("--top", flags->top, "Sources to name, those with the most events (5)")
      .Between(0, 1000);
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(command, flags->input);
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
