// SortedRing: the latest values of a stream, also in order of size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::sequence {

// Values are numbers, not NaN. Thread-compatible.
class SortedRing {
 public:
  explicit SortedRing(std::size_t most) : most_(most) {}

  // The oldest goes if there are as many as may be. A move of half of the values in the mean.
  void Add(float value) {
    if (ring_.size() < most_) {
      ring_.push_back(value);
      sorted_.insert(std::ranges::upper_bound(sorted_, value), value);
      return;
    }
    const float gone = ring_[next_];
    ring_[next_] = value;
    next_ = (next_ + 1) % most_;
    // One move of what lies between the two.
    const auto from = std::ranges::lower_bound(sorted_, gone);
    const auto to = std::ranges::upper_bound(sorted_, value);
    if (from < to) {
      std::move(from + 1, to, from);
      *(to - 1) = value;
    } else {
      std::move_backward(to, from, from + 1);
      *to = value;
    }
  }

  // Only the latest `count` stay.
  void KeepLatest(std::size_t count) {
    if (count >= ring_.size()) return;
    std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(next_), ring_.end());
    ring_.erase(ring_.begin(), ring_.end() - static_cast<std::ptrdiff_t>(count));
    next_ = 0;
    sorted_ = ring_;
    std::ranges::sort(sorted_);
  }

  std::size_t size() const { return sorted_.size(); }
  std::span<const float> sorted() const { return sorted_; }
  float median() const { return sorted_[sorted_.size() / 2]; }
  std::size_t CountAtLeast(float value) const {
    return static_cast<std::size_t>(sorted_.end() - std::ranges::lower_bound(sorted_, value));
  }
  std::size_t bytes() const { return (ring_.capacity() + sorted_.capacity()) * sizeof(float); }

  // State to save, and to load into a ring of the same size.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.next_);
    archive.Array(self.ring_, self.most_);
    if constexpr (Archive::kLoads) {
      archive.Check(self.next_ < std::max<std::size_t>(self.ring_.size(), 1),
                    "a place of the ring");
      self.sorted_ = self.ring_;
      std::ranges::sort(self.sorted_);
    }
  }

 private:
  std::size_t most_;
  std::vector<float> ring_, sorted_;
  std::uint64_t next_ = 0;
};

}  // namespace weft::operators::sequence
