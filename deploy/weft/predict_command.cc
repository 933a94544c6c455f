#include "deploy/weft/predict_command.h"

namespace weft::deploy {

void AddPredictCommand(Command root, Invocation& invocation) {
  Command predict = root.AddCommand("predict", "Ask a service what comes next.",
                                    "weft predict links --to 127.0.0.1:7171 --source anna --top 5\n"
                                    "weft predict series web1 --steps 5");
  predict.RequireCommand();
  AddPredictLinks(predict, invocation);
  AddPredictSeries(predict, invocation);
}

}  // namespace weft::deploy
