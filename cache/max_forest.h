// MaxForest: the largest of a range of values that keep changing, in logarithmic time: a complete
// binary tree of maxima over the places of a ring (Perfetto's slice mipmap is of this kind).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace weft::cache {

class MaxForest {
 public:
  static constexpr std::int64_t kNothing = std::numeric_limits<std::int64_t>::min();

  // `places`, a power of two, each with kNothing.
  void Reset(std::int64_t places) {
    places_ = places;
    tree_.assign(2 * static_cast<std::size_t>(places), kNothing);
  }
  std::int64_t places() const { return places_; }

  std::int64_t value(std::int64_t place) const { return At(places_ + place); }
  void Set(std::int64_t place, std::int64_t value);

  // The first place in [begin, end) with the largest value, if any has one. Adds the tree's nodes
  // that were looked at to `visited`.
  std::optional<std::int64_t> Best(std::int64_t begin, std::int64_t end,
                                   std::int64_t& visited) const;
  // The first place in [begin, end) with at least `least`.
  std::optional<std::int64_t> FirstAtLeast(std::int64_t begin, std::int64_t end, std::int64_t least,
                                           std::int64_t& visited) const;

 private:
  std::int64_t At(std::int64_t node) const { return tree_[static_cast<std::size_t>(node)]; }

  std::int64_t places_ = 0;
  std::vector<std::int64_t> tree_;  // node 1 is the root, node n has the children 2n and 2n + 1
};

}  // namespace weft::cache
