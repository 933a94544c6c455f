// Discord: how unlike everything before the latest stretch of a series is: the distance to its
// nearest neighbour among all stretches of the past, exactly (left discord; the discord of Keogh,
// Lin, Fu 2005, for streams). Values are first put together in blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "operators/sequence/alike_moment.h"
#include "operators/sequence/sorted_ring.h"

namespace weft::operators::sequence {

enum class BlockValue : std::uint8_t {
  kMean,
  kExtremum,  // of a block's least and largest the one that is further from the recent mean
};

struct DiscordOptions {
  std::int32_t block = 1;  // values
  BlockValue value = BlockValue::kMean;
  bool dead_zone = false;  // blocks near the median of all count as the median
};

// Thread-compatible. Exact.
class Discord {
 public:
  static constexpr std::size_t kLength = 8;   // blocks of a stretch
  static constexpr std::size_t kRing = 4096;  // stretches remembered
  static constexpr std::size_t kFewest = 8;   // before anything is said

  explicit Discord(const DiscordOptions& options);

  // Takes a value in; `spread` is the mean absolute deviation of the series. The root mean square
  // distance of the latest stretch to its nearest neighbour; nothing within a block, and before
  // there are stretches enough. Those of the latest kLength blocks are no neighbours.
  std::optional<double> Next(double value, double spread);

  // Another regime has begun: how wide the dead zone is, and where, is told from the latest blocks.
  // Stretches stay: what comes back is known.
  void Forget();

  // The nearest neighbour of the latest stretch; nothing before there are stretches enough.
  std::optional<AlikeMoment> NearestMoment() const;

  std::int64_t block() const { return options_.block; }
  // Asks memory for what Next will look at first.
  void Prefetch() const {
    if (options_.dead_zone) all_.Prefetch();
    __builtin_prefetch(blocks_.data() + blocks_.size());
  }
  std::size_t bytes() const;

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Array(self.blocks_, 2 * kBlocks);
    archive.Value(self.in_block_);
    archive.Value(self.sum_);
    archive.Value(self.least_);
    archive.Value(self.largest_);
    archive.Value(self.recent_);
    archive.Value(self.has_recent_);
    archive.Value(self.origin_);
    archive.Value(self.has_origin_);
    archive.Value(self.low_);
    archive.Value(self.high_);
    SortedRing::VisitState(self.all_, archive);
  }

 private:
  // A stretch and all that can be a neighbour of it.
  static constexpr std::size_t kBlocks = kRing + 2 * kLength - 1;

  double TakeBlock(double spread);
  double Nearest() const;

  DiscordOptions options_;
  std::vector<float> blocks_;  // the latest, in order; less the first value of the series
  std::int64_t in_block_ = 0;
  double sum_ = 0.0, least_ = 0.0, largest_ = 0.0;
  double recent_ = 0.0;  // mean of the latest blocks, each half of those before
  std::uint64_t has_recent_ = 0;
  double origin_ = 0.0;
  std::uint64_t has_origin_ = 0;
  double low_ = 0.0, high_ = 0.0;  // of blocks
  SortedRing all_;
};

}  // namespace weft::operators::sequence
