// SparseyNetwork: levels of Sparsey's macrocolumns. Each frame goes up through all of them; what a
// level heard from above is from the frame before.
//
// Source: Sparsey (Rinkus 2014), from its description; what was taken and what not:
// docs/sequence.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/sparsey_region.h"

namespace weft::operators::sequence {

// The lowest level first; each one's grid has the macrocolumns of the one below as its units.
struct SparseyNetworkOptions {
  std::vector<SparseyRegionOptions> levels;
  bool hears_above = false;  // cells hear the codes that the level above had the frame before
};

// Thread-compatible. Exact.
class SparseyNetwork {
 public:
  explicit SparseyNetwork(const SparseyNetworkOptions& options);

  // A single macrocolumn that looks at everything.
  static SparseyNetworkOptions OneMac(const SparseyOptions& mac);
  static double WeightBytes(const SparseyNetworkOptions& options);

  // The next frame, given the inputs that are on. `begins`: nothing came before.
  void Frame(std::span<const std::uint32_t> inputs, bool learns, bool begins = false);

  // Bits of the codes of all levels.
  std::int64_t width() const { return width_; }
  // Of the latest frame, rising: the codes of all levels, the lowest first.
  std::span<const std::uint32_t> bits() const { return bits_; }
  // The mean over the macrocolumns that saw anything; 1 if none did.
  double familiarity() const { return familiarity_; }
  std::span<const SparseyRegion> levels() const { return levels_; }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& level : self.levels_) SparseyRegion::VisitState(level, archive);
    if constexpr (Archive::kLoads) self.Collect();
  }

 private:
  void Collect();

  std::vector<SparseyRegion> levels_;
  std::vector<std::uint32_t> first_bit_;  // by level
  std::int64_t width_ = 0;
  std::vector<std::uint32_t> bits_;
  double familiarity_ = 1.0;
};

}  // namespace weft::operators::sequence
