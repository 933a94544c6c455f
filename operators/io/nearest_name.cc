#include "operators/io/nearest_name.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/ascii.h"
#include "graph/text.h"

namespace weft::operators::io {
namespace {

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view NearestName(std::string_view name, std::span<const std::string> known) {
  // Names come from files: a very long one is no misspelling of ours.
  if (name.empty() || name.size() > 64) return {};
  const std::string wanted = absl::AsciiStrToLower(std::string(name));
  std::string_view nearest;
  std::size_t best = 0;
  for (const std::string& candidate : known) {
    const std::size_t distance = EditDistance(wanted, absl::AsciiStrToLower(candidate));
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
