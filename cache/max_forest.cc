#include "cache/max_forest.h"

#include <algorithm>

namespace weft::cache {

void MaxForest::Set(std::int64_t place, std::int64_t value) {
  std::int64_t node = places_ + place;
  tree_[static_cast<std::size_t>(node)] = value;
  for (node /= 2; node > 0; node /= 2) {
    const std::int64_t larger = std::max(At(2 * node), At(2 * node + 1));
    if (At(node) == larger) return;
    tree_[static_cast<std::size_t>(node)] = larger;
  }
}

std::optional<std::int64_t> MaxForest::Best(std::int64_t begin, std::int64_t end,
                                            std::int64_t& visited) const {
  std::int64_t best = kNothing;
  for (std::int64_t left = places_ + begin, right = places_ + end; left < right;
       left /= 2, right /= 2) {
    if (left % 2 == 1) best = std::max(best, At(left++));
    if (right % 2 == 1) best = std::max(best, At(--right));
    visited += 2;
  }
  if (best == kNothing) return std::nullopt;
  return FirstAtLeast(begin, end, best, visited);
}

// Climbs from the first place until a subtree on the right has such a value, then goes down in it.
std::optional<std::int64_t> MaxForest::FirstAtLeast(std::int64_t begin, std::int64_t end,
                                                    std::int64_t least,
                                                    std::int64_t& visited) const {
  if (begin >= end) return std::nullopt;
  std::int64_t node = places_ + begin;
  while (At(node) < least) {
    ++visited;
    while (node % 2 == 1) {
      node /= 2;
      ++visited;
      if (node == 0) return std::nullopt;
    }
    ++node;
  }
  while (node < places_) {
    node *= 2;
    ++visited;
    if (At(node) < least) ++node;
  }
  const std::int64_t place = node - places_;
  if (place >= end) return std::nullopt;
  return place;
}

}  // namespace weft::cache
