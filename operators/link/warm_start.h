// The weights that the program comes with, so that a service predicts from its first events. Made
// by weft train links A.csv B.csv ... --out operators/link/warm_start.weft
// from the sets that weft.md names, and built into the program from that file.
#pragma once

#include <string_view>

namespace weft::operators::link {

// A model file of `weft`.
std::string_view WarmStartModel();

}  // namespace weft::operators::link
