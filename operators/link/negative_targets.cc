#include "operators/link/negative_targets.h"

#include <algorithm>

#include "gpu/host_device.h"

namespace weft::operators::link {

NegativeTargets::NegativeTargets(const graph::EventBatch& all) : all_(all) {
  facts_.reserve(all.source.size());
  for (std::size_t i = 0; i < all.source.size(); ++i) {
    facts_.push_back({all.time_us[i], all.source[i], all.target[i]});
  }
  std::sort(facts_.begin(), facts_.end());
}

void NegativeTargets::AddTarget(graph::NodeId target) {
  if (in_pool_.size() <= target) in_pool_.resize(std::size_t{target} + 1, false);
  if (in_pool_[target]) return;
  in_pool_[target] = true;
  pool_.push_back(target);
}

void NegativeTargets::AddTargets(std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) AddTarget(all_.target[static_cast<std::size_t>(i)]);
}

bool NegativeTargets::Happened(std::int64_t index, graph::NodeId target) const {
  const auto row = static_cast<std::size_t>(index);
  return std::binary_search(facts_.begin(), facts_.end(),
                            Fact{all_.time_us[row], all_.source[row], target});
}

graph::NodeId NegativeTargets::Draw(std::uint64_t seed, std::int64_t index,
                                    std::int64_t pool_size) const {
  constexpr std::uint64_t kTries = 32;
  const auto choices = static_cast<std::uint64_t>(pool_size);
  if (choices == 0) return graph::kNoNode;
  std::uint64_t place = 0;
  for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
    place = gpu::CounterHash(seed, static_cast<std::uint64_t>(index), attempt) % choices;
    if (!Happened(index, pool_[place])) return pool_[place];
  }
  // Nearly everything happened at this moment: the next one in the pool that did not.
  for (std::uint64_t step = 1; step <= choices; ++step) {
    const graph::NodeId target = pool_[(place + step) % choices];
    if (!Happened(index, target)) return target;
  }
  return graph::kNoNode;
}

}  // namespace weft::operators::link
