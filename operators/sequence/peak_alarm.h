// PeakAlarm: of scores that stay high for a while, the moments that are worth a look: one peak an
// event.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weft::operators::sequence {

// After an alarm nothing more is said for a while, which grows with the series' age, unless a score
// is much higher than the one before. Thread-compatible. Exact.
class PeakAlarm {
 public:
  // Scores up to `least` are no alarms.
  explicit PeakAlarm(double least) : least_(least) {}

  // The score of the next record where it peaks anew, else 0.
  double Next(double score) {
    constexpr double kOfAge = 0.05, kShortest = 20.0, kLongest = 150.0, kMuchHigher = 1.6;
    const std::int64_t now = count_++;
    if (score <= least_) return 0.0;
    const double quiet = std::clamp(kOfAge * static_cast<double>(now), kShortest, kLongest);
    const bool is_over = static_cast<double>(now - last_at_) >= quiet;
    if (!is_over && score <= kMuchHigher * last_) return 0.0;
    last_ = is_over ? score : std::max(last_, score);
    last_at_ = now;
    return score;
  }

  // State to save, and to load into one that has the same least score.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Value(self.last_);
    archive.Value(self.last_at_);
  }

 private:
  double least_;
  std::int64_t count_ = 0;
  double last_ = 0.0;
  std::int64_t last_at_ = -1'000'000;
};

}  // namespace weft::operators::sequence
