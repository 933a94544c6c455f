// Suggestions for misspelt names in error messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft::graph {

// Levenshtein distance with swaps: how many single characters must be inserted, deleted, replaced
// or swapped with their neighbour.
int EditDistance(std::string_view a, std::string_view b);

// `; did you mean "x"?` with the nearest of `candidates`, or nothing when none is near (more than a
// third of its characters would change). Ties go to the first. Names longer than 64 characters get
// no suggestion.
std::string DidYouMean(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace weft::graph
