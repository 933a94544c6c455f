// What the subcommands of `weft` share: exit codes, errors, the help's shape. Each subcommand is
// one file with one Add... function, called by main.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "deploy/weft/command_line.h"

namespace weft::deploy {

// Of the process.
enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2, kInputData = 3 };

// Prints `weft: message` on stderr and returns `code`.
int Fail(const absl::Status& status, ExitCode code = kFailed);
int Fail(const std::string& message, ExitCode code = kFailed);
// The same, with kInputData for what a file or its contents are to blame for, else kFailed.
int FailOnInput(const absl::Status& status);

void AddVersionCommand(Command root, Invocation& invocation);
void AddDescribeCommand(Command root, Invocation& invocation);
void AddEvalCommand(Command root, Invocation& invocation);
void AddDetectCommand(Command root, Invocation& invocation);
void AddRunCommand(Command root, Invocation& invocation);
void AddGraphCommand(Command root, Invocation& invocation);
void AddOperatorsCommand(Command root, Invocation& invocation);
void AddServeCommand(Command root, Invocation& invocation);
void AddIngestCommand(Command root, Invocation& invocation);
void AddPredictCommand(Command root, Invocation& invocation);
void AddQueryCommand(Command root, Invocation& invocation);
void AddWatchCommand(Command root, Invocation& invocation);
void AddDataCommand(Command root, Invocation& invocation);
void AddModelCommand(Command root, Invocation& invocation);
void AddDoctorCommand(Command root, Invocation& invocation);
void AddTrainCommand(Command root, Invocation& invocation);
void AddBenchCommand(Command root, Invocation& invocation);
void AddCompletionCommand(Command root, Invocation& invocation);

}  // namespace weft::deploy
