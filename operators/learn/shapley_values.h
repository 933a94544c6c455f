// Shapley values (Shapley 1953): what each player of a game gets when the whole is shared by what
// each adds, in the mean over all orders in which they could come together.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace weft::operators::learn {

// `value` has 2^count entries: value[s] is what the players whose bits are in s get together. The
// result, one a player, adds up to the last less the first. Exact in the order of its sums;
// count * 2^count additions.
std::vector<double> ShapleyValues(std::size_t count, std::span<const float> value);

}  // namespace weft::operators::learn
