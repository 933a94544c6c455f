// SeasonFinder: after what time a series of numbers repeats itself, from how much it is like itself
// so many records ago (autocorrelation, fading). Until something else is found, that is a day.
//
// Source: our own, from the textbook autocorrelation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/calendar.h"
#include "operators/sequence/fading_mean.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact: sums have a fixed order. A record costs kLags multiply-adds.
class SeasonFinder {
 public:
  static constexpr std::size_t kLags = 1024;  // records; longer seasons are not found
  static constexpr std::int64_t kCycles = 4;  // that are seen before a season is said
  static constexpr std::int64_t kEvery = 64;  // records between looks

  SeasonFinder() : sums_(kLags) {}

  // Takes the next record in.
  void Next(graph::TimeUs time_us, double value);
  Season season() const { return season_; }
  // Whether it is another since the latest record.
  bool has_changed() const { return has_changed_; }

  std::size_t bytes() const { return (sums_.capacity() + past_.capacity()) * sizeof(float); }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Value(self.time_us_);
    archive.Value(self.step_);
    archive.Value(self.level_);
    archive.Fixed(self.sums_);
    archive.Value(self.square_);
    archive.Array(self.past_, 2 * kLags);
    archive.Value(self.season_);
    archive.Value(self.candidate_);
    archive.Value(self.agreed_);
    if constexpr (Archive::kLoads)
      archive.Check(self.season_.period_us > 0 && self.count_ >= 0, "a period above 0");
  }

 private:
  void Learn(double value);
  // Like itself so many records ago, -1 to 1.
  double LikenessAt(std::size_t lag) const;
  // That at a time ago; nothing if that is too long or has not been seen often enough.
  std::optional<double> LikenessAfter(double records) const;
  std::vector<double> Likenesses(std::size_t most) const;
  std::optional<double> FindLag() const;
  static double Refine(std::size_t lag, std::span<const double> likeness);
  bool IsBetterThanDays(double records) const;
  bool Look();
  bool TakeUp(double period);

  std::int64_t count_ = 0;
  graph::TimeUs time_us_ = 0;
  FadingMean step_;          // between records, microseconds
  FadingMean level_;         // of the values
  std::vector<float> sums_;  // of products with the value so many records ago, the longest first
  double square_ = 0.0;      // that of the value with itself
  std::vector<float> past_;  // the latest values less their level, in order
  Season season_;
  double candidate_ = 0.0;   // records after which it was last found to repeat itself
  std::int64_t agreed_ = 0;  // looks that found the same
  bool has_changed_ = false;
};

}  // namespace weft::operators::sequence
