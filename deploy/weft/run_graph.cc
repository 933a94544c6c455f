#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "deploy/weft/command.h"
#include "deploy/weft/graph_file.h"
#include "deploy/weft/input_flags.h"
#include "deploy/weft/packet_json.h"
#include "deploy/weft/progress.h"
#include "graph/check.h"
#include "graph/clock.h"
#include "graph/executor.h"
#include "graph/graph.h"
#include "graph/metrics.h"
#include "graph/text.h"
#include "graph/trace.h"
#include "operators/catalog.h"
#include "operators/io/load_events.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string graph;
  std::vector<std::string> inputs;   // NAME=FILE
  std::vector<std::string> outputs;  // NAME=FILE
  std::string trace;
  std::int32_t threads = 2;
  std::int32_t record_events = 1024;
  bool json = false;
  InputFlags input;
};

// Node keys, filled by the thread that reads and looked up by those that write.
class SharedNodes {
 public:
  absl::Status Append(const operators::io::EventRows& rows, graph::EventBatch& events) {
    const std::lock_guard lock(mutex_);
    return operators::io::AppendRows(rows, nodes_, events);
  }
  // Appends the packet's lines.
  absl::Status Write(const graph::Packet& packet, std::string& lines) {
    const std::lock_guard lock(mutex_);
    return AppendPacketJson(
        packet, [this](graph::NodeId node) { return nodes_.Key(node); }, lines);
  }
  std::int64_t size() {
    const std::lock_guard lock(mutex_);
    return nodes_.size();
  }

 private:
  std::mutex mutex_;
  operators::io::NodeTable nodes_;
};

// One output of the graph as a file of JSON Lines; "-" is stdout.
class OutputFile {
 public:
  static absl::StatusOr<std::unique_ptr<OutputFile>> Open(const std::string& path,
                                                          SharedNodes& nodes) {
    std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
    if (file == nullptr) return absl::ErrnoToStatus(errno, graph::Concat(path, ": cannot write"));
    return std::unique_ptr<OutputFile>(new OutputFile(path, file, nodes));
  }
  ~OutputFile() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // One call at a time; the first error stays and is Close's.
  void Write(const graph::Packet& packet) {
    lines_.clear();
    if (status_.ok()) status_ = nodes_.Write(packet, lines_);
    if (status_.ok() && std::fwrite(lines_.data(), 1, lines_.size(), file_) != lines_.size()) {
      status_ = absl::ErrnoToStatus(errno, graph::Concat(path_, ": cannot write"));
    }
  }
  absl::Status Close() {
    std::FILE* const file = std::exchange(file_, nullptr);
    const bool written = (file == stdout ? std::fflush(file) : std::fclose(file)) == 0;
    if (status_.ok() && !written)
      status_ = absl::ErrnoToStatus(errno, graph::Concat(path_, ": cannot write"));
    return status_;
  }

 private:
  OutputFile(std::string path, std::FILE* file, SharedNodes& nodes)
      : path_(std::move(path)), file_(file), nodes_(nodes) {}

  std::string path_;
  std::FILE* file_;
  SharedNodes& nodes_;
  std::string lines_;
  absl::Status status_;
};

// One input file, one packet of it at hand.
struct Feed {
  std::string name;
  std::string path;
  std::unique_ptr<operators::io::EventReader> reader;
  std::shared_ptr<graph::EventBatch> next;  // null at the end
  graph::LogPosition position;
  graph::TimeUs time_us = graph::kBeforeAllTime;  // the latest up to the end of `next`
  graph::TimeUs told_us = graph::kBeforeAllTime;  // what the graph knows
};

