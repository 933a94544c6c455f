#include <algorithm>
#include <mutex>

#include "deploy/weft/packet_json.h"
#include "deploy/weft/progress.h"
#include "deploy/weft/run_source.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/load_events.h"

namespace weft::deploy {
namespace {

// One input file, one packet of it at hand.
struct InputFile {
  std::string name;
  std::string path;
  std::unique_ptr<operators::io::EventReader> reader;
  std::shared_ptr<graph::EventBatch> next;  // null at the end
  graph::LogPosition position;
  graph::TimeUs time_us = graph::kBeforeAllTime;  // the latest up to the end of `next`
  graph::TimeUs told_us = graph::kBeforeAllTime;  // what the graph knows
};

class FileSource final : public RunSource {
 public:
  FileSource(std::vector<std::string> inputs, std::int32_t record_events, const InputFlags& flags)
      : inputs_(std::move(inputs)), record_events_(record_events), flags_(flags) {}

  absl::Status Open(const std::vector<std::string>& inputs) override;
  std::int32_t feature_count() const override {
    std::int32_t most = 0;
    for (const InputFile& file : files_)
      if (file.next != nullptr) most = std::max(most, file.next->feature_count);
    return most;
  }
  absl::Status PushAll(graph::Graph& graph) override;
  absl::Status AppendJson(const graph::Packet& packet, std::string& lines) override {
    const std::lock_guard lock(nodes_mutex_);
    return AppendPacketJson(
        packet, [this](graph::NodeId node) { return nodes_.Key(node); }, lines);
  }
  std::uint64_t event_count() const override { return event_count_; }
  std::uint64_t node_count() override {
    const std::lock_guard lock(nodes_mutex_);
    return static_cast<std::uint64_t>(nodes_.size());
  }
  void PrintNotes() const override {
    for (const InputFile& file : files_) {
      if (file.reader != nullptr) deploy::PrintNotes(file.path, file.reader->report());
    }
  }

 private:
  absl::Status ReadNext(InputFile& file);
  absl::Status AdvanceOthers(graph::Graph& graph, const InputFile& pushed);

  const std::vector<std::string> inputs_;
  const std::int32_t record_events_;
  const InputFlags& flags_;
  std::vector<InputFile> files_;
  std::uint64_t event_count_ = 0;
  // Filled by the thread that reads, looked up by those that write.
  std::mutex nodes_mutex_;
  operators::io::NodeTable nodes_;
};

absl::Status FileSource::Open(const std::vector<std::string>& known) {
  WEFT_ASSIGN(const operators::io::ReadOptions options, ReadOptionsFrom(flags_));
  for (const std::string& text : inputs_) {
    WEFT_ASSIGN(const auto named, SplitNamedFile("--input", text));
    const auto input = std::find(known.begin(), known.end(), named.first);
    if (input == known.end()) {
      return absl::InvalidArgumentError(graph::Concat("--input: the graph has the inputs ",
                                                      graph::JoinNames(known, ", "), ", got ",
                                                      named.first));
    }
    InputFile& file = files_.emplace_back();
    file.name = named.first;
    file.path = named.second;
    // As a service numbers the feeds of a graph that it runs first.
    file.position.feed = static_cast<std::uint32_t>(input - known.begin() + 1);
    WEFT_ASSIGN(file.reader, operators::io::EventReader::Open(file.path, options));
    WEFT_TRY(ReadNext(file));
  }
  return absl::OkStatus();
}

// Reads on until the packet is full, however the bytes come in: where it ends shapes micro-batches.
absl::Status FileSource::ReadNext(InputFile& file) {
  auto next = std::make_shared<graph::EventBatch>();
  while (next->size() < record_events_) {
    WEFT_ASSIGN(const operators::io::EventRows* rows,
                file.reader->Next(record_events_ - next->size()));
    if (rows->size() == 0) break;
    for (const graph::TimeUs time_us : rows->time_us)
      file.time_us = std::max(file.time_us, time_us);
    const std::lock_guard lock(nodes_mutex_);
    WEFT_TRY(operators::io::AppendRows(*rows, nodes_, *next));
  }
  file.next = next->size() > 0 ? std::move(next) : nullptr;
  return absl::OkStatus();
}

// Inputs that meet in an operator are merged by time: each has to be told how far the others are,
// or a full stream of one would wait for the other for ever.
absl::Status FileSource::AdvanceOthers(graph::Graph& graph, const InputFile& pushed) {
  for (InputFile& file : files_) {
    if (&file == &pushed || file.next == nullptr || file.told_us >= pushed.time_us) continue;
    file.told_us = pushed.time_us;
    WEFT_TRY(graph.AdvanceTime(file.name, file.position, pushed.time_us));
    ++file.position.offset;
  }
  return absl::OkStatus();
}

absl::Status FileSource::PushAll(graph::Graph& graph) {
  WEFT_TRY(graph.Start());
  ProgressBar bar;
  for (const InputFile& file : files_) {
    if (file.next == nullptr)
      WEFT_TRY(graph.AdvanceTime(file.name, file.position, graph::kAfterAllTime));
  }
  for (;;) {
    InputFile* file = nullptr;
    for (InputFile& candidate : files_) {
      if (candidate.next == nullptr) continue;
      if (file == nullptr || candidate.time_us < file->time_us) file = &candidate;
    }
    if (file == nullptr) break;
    const std::int64_t count = file->next->size();
    WEFT_TRY(AdvanceOthers(graph, *file));
    WEFT_TRY(graph.Push(file->name, graph::Packet::Make<graph::EventBatch>(
                                        file->next, file->position, file->time_us)));
    file->position.offset += static_cast<std::uint64_t>(count);
    file->told_us = file->time_us;
    event_count_ += static_cast<std::uint64_t>(count);
    bar.Show("events", static_cast<std::int64_t>(event_count_), 0);
    WEFT_TRY(ReadNext(*file));
    if (file->next == nullptr)
      WEFT_TRY(graph.AdvanceTime(file->name, file->position, graph::kAfterAllTime));
  }
  return graph.Drain();
}

}  // namespace

absl::StatusOr<std::pair<std::string, std::string>> SplitNamedFile(const std::string& flag,
                                                                   const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return absl::InvalidArgumentError(graph::Concat(flag, ": expected NAME=FILE, got ", text));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

std::unique_ptr<RunSource> MakeFileSource(std::vector<std::string> inputs,
                                          std::int32_t record_events, const InputFlags& flags) {
  return std::make_unique<FileSource>(std::move(inputs), record_events, flags);
}

}  // namespace weft::deploy
