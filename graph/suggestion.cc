#include "graph/suggestion.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/ascii.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

constexpr std::size_t kNameLengthMax = 64;

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> before_last(b.size() + 1);
  std::vector<int> last(b.size() + 1);
  std::vector<int> row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    row[0] = static_cast<int>(i) + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const int replaced = last[j] + (a[i] == b[j] ? 0 : 1);
      row[j + 1] = std::min({replaced, row[j] + 1, last[j + 1] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j]) {
        row[j + 1] = std::min(row[j + 1], before_last[j - 1] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last.back();
}

std::string DidYouMean(std::string_view name, const std::vector<std::string_view>& candidates) {
  if (name.empty() || name.size() > kNameLengthMax) return "";
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  std::string_view best;
  int best_distance = 0;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kNameLengthMax) continue;
    const int distance = EditDistance(lower, absl::AsciiStrToLower(std::string(candidate)));
    const auto longer = static_cast<int>(std::max(name.size(), candidate.size()));
    if (distance * 3 > std::max(longer, 3)) continue;
    if (best.empty() || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? "" : Concat("; did you mean \"", best, "\"?");
}

}  // namespace weft::graph
