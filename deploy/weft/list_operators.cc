#include <cstdio>

#include <nlohmann/json.hpp>

#include "deploy/weft/command.h"
#include "operators/catalog.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

const char* ReadsName(graph::Reads reads) {
  switch (reads) {
    case graph::Reads::kNothing:
      return "nothing";
    case graph::Reads::kBeforeTime:
      return "before_time";
    case graph::Reads::kBeforeBatch:
      return "before_batch";
    case graph::Reads::kOffline:
      return "offline";
  }
  return "";
}

const char* ExactnessName(graph::Exactness exactness) {
  return exactness == graph::Exactness::kExact ? "exact" : "approximate";
}

ordered_json PortsJson(const std::vector<graph::PortInfo>& ports) {
  ordered_json json = ordered_json::array();
  for (const graph::PortInfo& port : ports) {
    json.push_back({{"name", port.name}, {"type", port.type}, {"optional", port.optional}});
  }
  return json;
}

void PrintJson() {
  ordered_json list = ordered_json::array();
  for (const auto& [name, entry] : operators::OperatorCatalog().entries()) {
    const graph::Contract& contract = entry.contract;
    list.push_back({{"name", name},
                    {"inputs", PortsJson(contract.inputs)},
                    {"outputs", PortsJson(contract.outputs)},
                    {"options", contract.options_type},
                    {"exactness", ExactnessName(contract.exactness)},
                    {"reads", ReadsName(contract.reads)},
                    {"state_version", contract.state_version},
                    {"page", operators::OperatorPage(name)}});
  }
  const ordered_json object = {{"schema_version", 1}, {"operators", list}};
  std::printf("%s\n", object.dump().c_str());
}

std::string PortsText(const std::vector<graph::PortInfo>& ports) {
  std::string text;
  for (const graph::PortInfo& port : ports) {
    if (!text.empty()) text += ", ";
    text += std::string(port.name) + " " + std::string(port.type) + (port.optional ? "?" : "");
  }
  return text;
}

void PrintText() {
  for (const auto& [name, entry] : operators::OperatorCatalog().entries()) {
    const graph::Contract& contract = entry.contract;
    std::printf("%s  (%s, reads %s; %s)\n  %s -> %s\n", name.c_str(),
                ExactnessName(contract.exactness), ReadsName(contract.reads),
                operators::OperatorPage(name).c_str(), PortsText(contract.inputs).c_str(),
                PortsText(contract.outputs).c_str());
  }
}

}  // namespace

void AddOperatorsCommand(Command root, Invocation& invocation) {
  Command command = root.AddCommand("operators", "List the operators that a graph may use.",
                                    "weft operators\nweft operators --json");
  auto json = std::make_shared<bool>(false);
  command.AddFlag("--json", *json, "One JSON object on stdout");
  command.Runs(invocation, [json] {
    *json ? PrintJson() : PrintText();
    return kOk;
  });
}

}  // namespace weft::deploy
