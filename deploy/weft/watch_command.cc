#include "deploy/weft/watch_command.h"

namespace weft::deploy {

void AddWatchCommand(Command root, Invocation& invocation) {
  Command watch = root.AddCommand("watch", "Follow what a service predicts, and what happens.",
                                  "weft watch predictions --to 127.0.0.1:7171\n"
                                  "weft watch episodes --level 2\n"
                                  "weft watch alarms\n"
                                  "weft watch models --to 127.0.0.1:7171");
  watch.RequireCommand();
  AddWatchPredictions(watch, invocation);
  AddWatchEpisodes(watch, invocation);
  AddWatchForecasts(watch, invocation);
  AddWatchAlarms(watch, invocation);
  AddWatchModels(watch, invocation);
}

}  // namespace weft::deploy
