#include "operators/io/nearest_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "graph/suggestion.h"
#include "graph/text.h"

namespace weft::operators::io {
std::string_view NearestName(std::string_view name, std::span<const std::string> known) {
  // Names come from files: a very long one is no misspelling of ours.
  if (name.empty() || name.size() > 64) return {};
  const std::string wanted = absl::AsciiStrToLower(std::string(name));
  std::string_view nearest;
  std::size_t best = 0;
  for (const std::string& candidate : known) {
    const auto distance =
        static_cast<std::size_t>(graph::EditDistance(wanted, absl::AsciiStrToLower(candidate)));
    if (2 * distance > std::max(wanted.size(), candidate.size())) continue;
    if (nearest.empty() || distance < best) {
      nearest = candidate;
      best = distance;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string> known) {
  const std::string_view nearest = NearestName(name, known);
  return nearest.empty() ? std::string()
                         : graph::Concat(" (did you mean ", std::string(nearest), "?)");
}

}  // namespace weft::operators::io
