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

bool NegativeTargets::Happened(const Fact& fact) const {
  return std::binary_search(facts_.begin(), facts_.end(), fact);
}

graph::NodeId NegativeTargets::Draw(std::uint64_t seed, std::int64_t index,
                                    std::int64_t pool_size) const {
  constexpr std::uint64_t kTries = 32;
  const auto choices = static_cast<std::uint64_t>(pool_size);
  if (choices == 0) return graph::kNoNode;
  const auto row = static_cast<std::size_t>(index);
  Fact fact{all_.time_us[row], all_.source[row], graph::kNoNode};
  std::uint64_t place = 0;
  for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
    place = gpu::CounterHash(seed, static_cast<std::uint64_t>(index), attempt) % choices;
    fact.target = pool_[place];
    if (!Happened(fact)) return fact.target;
  }
  // Nearly everything happened at this moment: the next one in the pool that did not.
  for (std::uint64_t step = 1; step <= choices; ++step) {
    fact.target = pool_[(place + step) % choices];
    if (!Happened(fact)) return fact.target;
  }
  return graph::kNoNode;
}

}  // namespace weft::operators::link
