// The commands of `weft predict`.
#pragma once

#include "deploy/weft/command.h"

namespace weft::deploy {

void AddPredictLinks(Command predict, Invocation& invocation);
void AddPredictSeries(Command predict, Invocation& invocation);

}  // namespace weft::deploy
