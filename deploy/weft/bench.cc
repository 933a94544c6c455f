#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "cache/neighbor_cache.h"
#include "deploy/weft/command.h"
#include "deploy/weft/default_graph.h"
#include "gpu/host_device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/catalog.h"
#include "operators/link/link_models.h"
#include "operators/link/link_training.h"
#include "rpc/ingest_client.h"
#include "rpc/server.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::int64_t events = 1'000'000;
  std::int64_t nodes = 10'000;
  std::int32_t batch = 32;
  std::string model = "nat";
  std::string data_dir;
  std::string graph;
  bool json = false;
};

// Of the calling thread.
double ThreadCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

double NowSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A stream whose popular nodes are far more frequent than the others: the square of a uniform
// number.
graph::NodeId SkewedNode(std::uint64_t index, std::uint64_t side, std::int64_t nodes) {
  const double uniform = gpu::UnitFloat(gpu::CounterHash(7, index, side));
  return static_cast<graph::NodeId>(uniform * uniform * static_cast<double>(nodes - 1));
}

graph::EventBatch SkewedEvents(const Flags& flags) {
  graph::EventBatch events;
  events.Reserve(flags.events);
  for (std::int64_t i = 0; i < flags.events; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    events.source.push_back(SkewedNode(index, 0, flags.nodes));
    events.target.push_back(SkewedNode(index, 1, flags.nodes));
    events.time_us.push_back(i * 1000);
  }
  return events;
}

int Print(const Flags& flags, ordered_json figures) {
  figures["schema_version"] = 1;
  figures["events"] = flags.events;
  figures["nodes"] = flags.nodes;
  if (flags.json) {
    std::printf("%s\n", figures.dump().c_str());
    return kOk;
  }
  for (const auto& [name, value] : figures.items())
    std::printf("%-32s %s\n", name.c_str(), value.dump().c_str());
  return kOk;
}

int BenchLinkPredict(const Flags& flags) {
  const auto factory = operators::link::FindLinkModel(flags.model);
  if (!factory.ok()) return Fail(graph::Concat("--model: ", factory.status().message()), kUsage);
  const graph::EventBatch events = SkewedEvents(flags);
  operators::link::LinkModelRequest request;
  request.node_count = flags.nodes;
  request.event_count = flags.events;
  request.batch = flags.batch;
  const auto model = (*factory)(request);
  if (!model.ok()) return Fail(model.status());
  operators::link::NegativeTargets negatives(events);
  negatives.AddTargets(0, events.size());
  operators::link::LinkStream stream(**model, negatives, flags.batch, nullptr);
  const operators::link::LinkPart part{.events = &events,
                                       .begin = 0,
                                       .end = events.size(),
                                       .file_index = {},
                                       .pool_size = negatives.pool_size()};
  const double seconds =
      stream.Run(part, operators::link::LinkStream::Mode::kScore, 1, "", nullptr);
  return Print(flags, {{"bench", "link_predict"},
                       {"model", flags.model},
                       {"batch", flags.batch},
                       {"cpu_seconds", seconds},
                       {"events_per_cpu_second", static_cast<double>(flags.events) / seconds}});
}

int BenchNeighborCache(const Flags& flags) {
  const graph::EventBatch events = SkewedEvents(flags);
  cache::NeighborCacheOptions options;
  options.max_nodes = std::max<std::int64_t>(1024, flags.nodes);
  cache::NeighborCache neighbors(options, 2 * flags.batch);
  std::vector<std::uint32_t> nodes;
  std::vector<cache::Interaction> interactions;
  std::vector<std::int32_t> source_read;
  std::vector<std::int32_t> target_read;
  const double begin = operators::link::ProcessCpuSeconds();
  for (std::int64_t first = 0; first < flags.events; first += flags.batch) {
    const auto span =
        graph::EventSpan::Of(events, first, std::min(first + flags.batch, flags.events));
    nodes.assign(span.source.begin(), span.source.end());
    nodes.insert(nodes.end(), span.target.begin(), span.target.end());
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    interactions.clear();
    source_read.clear();
    target_read.clear();
    const auto number = [&nodes](graph::NodeId node) {
      return static_cast<std::int32_t>(std::lower_bound(nodes.begin(), nodes.end(), node) -
                                       nodes.begin());
    };
    for (std::size_t i = 0; i < span.source.size(); ++i) {
      interactions.push_back(
          {span.source[i], span.target[i], span.time_us[i],
           static_cast<std::uint32_t>(first + static_cast<std::int64_t>(i) + 1)});
      source_read.push_back(number(span.source[i]));
      target_read.push_back(number(span.target[i]));
    }
    const cache::NeighborReads& reads = neighbors.Read(gpu::Exec(), nodes);
    neighbors.Observe(gpu::Exec(), interactions, source_read, target_read, reads.state,
                      reads.state_stride, [](std::uint32_t, bool) {});
  }
  const double seconds = operators::link::ProcessCpuSeconds() - begin;
  return Print(flags, {{"bench", "neighbor_cache"},
                       {"batch", flags.batch},
                       {"row_bytes", neighbors.row_bytes()},
                       {"cpu_seconds", seconds},
                       {"events_per_cpu_second", static_cast<double>(flags.events) / seconds}});
}

