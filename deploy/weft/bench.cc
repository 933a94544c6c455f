#include "deploy/weft/bench.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <thread>

#include "deploy/weft/command.h"
#include "gpu/host_device.h"
#include "graph/text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

// The square of a uniform number makes the first nodes the frequent ones.
graph::NodeId SkewedNode(std::uint64_t index, std::uint64_t side, std::int64_t nodes) {
  const double uniform = gpu::UnitFloat(gpu::CounterHash(7, index, side));
  return static_cast<graph::NodeId>(uniform * uniform * static_cast<double>(nodes - 1));
}

ordered_json Machine() {
  std::ifstream information("/proc/cpuinfo");
  std::string line;
  std::string processor = "unknown";
  while (std::getline(information, line)) {
    if (!line.starts_with("model name")) continue;
    processor = line.substr(std::min(line.size(), line.find(": ") + 2));
    break;
  }
  return {{"cores", std::thread::hardware_concurrency()}, {"processor", processor}};
}

void PrintTable(const std::string& prefix, const ordered_json& figures) {
  for (const auto& [name, value] : figures.items()) {
    const std::string path = prefix.empty() ? name : graph::Concat(prefix, ".", name);
    if (value.is_structured()) {
      PrintTable(path, value);
    } else if (value.is_number_float()) {
      std::printf("%-44s %.6g\n", path.c_str(), value.get<double>());
    } else {
      std::printf("%-44s %s\n", path.c_str(), value.dump().c_str());
    }
  }
}

