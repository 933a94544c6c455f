// "Did you mean" for the columns of files, whose names are short: more generous than
// graph/suggestion.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weft::operators::io {

// The one of `known` with the smallest edit distance to `name` (letter case apart), the first of
// equals; empty when none is nearer than half of the longer one's length.
std::string_view NearestName(std::string_view name, std::span<const std::string> known);

// " (did you mean NAME?)", or nothing.
std::string DidYouMean(std::string_view name, std::span<const std::string> known);

}  // namespace weft::operators::io
