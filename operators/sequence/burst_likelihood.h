// BurstLikelihood: how unusual it is that a surprise between 0 and 1 has been so high for a while:
// HTM's anomaly likelihood (Lavin and Ahmad 2015), for any such surprise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class BurstLikelihood {
 public:
  static constexpr std::size_t kAveraged = 10;   // surprises of a mean
  static constexpr std::size_t kHistory = 8640;  // means that the distribution is fitted to
  static constexpr std::int64_t kSkipped = 50;   // of the beginning, not fitted to
  static constexpr std::int64_t kFirstFit = 150, kFitEvery = 100;
  static constexpr double kMost = 10.0;

  // -log10 of the probability of a mean as high as that of the latest surprises, at most kMost;
  // log10(2), which says nothing, before the first fit.
  double Next(double surprise);

  std::size_t bytes() const { return means_.capacity() * sizeof(float); }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Array(self.latest_, kAveraged);
    archive.Array(self.means_, kHistory);
    archive.Value(self.count_);
    archive.Value(self.next_mean_);
    archive.Value(self.mean_);
    archive.Value(self.deviation_);
    archive.Value(self.was_high_);
    if constexpr (Archive::kLoads)
      archive.Check(self.next_mean_ < kHistory && self.count_ >= 0, "a place of the history");
  }

 private:
  void Fit();

  std::vector<float> latest_;  // a ring
  std::vector<float> means_;   // a ring
  std::int64_t count_ = 0;
  std::uint64_t next_mean_ = 0;
  double mean_ = 0.0, deviation_ = 0.0;  // 0: not fitted yet
  std::uint64_t was_high_ = 0;
};

}  // namespace weft::operators::sequence
