// The commands of `weft data`.
#pragma once

#include "deploy/weft/command.h"

namespace weft::deploy {

void AddDataLog(Command data, Invocation& invocation);
void AddGenerateData(Command data, Invocation& invocation);

}  // namespace weft::deploy
