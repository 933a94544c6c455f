// The commands of `weft watch`.
#pragma once

#include "deploy/weft/command.h"

namespace weft::deploy {

void AddWatchPredictions(Command watch, Invocation& invocation);
void AddWatchEpisodes(Command watch, Invocation& invocation);
void AddWatchForecasts(Command watch, Invocation& invocation);
void AddWatchAlarms(Command watch, Invocation& invocation);
void AddWatchModels(Command watch, Invocation& invocation);

}  // namespace weft::deploy