absl::StatusOr<std::pair<std::string, std::string>> SplitName(const std::string& flag,
                                                              const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return absl::InvalidArgumentError(graph::Concat(flag, ": expected NAME=FILE, got ", text));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

class Run {
 public:
  explicit Run(const Flags& flags) : flags_(flags), executor_(graph::MakeExecutor(flags.threads)) {}

  absl::Status Execute();
  void Print();
  const std::vector<Feed>& feeds() const { return feeds_; }

 private:
  absl::Status OpenFeeds();
  absl::Status OpenOutputs();
  absl::Status ReadNext(Feed& feed);
  absl::Status AdvanceOthers(const Feed& pushed);
  absl::Status PushAll();

  const Flags& flags_;
  std::unique_ptr<graph::Executor> executor_;
  graph::SystemClock clock_;
  graph::MetricRegistry metrics_;
  std::unique_ptr<graph::TraceRecorder> trace_;
  SharedNodes nodes_;
  std::vector<Feed> feeds_;
  std::vector<std::unique_ptr<OutputFile>> outputs_;
  std::unique_ptr<graph::Graph> graph_;  // destroyed first: it writes to the outputs
  std::int64_t events_ = 0;
  double seconds_ = 0.0;
};

absl::Status Run::OpenFeeds() {
  WEFT_ASSIGN(const operators::io::ReadOptions options, ReadOptionsFrom(flags_.input));
  for (const std::string& text : flags_.inputs) {
    WEFT_ASSIGN(const auto named, SplitName("--input", text));
    const auto& known = graph_->inputs();
    if (std::find(known.begin(), known.end(), named.first) == known.end()) {
      return absl::InvalidArgumentError(graph::Concat("--input: the graph has the inputs ",
                                                      graph::JoinNames(known, ", "), ", got ",
                                                      named.first));
    }
    Feed& feed = feeds_.emplace_back();
    feed.name = named.first;
    feed.path = named.second;
    feed.position.feed = static_cast<std::uint32_t>(feeds_.size() - 1);
    WEFT_ASSIGN(feed.reader, operators::io::EventReader::Open(feed.path, options));
    WEFT_TRY(ReadNext(feed));
  }
  return absl::OkStatus();
}

absl::Status Run::OpenOutputs() {
  for (const std::string& text : flags_.outputs) {
    WEFT_ASSIGN(const auto named, SplitName("--output", text));
    WEFT_ASSIGN(std::unique_ptr<OutputFile> file, OutputFile::Open(named.second, nodes_));
    WEFT_TRY(graph_->OnOutput(named.first, [output = file.get()](const graph::Packet& packet) {
      output->Write(packet);
    }));
    outputs_.push_back(std::move(file));
  }
  return absl::OkStatus();
}

absl::Status Run::ReadNext(Feed& feed) {
  WEFT_ASSIGN(const operators::io::EventRows* rows, feed.reader->Next(flags_.record_events));
  feed.next = nullptr;
  if (rows->size() == 0) return absl::OkStatus();
  feed.next = std::make_shared<graph::EventBatch>();
  for (const graph::TimeUs time_us : rows->time_us) feed.time_us = std::max(feed.time_us, time_us);
  return nodes_.Append(*rows, *feed.next);
}

// Inputs that meet in an operator are merged by time: each has to be told how far the others are,
// or a full stream of one would wait for the other for ever.
absl::Status Run::AdvanceOthers(const Feed& pushed) {
  for (Feed& feed : feeds_) {
    if (&feed == &pushed || feed.next == nullptr || feed.told_us >= pushed.time_us) continue;
    feed.told_us = pushed.time_us;
    WEFT_TRY(graph_->AdvanceTime(feed.name, feed.position, pushed.time_us));
    ++feed.position.offset;
  }
  return absl::OkStatus();
}

absl::Status Run::PushAll() {
  ProgressBar bar;
  for (const Feed& feed : feeds_) {
    if (feed.next == nullptr)
      WEFT_TRY(graph_->AdvanceTime(feed.name, feed.position, graph::kAfterAllTime));
  }
  for (;;) {
    Feed* feed = nullptr;
    for (Feed& candidate : feeds_) {
      if (candidate.next == nullptr) continue;
      if (feed == nullptr || candidate.time_us < feed->time_us) feed = &candidate;
    }
    if (feed == nullptr) break;
    const std::int64_t count = feed->next->size();
    WEFT_TRY(AdvanceOthers(*feed));
    WEFT_TRY(graph_->Push(feed->name, graph::Packet::Make<graph::EventBatch>(
                                          feed->next, feed->position, feed->time_us)));
    feed->position.offset += static_cast<std::uint64_t>(count);
    feed->told_us = feed->time_us;
    events_ += count;
    bar.Show("events", events_, 0);
    WEFT_TRY(ReadNext(*feed));
    if (feed->next == nullptr)
      WEFT_TRY(graph_->AdvanceTime(feed->name, feed->position, graph::kAfterAllTime));
  }
  return graph_->Drain();
}

absl::Status Run::Execute() {
  WEFT_ASSIGN(const graph::ParsedSpec spec, ReadGraphFile(flags_.graph));
  if (!flags_.trace.empty()) trace_ = std::make_unique<graph::TraceRecorder>(flags_.trace);
  graph::Environment environment;
  environment.catalog = &operators::OperatorCatalog();
  environment.executor = executor_.get();
  environment.clock = &clock_;
  environment.metrics = &metrics_;
  environment.trace = trace_.get();
  WEFT_ASSIGN(graph_, graph::Graph::Build(spec, environment));
  WEFT_TRY(OpenOutputs());
  WEFT_TRY(OpenFeeds());
  const std::int64_t begin_ns = clock_.NowNs();
  WEFT_TRY(graph_->Start());
  WEFT_TRY(PushAll());
  WEFT_TRY(graph_->Close());
  seconds_ = static_cast<double>(clock_.NowNs() - begin_ns) * 1e-9;
  for (const auto& output : outputs_) WEFT_TRY(output->Close());
  return trace_ == nullptr ? absl::OkStatus() : trace_->Finish();
}

void Run::Print() {
  const double rate = seconds_ > 0 ? static_cast<double>(events_) / seconds_ : 0.0;
  if (flags_.json) {
    std::fprintf(stderr,
                 "{\"schema_version\":1,\"events\":%lld,\"nodes\":%lld,\"seconds\":%.6f,\"events_"
                 "per_second\":%.1f}\n",
                 static_cast<long long>(events_), static_cast<long long>(nodes_.size()), seconds_,
                 rate);
    return;
  }
  std::fprintf(stderr, "weft: %lld events, %lld nodes in %.2f s (%.0f events/s)\n",
               static_cast<long long>(events_), static_cast<long long>(nodes_.size()), seconds_,
               rate);
}

int RunGraph(const Flags& flags) {
  Run run(flags);
  const absl::Status status = run.Execute();
  for (const Feed& feed : run.feeds()) {
    if (feed.reader != nullptr) PrintNotes(feed.path, feed.reader->report());
  }
  if (!status.ok()) return FailOnInput(status);
  run.Print();
  return kOk;
}

}  // namespace

