#include <cstdio>

#include <CLI/CLI.hpp>

#include "deploy/weft/command.h"

namespace weft::deploy {
namespace {

// One line of a bash `case` for a command: what may follow it.
void PrintCase(const CLI::App& command, const std::string& path) {
  std::string words;
  for (const CLI::App* child :
       command.get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); })) {
    words += child->get_name() + " ";
  }
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  for (const CLI::App* group :
       command.get_subcommands([](const CLI::App* app) { return app->get_name().empty(); })) {
    for (const CLI::Option* option : group->get_options()) {
      for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
    }
  }
  std::printf("    '%s') words='%s' ;;\n", path.c_str(), words.c_str());
  for (const CLI::App* child :
       command.get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); })) {
    PrintCase(*child, path + " " + child->get_name());
  }
}

int Print(const CLI::App& root) {
  std::printf(
      "# bash completion of weft: eval \"$(weft completion)\"\n"
      "_weft() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" path='weft' words='' word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$word\" in [a-z]*) path=\"$path $word\" ;; *) break ;; esac\n"
      "  done\n"
      "  case \"$path\" in\n");
  PrintCase(root, "weft");
  std::printf(
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "}\n"
      "complete -o default -F _weft weft\n");
  return kOk;
}

}  // namespace

void AddCompletionCommand(Command root, Invocation& invocation) {
  root.AddCommand("completion", "Print a completion script for bash.",
                  "eval \"$(weft completion)\"")
      .Runs(invocation, [root] { return Print(root.app()); });
}

}  // namespace weft::deploy
