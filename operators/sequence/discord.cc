#include "operators/sequence/discord.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gpu/host_device.h"

namespace weft::operators::sequence {
namespace {

constexpr std::size_t kFewestBlocks = Discord::kFewest + 2 * Discord::kLength - 1;

}  // namespace

Discord::Discord(const DiscordOptions& options)
    : options_(options), all_(options.dead_zone ? kRing : 0) {}

std::size_t Discord::bytes() const { return blocks_.capacity() * sizeof(float) + all_.bytes(); }

double Discord::TakeBlock(double spread) {
  constexpr double kNearMean = 0.02, kDeadZone = 0.075;
  const double mean = sum_ / static_cast<double>(options_.block);
  double value = mean;
  if (options_.value == BlockValue::kExtremum) {
    recent_ = has_recent_ != 0 ? 0.5 * (recent_ + mean) : mean;
    has_recent_ = 1;
    const double far =
        std::abs(least_ - recent_) > std::abs(largest_ - recent_) ? least_ : largest_;
    if (std::abs(far - mean) > kNearMean * spread) value = far;
  }
  if (!options_.dead_zone) return value;
  const bool first = all_.size() == 0;
  low_ = first ? value : std::min(low_, value);
  high_ = first ? value : std::max(high_, value);
  all_.Add(static_cast<float>(value));
  const auto median = static_cast<double>(all_.median());
  return std::abs(value - median) < kDeadZone * (high_ - low_) ? median : value;
}

std::optional<double> Discord::Next(double value, double spread) {
  if (has_origin_ == 0) origin_ = value;
  has_origin_ = 1;
  value -= origin_;
  least_ = in_block_ == 0 ? value : std::min(least_, value);
  largest_ = in_block_ == 0 ? value : std::max(largest_, value);
  sum_ = in_block_ == 0 ? value : sum_ + value;
  if (++in_block_ < options_.block) return std::nullopt;
  in_block_ = 0;
  if (blocks_.size() == 2 * kBlocks)
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(kBlocks));
  blocks_.push_back(static_cast<float>(TakeBlock(spread)));
  if (blocks_.size() < kFewestBlocks) return std::nullopt;
  return Nearest();
}

void Discord::Forget() {
  constexpr std::size_t kLately = 40;
  if (all_.size() == 0) return;
  all_.KeepLatest(kLately);
  low_ = static_cast<double>(all_.At(0));
  high_ = static_cast<double>(all_.At(all_.size() - 1));
}

std::optional<AlikeMoment> Discord::NearestMoment() const {
  if (blocks_.size() < kFewestBlocks) return std::nullopt;
  const float* const query = blocks_.data() + blocks_.size() - kLength;
  const std::size_t neighbors = std::min(kRing, blocks_.size() - 2 * kLength + 1);
  float least = std::numeric_limits<float>::infinity();
  std::size_t blocks_ago = 0;
  for (std::size_t n = 0; n < neighbors; ++n) {
    const float* const at = query - kLength - n;
    float sum = 0.0f;
    for (std::size_t k = 0; k < kLength; ++k)
      sum = gpu::Fma(query[k] - at[k], query[k] - at[k], sum);
    if (sum >= least) continue;
    least = sum;
    blocks_ago = kLength + n;
  }
  return AlikeMoment{static_cast<std::int64_t>(blocks_ago) * options_.block,
                     std::sqrt(static_cast<double>(least) / static_cast<double>(kLength))};
}

double Discord::Nearest() const {
  const float* const query = blocks_.data() + blocks_.size() - kLength;
  // The latest neighbour ends kLength blocks before the stretch does.
  const std::size_t neighbors = std::min(kRing, blocks_.size() - 2 * kLength + 1);
  const float* const first = query - kLength - (neighbors - 1);
  float q[kLength];
  std::copy_n(query, kLength, q);
  constexpr std::size_t kLanes = 16;
  float nearest[kLanes];
  std::fill_n(nearest, kLanes, std::numeric_limits<float>::infinity());
  const auto distance = [&q](const float* at) {
    float sum = 0.0f;
    for (std::size_t k = 0; k < kLength; ++k) {
      const float apart = q[k] - at[k];
      sum = gpu::Fma(apart, apart, sum);
    }
    return sum;
  };
  std::size_t n = 0;
  for (; n + kLanes <= neighbors; n += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) {
      const float sum = distance(first + n + l);
      nearest[l] = sum < nearest[l] ? sum : nearest[l];
    }
  for (; n < neighbors; ++n) nearest[0] = std::min(nearest[0], distance(first + n));
  const float least = *std::min_element(nearest, nearest + kLanes);
  return std::sqrt(static_cast<double>(least) / static_cast<double>(kLength));
}

}  // namespace weft::operators::sequence
