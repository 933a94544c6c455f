// Options of operators that are numbers with bounds.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "graph/operator.h"
#include "graph/text.h"

namespace weft::graph {

// Sets `bound` to an option's value unless that is 0, which leaves what it is. INVALID_ARGUMENT,
// naming the field, outside [least, most].
template <class Bound>
absl::Status ReadBound(const OpenContext& context, std::string_view field, std::int64_t value,
                       std::int64_t least, std::int64_t most, Bound& bound) {
  if (value == 0) return absl::OkStatus();
  if (value < least || value > most)
    return context.OptionError(field, Concat("expected ", least, " to ", most, ", got ", value));
  bound = static_cast<Bound>(value);
  return absl::OkStatus();
}

}  // namespace weft::graph
