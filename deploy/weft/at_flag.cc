#include "deploy/weft/at_flag.h"

#include "graph/text.h"
#include "operators/io/time_text.h"

namespace weft::deploy {

void AddAtFlag(CLI::App& command, const std::string& description,
               std::optional<graph::TimeUs>& at_us) {
  command.add_option_function<std::string>(
      "--at",
      [&at_us](const std::string& text) {
        graph::TimeUs time_us = 0;
        if (!operators::io::ParseTime(text, operators::io::TimeUnit::kMicroseconds, time_us)) {
          throw CLI::ValidationError(
              "--at", graph::Concat("expected a time as 2026-01-31T12:00:00Z or in microseconds, ",
                                    "got ", text));
        }
        at_us = time_us;
      },
      description);
}

}  // namespace weft::deploy
