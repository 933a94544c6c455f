// The version of the program: that of the CMake project.
#pragma once

#include <string_view>

namespace weft::rpc {

inline constexpr std::string_view kVersion = WEFT_VERSION;

}  // namespace weft::rpc
