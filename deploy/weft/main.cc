// weft: the program. See command.h for how subcommands are put together.

#include <cstdio>

#include <CLI/CLI.hpp>

#include "deploy/weft/command.h"
#include "deploy/weft/usage_message.h"

namespace {

int Main(int argument_count, char** arguments) {
  CLI::App program(
      "Temporal streams and temporal graphs: ingests events, learns, predicts what comes next.");
  program.name("weft");
  program.footer(
      "weft serve --data-dir data                                  # start a service\n"
      "weft ingest events events.csv --to 127.0.0.1:7171           # send it events\n"
      "weft predict links --to 127.0.0.1:7171 --source anna --top 5  # who comes next\n"
      "weft eval links events.csv --json                           # how well links of a file can "
      "be predicted");
  weft::deploy::UseHelpFormat(program);
  program.require_subcommand(1);
  program.failure_message([](const CLI::App* app, const CLI::Error& error) {
    return weft::deploy::UsageMessage(*app, error);
  });
  const weft::deploy::Command root(program);
  weft::deploy::Invocation invocation;
  weft::deploy::AddServeCommand(root, invocation);
  weft::deploy::AddIngestCommand(root, invocation);
  weft::deploy::AddPredictCommand(root, invocation);
  weft::deploy::AddQueryCommand(root, invocation);
  weft::deploy::AddWatchCommand(root, invocation);
  weft::deploy::AddDescribeCommand(root, invocation);
  weft::deploy::AddDetectCommand(root, invocation);
  weft::deploy::AddRunCommand(root, invocation);
  weft::deploy::AddEvalCommand(root, invocation);
  weft::deploy::AddTrainCommand(root, invocation);
  weft::deploy::AddBenchCommand(root, invocation);
  weft::deploy::AddGraphCommand(root, invocation);
  weft::deploy::AddOperatorsCommand(root, invocation);
  weft::deploy::AddDataCommand(root, invocation);
  weft::deploy::AddModelCommand(root, invocation);
  weft::deploy::AddDoctorCommand(root, invocation);
  weft::deploy::AddVersionCommand(root, invocation);
  weft::deploy::AddCompletionCommand(root, invocation);
  try {
    program.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    const bool asked_for_help = program.exit(error) == 0;
    return asked_for_help ? weft::deploy::kOk : weft::deploy::kUsage;
  }
  return invocation.run();
}

}  // namespace

// Memory running out is the only exception that gets here, and ends the program.
int main(int argument_count, char** arguments) {  // NOLINT(bugprone-exception-escape)
  const int code = Main(argument_count, arguments);
  if (std::fflush(stdout) != 0 && code == 0) {
    std::perror("weft: standard output");
    return weft::deploy::kFailed;
  }
  return code;
}
