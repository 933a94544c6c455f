#include <cstdio>

#include <nlohmann/json.hpp>

#include "deploy/weft/command.h"
#include "deploy/weft/graph_file.h"
#include "graph/clock.h"
#include "graph/executor.h"
#include "graph/graph.h"
#include "graph/metrics.h"
#include "operators/catalog.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string path;
  bool json = false;
};

// Opening the operators is what checks their options.
absl::Status BuildOnce(const graph::ParsedSpec& spec) {
  graph::SystemClock clock;
  graph::MetricRegistry metrics;
  graph::SerialExecutor executor(1);
  graph::Environment environment;
  environment.catalog = &operators::OperatorCatalog();
  environment.executor = &executor;
  environment.clock = &clock;
  environment.metrics = &metrics;
  return graph::Graph::Build(spec, environment).status();
}

int Validate(const Flags& flags) {
  const auto spec = ReadGraphFile(flags.path);
  if (!spec.ok()) return FailOnInput(spec.status());
  if (const absl::Status built = BuildOnce(*spec); !built.ok()) return FailOnInput(built);
  if (flags.json) {
    nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
    nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
    nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
    for (const auto& input : spec->inputs()) inputs.push_back(input.name);
    for (const auto& output : spec->outputs()) outputs.push_back(output.name);
    for (const auto& node : spec->nodes())
      nodes.push_back({{"name", node.name}, {"operator", node.entry->name}});
    const nlohmann::ordered_json object = {{"schema_version", 1},  {"graph", flags.path},
                                           {"name", spec->name()}, {"digest", spec->digest()},
                                           {"inputs", inputs},     {"nodes", nodes},
                                           {"outputs", outputs}};
    std::printf("%s\n", object.dump().c_str());
  } else {
    std::printf("%s: valid: %zu nodes, digest %s\n", flags.path.c_str(), spec->nodes().size(),
                spec->digest().c_str());
  }
  return kOk;
}

}  // namespace

void AddGraphCommand(Command root, Invocation& invocation) {
  Command graph = root.AddCommand("graph", "Work with graph files.",
                                  "weft graph validate deploy/graphs/links.pbtxt");
  graph.RequireCommand();
  Command validate =
      graph.AddCommand("validate", "Check a graph: names, ports, types, cycles, options.",
                       "weft graph validate deploy/graphs/links.pbtxt\n"
                       "weft graph validate deploy/graphs/links.pbtxt --json");
  auto flags = std::make_shared<Flags>();
  validate.AddOption("FILE", flags->path, "A GraphSpec in protobuf text form").Required();
  validate.AddFlag("--json", flags->json, "One JSON object on stdout");
  validate.Runs(invocation, [flags] { return Validate(*flags); });
}

}  // namespace weft::deploy
