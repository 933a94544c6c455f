#include "cache/mix_affinity.h"

#include <algorithm>
#include <cmath>

#include "cache/pair_list.h"
#include "gpu/memory.h"

namespace weft::cache {

MixAffinity::MixAffinity(std::span<const std::uint64_t> pairs, const gpu::Exec& exec)
    : exec_(exec),
      wanted_(kPairSlots, gpu::MemoryOf(exec)),
      root_(static_cast<std::int64_t>(kTabledRoots), gpu::MemoryOf(exec)) {
  double all = 0.0;
  for (const std::uint64_t n : pairs) all += static_cast<double>(n);
  for (std::size_t slot = 0; slot < pairs.size() && all > 0.0; ++slot)
    wanted_[static_cast<std::int64_t>(slot)] =
        static_cast<float>(std::sqrt(static_cast<double>(pairs[slot]) / all));
  for (std::int64_t n = 0; n < root_.size(); ++n) root_[n] = std::sqrt(static_cast<float>(n));
}

void MixAffinity::Of(const EpisodeRing& ring, std::int64_t begin, std::span<float> affinity) const {
  const auto count = static_cast<std::int64_t>(affinity.size());
  gpu::Buffer<float> found(count, gpu::MemoryOf(exec_));
  const AffinityArguments arguments{
      .episodes = ring.episodes().data(),
      .episode_places = static_cast<std::int64_t>(ring.episodes().size()),
      .words = ring.words().data(),
      .word_places = static_cast<std::uint64_t>(ring.words().size()),
      .wanted = wanted_.data(),
      .root = root_.data(),
      .first = begin,
      .affinity = found.data()};
  std::visit([&](const auto& exec) { MixAffinityOn(exec, count, arguments); }, exec_);
  gpu::Synchronize(exec_);
  std::ranges::copy(found.span(), affinity.begin());
}

}  // namespace weft::cache
