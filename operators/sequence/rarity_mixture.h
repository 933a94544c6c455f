// RarityMixture: what several experts say of how seldom something is, as one number: between their
// mean and the largest. What one says counts for a while.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/elementary.h"
#include "operators/sequence/expert_set.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class RarityMixture {
 public:
  explicit RarityMixture(std::size_t experts, std::size_t held = 15, double sharpness = 0.6,
                         ExpertSet without = {})
      : experts_(experts),
        records_(held),
        sharpness_(sharpness),
        without_(without),
        held_(held * experts) {}

  // Of the rarities of the next record, -log10 of how seldom each is.
  double Next(std::span<const double> rarity) {
    float* const now = held_.data() + next_ * experts_;
    for (std::size_t e = 0; e < experts_; ++e) now[e] = static_cast<float>(rarity[e]);
    if (++next_ == records_) next_ = 0;
    double sum = 0.0, count = 0.0;
    for (std::size_t e = 0; e < experts_; ++e) {
      if (without_.Has(e)) continue;
      sum += Exp(sharpness_ * Held(e));
      count += 1.0;
    }
    return count > 0.0 ? Log(sum / count) / sharpness_ : 0.0;
  }
  // What an expert holds to: the largest of the latest records that count.
  double Held(std::size_t expert) const {
    float most = 0.0f;
    for (std::size_t at = expert; at < held_.size(); at += experts_)
      most = std::max(most, held_[at]);
    return static_cast<double>(most);
  }
  std::size_t bytes() const { return held_.capacity() * sizeof(float); }

  // State to save, and to load into one made alike.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.held_);
    archive.Value(self.next_);
    if constexpr (Archive::kLoads) archive.Check(self.next_ < self.records_, "a place of the ring");
  }

 private:
  std::size_t experts_, records_;
  double sharpness_;
  ExpertSet without_;
  std::vector<float> held_;  // [records x experts], a ring
  std::uint64_t next_ = 0;
};

}  // namespace weft::operators::sequence
