#include "deploy/weft/data_command.h"

namespace weft::deploy {

void AddDataCommand(Command root, Invocation& invocation) {
  const Command data =
      root.AddCommand("data", "Look at a data directory, or make up events.",
                      "weft data log data\n"
                      "weft data generate hierarchy --out events.csv --truth truth.csv");
  data.RequireCommand();
  AddDataLog(data, invocation);
  AddGenerateData(data, invocation);
}

}  // namespace weft::deploy
