#include <atomic>
#include <csignal>
#include <cstdio>
#include <limits>
#include <thread>

#include <pthread.h>
#include <unistd.h>

#include "deploy/weft/command.h"
#include "deploy/weft/default_graph.h"
#include "deploy/weft/graph_file.h"
#include "deploy/weft/model_flag.h"
#include "graph/check.h"
#include "graph/text.h"
#include "graph/trace.h"
#include "operators/catalog.h"
#include "operators/io/json_text.h"
#include "rpc/server.h"
#include "rpc/server_config.h"

namespace weft::deploy {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

struct Flags {
  std::string config;
  std::string data_dir;
  std::string listen;
  std::string http_listen;
  std::string graph;
  std::string model;
  std::string trace;
  bool insecure = false;
  std::int32_t features = 0;
  double lateness_seconds = 5.0;
  double max_ahead_seconds = 86'400.0;
  double max_replay_seconds = 5.0;
  double drain_seconds = 10.0;
  std::int32_t threads = 0;
  bool json = false;
  std::optional<Command> command;
};

// Flags and the environment (CLI11 counts both) go before the file.
absl::StatusOr<config::v1::ServerConfig> MakeConfig(const Flags& flags) {
  config::v1::ServerConfig config;
  if (!flags.config.empty()) {
    WEFT_ASSIGN(const std::string text, ReadTextFile(flags.config, kMaxConfigBytes));
    WEFT_ASSIGN(config, rpc::ParseServerConfig(text, flags.config));
  }
  const auto given = [&flags](const char* name) { return flags.command->Given(name); };
  if (given("--data-dir")) config.set_data_dir(flags.data_dir);
  if (given("--listen")) config.set_listen(flags.listen);
  if (given("--http-listen")) config.set_http_listen(flags.http_listen);
  if (given("--graph")) config.set_graph_file(flags.graph);
  if (given("--insecure")) config.set_insecure(flags.insecure);
  if (given("--features")) config.mutable_feed()->set_feature_count(flags.features);
  if (given("--lateness"))
    config.mutable_feed()->set_lateness_us(static_cast<std::int64_t>(flags.lateness_seconds * 1e6));
  if (given("--max-ahead")) config.mutable_feed()->set_max_ahead_seconds(flags.max_ahead_seconds);
  if (given("--max-replay-seconds"))
    config.mutable_recovery()->set_max_replay_seconds(flags.max_replay_seconds);
  if (config.data_dir().empty())
    return absl::InvalidArgumentError("--data-dir: expected a folder, got none");
  return config;
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

// Before any other thread starts, so that all of them leave these signals to SignalWatch.
void BlockSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// Turns the first SIGINT or SIGTERM into a drain; a second one ends the process at once, which
// loses nothing durable.
class SignalWatch {
 public:
  explicit SignalWatch(rpc::Server& server)
      : thread_([this, &server] {
          const sigset_t signals = StopSignals();
          for (bool draining = false;; draining = true) {
            int signal = 0;
            if (sigwait(&signals, &signal) != 0 || done_) return;
            if (draining) _exit(kFailed);
            server.RequestDrain();
          }
        }) {}
  ~SignalWatch() {
    done_ = true;
    // The thread waits for this signal, which is blocked everywhere.
    pthread_kill(thread_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  }

 private:
  std::atomic<bool> done_ = false;
  std::jthread thread_;
};

void PrintReady(const Flags& flags, const rpc::Server& server) {
  if (flags.json) {
    std::string line = "{\"schema_version\":1,\"address\":";
    operators::io::AppendJsonString(line, server.address());
    line += ",\"http_address\":";
    operators::io::AppendJsonString(line, server.http_address());
    line += graph::Concat(",\"pid\":\"", getpid(), "\"}");
    std::printf("%s\n", line.c_str());
  } else {
    std::printf("serving gRPC on %s, HTTP on %s; Ctrl-C drains\n", server.address().c_str(),
                server.http_address().empty() ? "nothing" : server.http_address().c_str());
  }
  std::fflush(stdout);
}

// What to serve, unless that is a file that the server reads by itself.
absl::Status SetGraph(const Flags& flags, rpc::Server::Options& options) {
  const std::string& file = options.config.graph_file();
  if (file.empty()) {
    options.graph_text = std::string(kDefaultGraph);
    options.graph_name = "service.pbtxt (built in)";
  }
  if (flags.model.empty()) return absl::OkStatus();
  if (!file.empty()) {
    WEFT_ASSIGN(options.graph_text, ReadTextFile(file, graph::kSpecBytesMax));
    options.graph_name = file;
  }
  WEFT_ASSIGN(options.graph_text,
              WithModelFile(options.graph_text, options.graph_name, flags.model));
  return absl::OkStatus();
}

int Serve(const Flags& flags) {
  const auto config = MakeConfig(flags);
  if (!config.ok()) return FailOnInput(config.status());
  std::unique_ptr<graph::TraceRecorder> trace;
  if (!flags.trace.empty()) trace = std::make_unique<graph::TraceRecorder>(flags.trace);
  rpc::Server::Options options;
  options.config = *config;
  options.catalog = &operators::OperatorCatalog();
  options.threads = flags.threads;
  options.trace = trace.get();
  if (const absl::Status set = SetGraph(flags, options); !set.ok()) return Fail(set, kInputData);
  BlockSignals();
  auto server = rpc::Server::Start(std::move(options));
  if (!server.ok()) return FailOnInput(server.status());
  PrintReady(flags, **server);
  const SignalWatch signals(**server);
  (*server)->Wait();
  if (const absl::Status drained = (*server)->Drain(flags.drain_seconds); !drained.ok())
    return Fail(drained);
  if (trace != nullptr) {
    if (const absl::Status written = trace->Finish(); !written.ok()) return Fail(written);
  }
  return kOk;
}

}  // namespace

void AddServeCommand(Command root, Invocation& invocation) {
  Command command =
      root.AddCommand("serve", "Serve a graph: durable ingest, predictions, administration.",
                      "weft serve --data-dir data\n"
                      "weft serve --data-dir data --model model.weft\n"
                      "weft serve --data-dir data --listen 127.0.0.1:0 --http-listen none --json\n"
                      "weft serve --config weft.pbtxt --graph deploy/graphs/links.pbtxt");
  auto flags = std::make_shared<Flags>();
  flags->command = command;
  command.AddOption("--config", flags->config, "ServerConfig in protobuf text form")
      .FromEnvironment("WEFT_CONFIG");
  command.AddOption("--data-dir", flags->data_dir, "What survives a restart; made if missing")
      .FromEnvironment("WEFT_DATA_DIR");
  command
      .AddOption("--listen", flags->listen,
                 "gRPC, host:port; port 0 takes a free one (127.0.0.1:7171)")
      .FromEnvironment("WEFT_LISTEN");
  command.AddOption("--http-listen", flags->http_listen, "HTTP, host:port or none (127.0.0.1:7172)")
      .FromEnvironment("WEFT_HTTP_LISTEN");
  command
      .AddOption("--graph", flags->graph, "A GraphSpec file; without it the built-in links graph")
      .FromEnvironment("WEFT_GRAPH");
  command
      .AddOption("--model", flags->model,
                 "Weights that the nodes of that model start from, made by weft train links")
      .FromEnvironment("WEFT_MODEL");
  command.AddFlag("--insecure", flags->insecure,
                  "Allow plain text on addresses other than loopback");
  command.AddOption("--features", flags->features, "Features of an event, which models read (0)")
      .Between(0, 4096);
  command
      .AddOption("--lateness", flags->lateness_seconds,
                 "Seconds of event time that an event may be late (5)")
      .Between(0.0, 1e12);
  command
      .AddOption("--max-ahead", flags->max_ahead_seconds,
                 "Seconds that an event's time may be ahead of the clock; inf: no limit (86400)")
      .Between(1e-6, std::numeric_limits<double>::infinity());
  command
      .AddOption("--max-replay-seconds", flags->max_replay_seconds,
                 "A restart replays at most this long (5)")
      .Between(0.1, 86'400.0);
  command
      .AddOption("--drain-seconds", flags->drain_seconds,
                 "How long calls may take to end on a drain")
      .Between(0.0, 3600.0);
  command.AddOption("--threads", flags->threads, "For operators and kernels; 0: one a core")
      .Between(0, 1024);
  command.AddOption("--trace", flags->trace, "What ran when, for Perfetto");
  command.AddFlag("--json", flags->json, "Say where it listens as one JSON object on stdout");
  command.Runs(invocation, [flags] { return Serve(*flags); });
}

}  // namespace weft::deploy