void AddRunCommand(CLI::App& root, Invocation& invocation) {
  CLI::App* command = AddCommand(
      root, "run", "Run a graph on files, without a server.",
      "weft run deploy/graphs/links.pbtxt --input events=events.csv --output "
      "predictions=out.jsonl\n"
      "weft run deploy/graphs/links.pbtxt --input events=- --output evaluation=- < events.csv\n"
      "weft run deploy/graphs/links.pbtxt --input events=events.csv --trace trace.json   # open in "
      "ui.perfetto.dev");
  auto flags = std::make_shared<Flags>();
  command->add_option("GRAPH", flags->graph, "A GraphSpec in protobuf text form")->required();
  command
      ->add_option("--input", flags->inputs,
                   "NAME=FILE: events for an input of the graph; - is stdin")
      ->required()
      ->take_all();
  command
      ->add_option("--output", flags->outputs,
                   "NAME=FILE: an output of the graph as JSON Lines; - is stdout")
      ->take_all();
  command->add_option("--trace", flags->trace, "What ran when, for Perfetto");
  command->add_option("--threads", flags->threads, "For operators and kernels")
      ->check(CLI::Range(1, 1024));
  command->add_option("--record-events", flags->record_events, "Events in one record of the stream")
      ->check(CLI::Range(1, 65'536));
  command->add_flag("--json", flags->json, "The summary on stderr as one JSON object");
  AddInputFlags(*command, flags->input);
  command->callback(
      [&invocation, flags] { invocation.run = [flags] { return RunGraph(*flags); }; });
}

}  // namespace weft::deploy
