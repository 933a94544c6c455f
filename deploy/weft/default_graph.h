// The graph that `weft serve` runs unless told otherwise: deploy/graphs/service.pbtxt, as it was
// when the program was built.
#pragma once

#include <string_view>

namespace weft::deploy {

extern const std::string_view kDefaultGraph;

}  // namespace weft::deploy
