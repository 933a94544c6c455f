// How long the lists of answers are: when a request does not say, and at most.
#pragma once

#include <cstdint>

namespace weft::rpc {

inline constexpr std::int64_t kListDefault = 1000, kListMax = 10'000;
// Of the best of something.
inline constexpr int kTopDefault = 10, kTopMax = 1000;
// Names said of an episode.
inline constexpr int kListNames = 3;

}  // namespace weft::rpc