// One connection sends everything as fast as the credits allow.
absl::StatusOr<ordered_json> Ingest(const Flags& flags, rpc::Server& server) {
  rpc::IngestClient::Options options;
  options.address = server.address();
  options.feed = "events";
  options.producer = "bench";
  WEFT_ASSIGN(const auto client, rpc::IngestClient::Open(std::move(options)));
  const double begin = NowSeconds();
  const double begin_cpu = operators::link::ProcessCpuSeconds();
  const double begin_generator = ThreadCpuSeconds();
  for (std::int64_t i = 0; i < flags.events; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    WEFT_TRY(client->Add(std::to_string(SkewedNode(index, 0, flags.nodes)),
                         std::to_string(SkewedNode(index, 1, flags.nodes)), i * 1000, std::nullopt,
                         {}));
  }
  WEFT_TRY(client->Wait(rpc::IngestClient::Level::kDurable));
  const double durable = NowSeconds() - begin;
  WEFT_TRY(client->Wait(rpc::IngestClient::Level::kApplied));
  const double applied = NowSeconds() - begin;
  const double cpu = operators::link::ProcessCpuSeconds() - begin_cpu;
  WEFT_TRY(client->Finish());
  const auto count = static_cast<double>(flags.events);
  return ordered_json{{"bench", "ingest"},
                      {"durable_events_per_second", count / durable},
                      {"applied_events_per_second", count / applied},
                      {"process_cpu_seconds", cpu},
                      {"generator_cpu_seconds", ThreadCpuSeconds() - begin_generator}};
}

int BenchIngest(const Flags& flags) {
  const std::string folder =
      flags.data_dir.empty()
          ? graph::Concat(std::filesystem::temp_directory_path().string(), "/weft-bench-", getpid())
          : flags.data_dir;
  rpc::Server::Options options;
  options.config.set_data_dir(folder);
  options.config.set_listen("127.0.0.1:0");
  options.config.set_http_listen("none");
  options.config.set_graph_file(flags.graph);
  if (flags.graph.empty()) options.graph_text = std::string(kDefaultGraph);
  if (flags.graph.empty()) options.graph_name = "links.pbtxt (built in)";
  options.catalog = &operators::OperatorCatalog();
  auto server = rpc::Server::Start(std::move(options));
  if (!server.ok()) return FailOnInput(server.status());
  auto figures = Ingest(flags, **server);
  const absl::Status drained = (*server)->Drain(10.0);
  server->reset();
  std::error_code ignored;
  if (flags.data_dir.empty()) std::filesystem::remove_all(folder, ignored);
  if (!figures.ok()) return Fail(figures.status());
  if (!drained.ok()) return Fail(drained);
  return Print(flags, *std::move(figures));
}

}  // namespace

void AddBenchCommand(CLI::App& root, Invocation& invocation) {
  CLI::App* bench =
      AddCommand(root, "bench", "Measure this machine on made-up events.",
                 "weft bench ingest --json\nweft bench link_predict\nweft bench neighbor_cache");
  bench->require_subcommand(1);
  const struct {
    const char* name;
    const char* description;
    int (*run)(const Flags&);
  } commands[] = {
      {"ingest", "A service in this process: events durable and applied a second, over loopback.",
       BenchIngest},
      {"link_predict", "A model: events scored (with a negative) and taken in a CPU second.",
       BenchLinkPredict},
      {"neighbor_cache", "The neighbour cache alone: events a CPU second.", BenchNeighborCache},
  };
  for (const auto& [name, description, run] : commands) {
    CLI::App* command =
        AddCommand(*bench, name, description, std::string("weft bench ") + name + " --json");
    auto flags = std::make_shared<Flags>();
    command->add_option("--events", flags->events, "How many")
        ->check(CLI::Range(1L, 1'000'000'000L));
    command->add_option("--nodes", flags->nodes, "Nodes they are between")
        ->check(CLI::Range(2L, 100'000'000L));
    command->add_option("--batch", flags->batch, "Events that read the same state")
        ->check(CLI::Range(1, 4096));
    if (run == BenchLinkPredict) command->add_option("--model", flags->model, "Which model");
    if (run == BenchIngest) {
      command->add_option("--data-dir", flags->data_dir,
                          "A folder that is left; without it a temporary one");
      command->add_option("--graph", flags->graph,
                          "A GraphSpec file; without it the built-in links graph");
    }
    command->add_flag("--json", flags->json, "One JSON object on stdout");
    command->callback(
        [&invocation, flags, run = run] { invocation.run = [flags, run] { return run(*flags); }; });
  }
}

}  // namespace weft::deploy
