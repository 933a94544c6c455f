// Options of operators that are shares, permanences and the like.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "graph/operator.h"
#include "graph/text.h"

namespace weft::operators::sequence {

// Sets `share` to an option's value unless that is 0, which leaves what it is. INVALID_ARGUMENT,
// naming the field, outside [0, most].
inline absl::Status ReadShare(const graph::OpenContext& context, std::string_view field,
                              double value, double& share, double most = 1.0) {
  if (value == 0.0) return absl::OkStatus();
  if (!(value >= 0.0 && value <= most))
    return context.OptionError(field, graph::Concat("expected 0 to ", most, ", got ", value));
  share = value;
  return absl::OkStatus();
}

}  // namespace weft::operators::sequence
