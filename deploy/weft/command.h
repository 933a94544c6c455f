// What the subcommands of `weft` share: exit codes, errors, the help's shape. Each subcommand is
// one file with one Add... function, called by main.
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "absl/status/status.h"

namespace weft::deploy {

// Of the process.
enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2, kInputData = 3 };

// The subcommand that was asked for sets `run`; main calls it after parsing.
struct Invocation {
  std::function<int()> run;
};

// Prints `weft: message` on stderr and returns `code`.
int Fail(const absl::Status& status, ExitCode code = kFailed);
int Fail(const std::string& message, ExitCode code = kFailed);
// The same, with kInputData for what a file or its contents are to blame for, else kFailed.
int FailOnInput(const absl::Status& status);

// A subcommand with help that leads with `examples` (whole lines, without indentation).
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& examples);
void UseHelpFormat(CLI::App& app);

void AddVersionCommand(CLI::App& root, Invocation& invocation);
void AddDescribeCommand(CLI::App& root, Invocation& invocation);
void AddEvalCommand(CLI::App& root, Invocation& invocation);
void AddRunCommand(CLI::App& root, Invocation& invocation);
void AddGraphCommand(CLI::App& root, Invocation& invocation);
void AddOperatorsCommand(CLI::App& root, Invocation& invocation);
void AddServeCommand(CLI::App& root, Invocation& invocation);
void AddIngestCommand(CLI::App& root, Invocation& invocation);
void AddPredictCommand(CLI::App& root, Invocation& invocation);
void AddQueryCommand(CLI::App& root, Invocation& invocation);
void AddWatchCommand(CLI::App& root, Invocation& invocation);
void AddDataCommand(CLI::App& root, Invocation& invocation);
void AddModelCommand(CLI::App& root, Invocation& invocation);
void AddDoctorCommand(CLI::App& root, Invocation& invocation);
void AddTrainCommand(CLI::App& root, Invocation& invocation);
void AddBenchCommand(CLI::App& root, Invocation& invocation);
void AddCompletionCommand(CLI::App& root, Invocation& invocation);

}  // namespace weft::deploy