void AddEventsFlag(Command command, BenchFlags& flags) {
  command.AddOption("--events", flags.events, "How many (1000000)").Between(1L, 1'000'000'000L);
}

void AddNodesFlag(Command command, BenchFlags& flags) {
  command.AddOption("--nodes", flags.nodes, "Nodes they are between (10000)")
      .Between(2L, 100'000'000L);
}

void AddStreamFlags(Command command, BenchFlags& flags) {
  AddEventsFlag(command, flags);
  AddNodesFlag(command, flags);
}

void AddLoadFlags(Command command, BenchFlags& flags, std::int64_t batch) {
  flags.batch = batch;
  command.AddOption("--model", flags.model, "Which model: weft (default) or nat")
      .OneOf({"weft", "nat"});
  command.AddOption("--batch", flags.batch, graph::Concat("Events in one message (", batch, ")"))
      .Between(1, 16'384);
  command.AddOption("--folder", flags.folder,
                    "Where data directories are made for the time being; the disk matters");
}

void AddIngestFlags(Command command, BenchFlags& flags) {
  AddStreamFlags(command, flags);
  AddLoadFlags(command, flags, 2048);
  command.AddOption("--graph", flags.graph, "Only one of: log_only, scoring, learning")
      .OneOf({"log_only", "scoring", "learning"});
}

void AddLinkPredictFlags(Command command, BenchFlags& flags) {
  AddNodesFlag(command, flags);
  // At 50,000 events a second a message every 5 ms, as from clients that do not wait for long.
  AddLoadFlags(command, flags, 256);
  command.AddOption("--rate", flags.request_rate, "ScoreLinks a second, of one pair each (1000)")
      .Between(1.0, 1e6);
  command.AddOption("--seconds", flags.seconds, "How long (10)").Between(1.0, 3600.0);
  command
      .AddOption("--ingest-rate", flags.ingest_rate,
                 "Events a second that come in meanwhile (50000)")
      .Between(1.0, 1e7);
  command.AddFlag("--learn", flags.learn, "The model learns from what comes in");
  command
      .AddOption("--restart-events", flags.restart_events,
                 "Then: kill a service that learns after so many events, when a restart would "
                 "replay the most, and measure the restart; 0 leaves that out")
      .Between(0L, 1'000'000'000L);
}

void AddModelFlags(Command command, BenchFlags& flags) {
  AddStreamFlags(command, flags);
  flags.batch = 32;
  command.AddOption("--batch", flags.batch, "Events that read the same state (32)")
      .Between(1, 4096);
  command.AddOption("--model", flags.model, "Which model (weft)");
}

void AddRankFlags(Command command, BenchFlags& flags) {
  flags.events = 200'000;
  flags.nodes = 20'000;
  command.AddOption("--events", flags.events, "How many before the requests (200000)")
      .Between(1L, 1'000'000'000L);
  command.AddOption("--nodes", flags.nodes, "Nodes they are between (20000)")
      .Between(2L, 100'000'000L);
  command.AddOption("--candidates", flags.candidates, "Targets of a request (10000)")
      .Between(1L, 1'000'000L);
  command.AddOption("--requests", flags.requests, "How many (200)").Between(1L, 1'000'000L);
  command.AddOption("--model", flags.model, "Which model (weft)");
}

void AddHierarchyFlags(Command command, BenchFlags& flags) {
  command.AddOption("--snapshots", flags.snapshots, "How many, in the end (1000000)")
      .Between(10L, 1'000'000'000L);
  command.AddOption("--nodes", flags.busy_nodes, "Nodes that interact (20)").Between(5, 1'000'000);
  command.AddOption("--interactions", flags.interactions, "Of a snapshot, in the mean (12)")
      .Between(0.1, 10'000.0);
  command.AddOption("--leaves", flags.leaves, "Leaf episodes to keep (65536)")
      .Between(64L, 16'777'216L);
  command
      .AddOption("--keep", flags.keep_snapshots,
                 "Snapshots for which closed episodes are kept; 0: as long as there is room")
      .NotNegative();
  command.AddOption("--requests", flags.requests, "Timelines to ask for (200)")
      .Between(1L, 1'000'000L);
}

void AddSequenceFlags(Command command, BenchFlags& flags) {
  command.AddOption("--model", flags.model, "Which model: weft (default) or htm")
      .OneOf({"weft", "htm"});
  command.AddOption("--records", flags.records, "Of the series that grows (100000)")
      .Between(10L, 1'000'000'000L);
  command.AddOption("--series", flags.series, "That are followed at once (1000)")
      .Between(1L, 1'000'000L);
  command.AddOption("--records-of-each", flags.records_of_each, "Of each of these (2000)")
      .Between(3L, 1'000'000'000L);
}

void AddAccuracyFlags(Command command, BenchFlags& flags) {
  command.AddOption("--data", flags.data, "Folder with CSV files of events").Required();
  command.AddOption("--sets", flags.sets, "Only these files, comma-separated, without .csv")
      .CommaSeparated();
  command
      .AddOption("--models", flags.models,
                 "Which models (weft), comma-separated; the baselines come by themselves")
      .CommaSeparated();
  command.AddOption("--seeds", flags.seeds, "One run each, comma-separated (1,2,3)")
      .CommaSeparated();
  command.AddOption("--epochs", flags.epochs, "Passes over the train part (3)").Between(1, 10'000);
  command
      .AddOption("--mrr-events", flags.ranked_events,
                 "Test events to rank among 100 candidates, at most (3000)")
      .Between(0, 1'000'000'000);
}

}  // namespace

graph::EventBatch SkewedEvents(const BenchFlags& flags) {
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

ordered_json Percentiles(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&seconds](double share) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(seconds.size())));
    return 1e3 * seconds[std::clamp<std::size_t>(rank, 1, seconds.size()) - 1];
  };
  return {{"p50", at(0.5)}, {"p99", at(0.99)}, {"p999", at(0.999)}, {"max", at(1.0)}};
}

int PrintFigures(const BenchFlags& flags, const std::string& bench, const ordered_json& figures) {
  ordered_json object = {{"schema_version", 1}, {"bench", bench}, {"machine", Machine()}};
  object.update(figures);
  if (flags.json) {
    std::printf("%s\n", object.dump().c_str());
  } else {
    PrintTable("", object);
  }
  return kOk;
}

void AddBenchCommand(Command root, Invocation& invocation) {
  Command bench = root.AddCommand(
      "bench", "Measure this machine on made-up events, or models on a folder of files.",
      "weft bench ingest --json\n"
      "weft bench accuracy --data graphs\n"
      "weft bench neighbor_cache\n"
      "weft bench link_predict --restart-events 1000000");
  bench.RequireCommand();
  const struct {
    const char* name;
    const char* description;
    const char* example;
    int (*run)(const BenchFlags&);
    void (*add_flags)(Command, BenchFlags&);
  } commands[] = {
      {"accuracy",
       "How well models predict every file of events in a folder, as in docs/evaluation.md.",
       "--data graphs --models weft,nat --json", BenchAccuracy, AddAccuracyFlags},
      {"hierarchy",
       "Episodes of a stream as it grows: cost and touched records a snapshot, and of questions.",
       "--snapshots 10000000 --leaves 262144 --json", BenchHierarchy, AddHierarchyFlags},
      {"ingest",
       "Events durable and applied a second over loopback: log alone, scored, learned from.",
       "--nodes 100000 --json", BenchIngest, AddIngestFlags},
      {"link_model", "A model alone: events scored (with a negative) and taken in a CPU second.",
       "--model weft --nodes 100000 --json", BenchLinkModel, AddModelFlags},
      {"link_predict", "How long a ScoreLinks takes while events come in.", "--nodes 100000 --json",
       BenchLinkPredict, AddLinkPredictFlags},
      {"link_rank", "How long a model takes to rank the candidates of one source.",
       "--candidates 1000 --json", BenchLinkRank, AddRankFlags},
      {"neighbor_cache", "The neighbour cache alone: events a CPU second.", "--nodes 100000 --json",
       BenchNeighborCache, AddStreamFlags},
      {"sequence", "A series as it grows, and many series beside each other: records a CPU second.",
       "--records 1000000 --json", BenchSequence, AddSequenceFlags},
  };
  for (const auto& [name, description, example, run, add_flags] : commands) {
    Command command =
        bench.AddCommand(name, description, graph::Concat("weft bench ", name, " ", example));
    auto flags = std::make_shared<BenchFlags>();
    add_flags(command, *flags);
    command.AddFlag("--json", flags->json, "One JSON object on stdout");
    command.Runs(invocation, [flags, run = run] { return run(*flags); });
  }
}

}  // namespace weft::deploy
