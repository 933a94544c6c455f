#include <cinttypes>
#include <cstdio>
#include <memory>
#include <vector>

#include "deploy/weft/command.h"
#include "deploy/weft/graph_file.h"
#include "deploy/weft/input_flags.h"
#include "deploy/weft/run_source.h"
#include "graph/check.h"
#include "graph/clock.h"
#include "graph/executor.h"
#include "graph/graph.h"
#include "graph/metrics.h"
#include "graph/text.h"
#include "graph/trace.h"
#include "operators/catalog.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string graph;
  std::vector<std::string> inputs;  // NAME=FILE
  std::string log;
  std::vector<std::string> outputs;  // NAME=FILE
  std::string trace;
  std::int32_t threads = 2;
  std::int32_t record_events = 8192;
  bool json = false;
  InputFlags input;
};

// One output of the graph as a file of JSON Lines; "-" is stdout.
class OutputFile {
 public:
  static absl::StatusOr<std::unique_ptr<OutputFile>> Open(const std::string& path,
                                                          RunSource& source) {
    std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
    if (file == nullptr) return absl::ErrnoToStatus(errno, graph::Concat(path, ": cannot write"));
    return std::unique_ptr<OutputFile>(new OutputFile(path, file, source));
  }
  ~OutputFile() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // One call at a time; the first error stays and is Close's.
  void Write(const graph::Packet& packet) {
    lines_.clear();
    if (status_.ok()) status_ = source_.AppendJson(packet, lines_);
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
  OutputFile(std::string path, std::FILE* file, RunSource& source)
      : path_(std::move(path)), file_(file), source_(source) {}

  std::string path_;
  std::FILE* file_;
  RunSource& source_;
  std::string lines_;
  absl::Status status_;
};

class Run {
 public:
  explicit Run(const Flags& flags)
      : flags_(flags),
        executor_(graph::MakeExecutor(flags.threads)),
        source_(flags.log.empty() ? MakeFileSource(flags.inputs, flags.record_events, flags.input)
                                  : MakeLogSource(flags.log)) {}

  absl::Status Execute();
  void Print() const;
  const RunSource& source() const { return *source_; }

 private:
  absl::Status OpenOutputs();

  const Flags& flags_;
  std::unique_ptr<graph::Executor> executor_;
  graph::SystemClock clock_;
  graph::MetricRegistry metrics_;
  std::unique_ptr<graph::TraceRecorder> trace_;
  std::unique_ptr<RunSource> source_;
  std::vector<std::unique_ptr<OutputFile>> outputs_;
  std::unique_ptr<graph::Graph> graph_;  // destroyed first: it writes to the outputs
  std::string state_hash_;
  double seconds_ = 0.0;
};

absl::Status Run::OpenOutputs() {
  for (const std::string& text : flags_.outputs) {
    WEFT_ASSIGN(const auto named, SplitNamedFile("--output", text));
    WEFT_ASSIGN(std::unique_ptr<OutputFile> file, OutputFile::Open(named.second, *source_));
    WEFT_TRY(graph_->OnOutput(named.first, [output = file.get()](const graph::Packet& packet) {
      output->Write(packet);
    }));
    outputs_.push_back(std::move(file));
  }
  return absl::OkStatus();
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
  std::vector<std::string> inputs;
  for (const graph::ParsedSpec::Input& input : spec.inputs()) inputs.push_back(input.name);
  WEFT_TRY(source_->Open(inputs));
  environment.feature_count = source_->feature_count();
  WEFT_ASSIGN(graph_, graph::Graph::Build(spec, environment));
  WEFT_TRY(OpenOutputs());
  const std::int64_t begin_ns = clock_.NowNs();
  WEFT_TRY(source_->PushAll(*graph_));
  seconds_ = static_cast<double>(clock_.NowNs() - begin_ns) * 1e-9;
  WEFT_ASSIGN(const graph::CheckpointManifest state, graph_->StateHash());
  state_hash_ = graph::Hexadecimal(state.state_hash);
  WEFT_TRY(graph_->Close());
  for (const auto& output : outputs_) WEFT_TRY(output->Close());
  return trace_ == nullptr ? absl::OkStatus() : trace_->Finish();
}

void Run::Print() const {
  const auto events = static_cast<std::uint64_t>(source_->event_count());
  const auto nodes = static_cast<std::uint64_t>(source_->node_count());
  const double rate = seconds_ > 0 ? static_cast<double>(events) / seconds_ : 0.0;
  if (flags_.json) {
    std::fprintf(stderr,
                 "{\"schema_version\":1,\"events\":%" PRIu64 ",\"nodes\":%" PRIu64
                 ",\"seconds\":%.6f,\"events_per_second\":%.1f,\"state_hash\":\"%s\"}\n",
                 events, nodes, seconds_, rate, state_hash_.c_str());
    return;
  }
  std::fprintf(stderr,
               "weft: %" PRIu64 " events, %" PRIu64
               " nodes in %.2f s (%.0f events/s), state hash %s\n",
               events, nodes, seconds_, rate, state_hash_.c_str());
}

int RunGraph(const Flags& flags) {
  Run run(flags);
  const absl::Status status = run.Execute();
  run.source().PrintNotes();
  if (!status.ok()) return FailOnInput(status);
  run.Print();
  return kOk;
}

}  // namespace

void AddRunCommand(Command root, Invocation& invocation) {
  Command command = root.AddCommand(
      "run", "Run a graph without a server, on files or on the log of one.",
      "weft run deploy/graphs/links.pbtxt --input events=events.csv --output "
      "predictions=out.jsonl\n"
      "weft run deploy/graphs/links.pbtxt --input events=- --output evaluation=- < events.csv\n"
      "weft run deploy/graphs/service.pbtxt --log data --json # the state that a server has from "
      "it\n"
      "weft run deploy/graphs/links.pbtxt --input events=events.csv --trace trace.json   # open in "
      "ui.perfetto.dev");
  auto flags = std::make_shared<Flags>();
  command.AddOption("GRAPH", flags->graph, "A GraphSpec in protobuf text form").Required();
  const Command source = command.AddGroup("Source", "Where the events come from");
  source
      .AddOption("--input", flags->inputs,
                 "NAME=FILE: events for an input of the graph; - is stdin")
      .Repeated();
  source.AddOption("--log", flags->log,
                   "A data directory, whose whole log is replayed; no server may have it open");
  source.RequireOptions(1, 1);
  command
      .AddOption("--output", flags->outputs,
                 "NAME=FILE: an output of the graph as JSON Lines; - is stdout")
      .Repeated();
  command.AddOption("--trace", flags->trace, "What ran when, for Perfetto");
  command.AddOption("--threads", flags->threads, "For operators and kernels").Between(1, 1024);
  command.AddOption("--record-events", flags->record_events, "Events in one record of the stream")
      .Between(1, 65'536);
  command.AddFlag("--json", flags->json, "The summary on stderr as one JSON object");
  AddInputFlags(command, flags->input);
  command.Runs(invocation, [flags] { return RunGraph(*flags); });
}

}  // namespace weft::deploy
