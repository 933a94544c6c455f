// PeakFinder: which scores of a stream are the largest for some way around them.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace weft::cache {

// The score of what is no candidate for a peak.
inline constexpr std::int64_t kNoScore = std::numeric_limits<std::int64_t>::min();

// Scores are numbered from 0. A score is known to be a peak once `radius` more have come. Of equal
// ones the earliest is the peak.
class PeakFinder {
 public:
  explicit PeakFinder(std::int32_t radius)
      : radius_(radius), score_(2 * static_cast<std::size_t>(radius) + 1) {}

  std::int64_t size() const { return size_; }
  std::int32_t radius() const { return radius_; }
  // One of the latest 2 * radius + 1.
  std::int64_t score(std::int64_t number) const { return score_[Place(number)]; }

  void Push(std::int64_t score) {
    score_[Place(size_)] = score;
    ++size_;
  }

  // Of a score with `radius` more behind it, or all that there will be.
  bool IsPeak(std::int64_t number) const {
    const std::int64_t own = score(number);
    for (std::int64_t i = number < radius_ ? 0 : number - radius_; i < number; ++i)
      if (score(i) >= own) return false;
    const std::int64_t end = size_ < number + radius_ + 1 ? size_ : number + radius_ + 1;
    for (std::int64_t i = number + 1; i < end; ++i)
      if (score(i) > own) return false;
    return true;
  }

  // State to save, and to load into a finder with the same radius.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.size_);
    archive.Fixed(self.score_);
    if constexpr (Archive::kLoads) archive.Check(self.size_ >= 0, "a count of scores");
  }

 private:
  std::size_t Place(std::int64_t number) const {
    return static_cast<std::size_t>(number) % score_.size();
  }

  std::int32_t radius_;
  std::int64_t size_ = 0;
  std::vector<std::int64_t> score_;
};

}  // namespace weft::cache
