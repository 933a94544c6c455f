// What the commands of `weft eval` share.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "deploy/weft/command.h"
#include "deploy/weft/input_flags.h"
#include "graph/event_batch.h"
#include "operators/io/load_events.h"
#include "operators/link/time_split.h"

namespace weft::deploy {

void AddEvalLinks(Command eval, Invocation& invocation);
void AddEvalLabels(Command eval, Invocation& invocation);
void AddEvalNextTime(Command eval, Invocation& invocation);
void AddEvalSegments(Command eval, Invocation& invocation);
void AddEvalEpisodes(Command eval, Invocation& invocation);
void AddEvalPartners(Command eval, Invocation& invocation);
void AddEvalAnomaly(Command eval, Invocation& invocation);
void AddEvalSequence(Command eval, Invocation& invocation);
void AddEvalSymbols(Command eval, Invocation& invocation);

// Reads the file that is evaluated, with notes on stderr. kOk, or the exit code after an error
// that has been said.
int ReadEvalFile(const std::string& path, const InputFlags& flags, operators::io::EventFile& file);

// Says why the events of a file cannot be evaluated; the exit code.
int FailOnEvaluation(const std::string& path, const absl::Status& status);

// The parts of a split, by name, with how many events they have and their times.
nlohmann::ordered_json SplitJson(const graph::EventBatch& events,
                                 const operators::link::TimeSplit& split);

}  // namespace weft::deploy
