#include "deploy/weft/usage_message.h"

#include <optional>
#include <string_view>
#include <vector>

#include "graph/suggestion.h"
#include "graph/text.h"

namespace weft::deploy {
namespace {

bool IsGroup(const CLI::App* app) { return app->get_name().empty(); }

void AppendOptions(const CLI::App& command, std::vector<std::string>& names) {
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* group : command.get_subcommands(IsGroup)) AppendOptions(*group, names);
}

std::vector<std::string> CommandsOf(const CLI::App& command) {
  std::vector<std::string> names;
  const auto named = [](const CLI::App* app) { return !IsGroup(app); };
  for (const CLI::App* child : command.get_subcommands(named)) names.push_back(child->get_name());
  return names;
}

std::string Suggest(std::string_view name, const std::vector<std::string>& candidates) {
  return graph::DidYouMean(name, {candidates.begin(), candidates.end()});
}

// What the command could make nothing of; nothing if there is no such argument.
std::optional<std::string> ExplainUnexpected(const CLI::App& command, const std::string& path) {
  // CLI11 would rather complain about what is missing, which is often what has been misspelt.
  const std::vector<std::string> unexpected = command.remaining();
  if (unexpected.empty()) return std::nullopt;
  const std::string& first = unexpected.front();
  if (first.starts_with('-')) {
    std::vector<std::string> options;
    AppendOptions(command, options);
    const std::string name = first.substr(0, first.find('='));
    return graph::Concat(path, ": unknown option ", name, Suggest(name, options));
  }
  const std::vector<std::string> commands = CommandsOf(command);
  if (commands.empty()) return graph::Concat(path, ": unexpected argument \"", first, "\"");
  return graph::Concat(path, ": unknown command \"", first, "\"", Suggest(first, commands));
}

}  // namespace

std::string UsageMessage(const CLI::App& root, const CLI::Error& error) {
  const CLI::App* command = &root;
  std::string path = root.get_name();
  std::optional<std::string> unexpected = ExplainUnexpected(root, path);
  while (!unexpected && !command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
    unexpected = ExplainUnexpected(*command, path);
  }
  return graph::Concat(unexpected ? *unexpected : graph::Concat("weft: ", error.what()), "\nRun `",
                       path, " --help` for how to use it.\n");
}

}  // namespace weft::deploy
