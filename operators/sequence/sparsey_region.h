// SparseyRegion: a level of Sparsey: macrocolumns side by side, each over a window of the level
// below. The lowest level's units are the bits of a picture, a higher level's the macrocolumns of
// the one below.
//
// Source: Sparsey (Rinkus 2014), from its description.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "operators/sequence/sparsey_mac.h"

namespace weft::operators::sequence {

// Windows of equal size over a rectangle of units, row by row; those that fit, `step` apart.
struct WindowGrid {
  std::int64_t width = 0, height = 0;  // of the rectangle
  std::int64_t window_width = 0, window_height = 0;
  std::int64_t step = 1;

  // Whether one window fits at all.
  bool has_windows() const { return width >= window_width && height >= window_height; }
  std::int64_t columns() const { return (width - window_width) / step + 1; }
  std::int64_t rows() const { return (height - window_height) / step + 1; }
  std::int64_t count() const { return columns() * rows(); }
  std::int64_t window_size() const { return window_width * window_height; }
  // Of each unit the windows that it lies in, and its place in them.
  struct Place {
    std::int64_t window = 0, place = 0;
  };
  std::vector<std::vector<Place>> PlacesOfUnits() const;
};

struct SparseyRegionOptions {
  WindowGrid grid;
  std::int64_t unit_bits = 1;
  std::int64_t persistence = 1;  // frames for which a code stays
  // Its inputs and what it hears from above follow from the grids; the first one's seed.
  SparseyOptions mac;
};

// Thread-compatible. Exact.
class SparseyRegion {
 public:
  // `above`: the level above, whose units are these macrocolumns and of whose codes of the frame
  // before they are to hear; null: of none.
  SparseyRegion(const SparseyRegionOptions& options, const SparseyRegionOptions* above);

  // Bits of a region's code.
  static std::int64_t WidthOf(const SparseyRegionOptions& options) {
    return options.grid.count() * options.mac.modules * options.mac.cells;
  }
  // Bytes of a region's weights; `above` as for the constructor.
  static double WeightBytes(const SparseyRegionOptions& options, const SparseyRegionOptions* above);

  // The next frame: bits of the level below and of the level above that are on, rising. A
  // macrocolumn whose window is empty has no code.
  void Frame(std::span<const std::uint32_t> inputs, std::span<const std::uint32_t> above,
             bool learns, bool begins);

  // Of the latest frame, rising: a winner of each module of each macrocolumn that has a code.
  std::span<const std::uint32_t> bits() const { return bits_; }
  // Macrocolumns that have one, and the sum of how familiar what they saw was to them.
  std::int64_t active_count() const { return active_count_; }
  double familiarity_sum() const { return familiarity_sum_; }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& mac : self.macs_) SparseyMac::VisitState(mac, archive);
    for (auto& held : self.held_) {
      archive.Value(held.left);
      archive.Value(held.code.familiarity);
      archive.Array(held.code.winner, static_cast<std::uint64_t>(self.options_.mac.modules));
      if constexpr (Archive::kLoads) archive.Check(self.IsWhole(held.code), "winners of modules");
    }
    if constexpr (Archive::kLoads) self.Collect();
  }

 private:
  // The code that a macrocolumn has, and for how many frames more.
  struct Held {
    SparseyCode code;
    std::int64_t left = 0;
  };

  static SparseyOptions MacOf(const SparseyRegionOptions& options,
                              const SparseyRegionOptions* above, std::int64_t parents);
  bool IsWhole(const SparseyCode& code) const;
  void Distribute(std::span<const std::uint32_t> bits, std::int64_t unit_bits,
                  const std::vector<std::vector<WindowGrid::Place>>& places,
                  std::vector<std::vector<std::uint32_t>>& to) const;
  void Collect();

  SparseyRegionOptions options_;
  std::int64_t above_bits_ = 0;  // of a macrocolumn above
  std::vector<SparseyMac> macs_;
  std::vector<Held> held_;
  // Of each unit below, and of each macrocolumn above, which macrocolumns it goes to.
  std::vector<std::vector<WindowGrid::Place>> below_to_, above_to_;
  std::vector<std::vector<std::uint32_t>> inputs_, above_;  // by macrocolumn
  std::vector<std::uint32_t> bits_;
  std::int64_t active_count_ = 0;
  double familiarity_sum_ = 0.0;
};

}  // namespace weft::operators::sequence
