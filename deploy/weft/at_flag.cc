#include "deploy/weft/at_flag.h"

#include "graph/text.h"
#include "operators/io/time_text.h"

namespace weft::deploy {

void AddAtFlag(Command command, const std::string& description,
               std::optional<graph::TimeUs>& at_us) {
  command.AddParsed(
      "--at",
      [&at_us](const std::string& text) -> std::optional<std::string> {
        graph::TimeUs time_us = 0;
        if (!operators::io::ParseTime(text, operators::io::TimeUnit::kMicroseconds, time_us)) {
          return graph::Concat("expected a time as 2026-01-31T12:00:00Z or in microseconds, got ",
                               text);
        }
        at_us = time_us;
        return std::nullopt;
      },
      description);
}

}  // namespace weft::deploy
