#include "deploy/weft/time_flags.h"

#include "graph/text.h"
#include "operators/io/time_text.h"

namespace weft::deploy {

Option AddTimeFlag(Command command, const std::string& name, const std::string& description,
                   std::optional<graph::TimeUs>& time_us) {
  return command.AddParsed(
      name,
      [&time_us](const std::string& text) -> std::optional<std::string> {
        graph::TimeUs parsed_us = 0;
        if (!operators::io::ParseTime(text, operators::io::TimeUnit::kMicroseconds, parsed_us)) {
          return graph::Concat("expected a time as 2026-01-31T12:00:00Z or in microseconds, got ",
                               text);
        }
        time_us = parsed_us;
        return std::nullopt;
      },
      description);
}

void AddAtFlag(Command command, const std::string& description,
               std::optional<graph::TimeUs>& at_us) {
  AddTimeFlag(command, "--at", description, at_us);
}

}  // namespace weft::deploy
