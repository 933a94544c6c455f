#include "operators/sequence/sparsey_region.h"

#include <algorithm>

namespace weft::operators::sequence {
namespace {

std::int64_t CodeBits(const SparseyRegionOptions& options) {
  return std::int64_t{options.mac.modules} * options.mac.cells;
}

// By macrocolumn, those above that look at it, with the places of their windows turned into places
// among what it hears from above.
std::vector<std::vector<WindowGrid::Place>> FromAbove(const SparseyRegionOptions& above,
                                                      std::vector<std::int64_t>& parents) {
  std::vector<std::vector<WindowGrid::Place>> to(static_cast<std::size_t>(above.grid.count()));
  const auto places = above.grid.PlacesOfUnits();
  for (std::size_t mac = 0; mac < places.size(); ++mac)
    for (const WindowGrid::Place& place : places[mac])
      to[static_cast<std::size_t>(place.window)].push_back(
          {static_cast<std::int64_t>(mac), parents[mac]++});
  return to;
}

}  // namespace

std::vector<std::vector<WindowGrid::Place>> WindowGrid::PlacesOfUnits() const {
  std::vector<std::vector<Place>> places(static_cast<std::size_t>(width * height));
  for (std::int64_t row = 0; row < rows(); ++row)
    for (std::int64_t column = 0; column < columns(); ++column)
      for (std::int64_t y = 0; y < window_height; ++y)
        for (std::int64_t x = 0; x < window_width; ++x)
          places[static_cast<std::size_t>((row * step + y) * width + column * step + x)].push_back(
              {row * columns() + column, y * window_width + x});
  return places;
}

SparseyOptions SparseyRegion::MacOf(const SparseyRegionOptions& options,
                                    const SparseyRegionOptions* above, std::int64_t parents) {
  SparseyOptions mac = options.mac;
  mac.inputs = options.grid.window_size() * options.unit_bits;
  mac.above = above == nullptr ? 0 : parents * CodeBits(*above);
  return mac;
}

double SparseyRegion::WeightBytes(const SparseyRegionOptions& options,
                                  const SparseyRegionOptions* above) {
  const auto cells = static_cast<double>(CodeBits(options));
  const double past = options.mac.has_past ? cells : 0.0;
  const auto macs = static_cast<double>(options.grid.count());
  double bytes =
      macs * cells * (static_cast<double>(options.grid.window_size() * options.unit_bits) + past);
  if (above != nullptr)
    bytes += cells * static_cast<double>(CodeBits(*above)) *
             static_cast<double>(above->grid.count() * above->grid.window_size());
  return bytes;
}

SparseyRegion::SparseyRegion(const SparseyRegionOptions& options, const SparseyRegionOptions* above)
    : options_(options), below_to_(options.grid.PlacesOfUnits()) {
  const auto count = static_cast<std::size_t>(options.grid.count());
  std::vector<std::int64_t> parents(count);
  if (above != nullptr) {
    above_bits_ = CodeBits(*above);
    above_to_ = FromAbove(*above, parents);
  }
  for (std::size_t mac = 0; mac < count; ++mac) {
    SparseyOptions one = MacOf(options, above, parents[mac]);
    one.seed += 97 * mac;
    macs_.emplace_back(one);
  }
  held_.resize(count);
  inputs_.resize(count);
  above_.resize(count);
}

bool SparseyRegion::IsWhole(const SparseyCode& code) const {
  const auto modules = static_cast<std::size_t>(options_.mac.modules);
  return (code.winner.empty() || code.winner.size() == modules) &&
         std::ranges::all_of(code.winner,
                             [this](std::uint16_t winner) { return winner < options_.mac.cells; });
}

void SparseyRegion::Distribute(std::span<const std::uint32_t> bits, std::int64_t unit_bits,
                               const std::vector<std::vector<WindowGrid::Place>>& places,
                               std::vector<std::vector<std::uint32_t>>& to) const {
  for (auto& one : to) one.clear();
  for (const std::uint32_t bit : bits) {
    const auto unit = static_cast<std::size_t>(bit / unit_bits);
    for (const WindowGrid::Place& place : places[unit])
      to[static_cast<std::size_t>(place.window)].push_back(
          static_cast<std::uint32_t>(place.place * unit_bits + bit % unit_bits));
  }
}

void SparseyRegion::Frame(std::span<const std::uint32_t> inputs,
                          std::span<const std::uint32_t> above, bool learns, bool begins) {
  Distribute(inputs, options_.unit_bits, below_to_, inputs_);
  if (above_bits_ > 0) Distribute(above, above_bits_, above_to_, above_);
  for (std::size_t mac = 0; mac < macs_.size(); ++mac) {
    Held& held = held_[mac];
    if (!begins && held.left > 0) {
      --held.left;
      continue;
    }
    held = {};
    if (inputs_[mac].empty()) {
      macs_[mac].Rest();
      continue;
    }
    held.code = macs_[mac].Frame(inputs_[mac], learns, begins, above_[mac]);
    held.left = options_.persistence - 1;
  }
  Collect();
}

void SparseyRegion::Collect() {
  const auto cells = static_cast<std::uint32_t>(options_.mac.cells);
  const auto modules = static_cast<std::uint32_t>(options_.mac.modules);
  bits_.clear();
  active_count_ = 0;
  familiarity_sum_ = 0.0;
  for (std::size_t mac = 0; mac < held_.size(); ++mac) {
    const SparseyCode& code = held_[mac].code;
    if (code.winner.empty()) continue;
    ++active_count_;
    familiarity_sum_ += code.familiarity;
    const auto first = static_cast<std::uint32_t>(mac) * modules;
    for (std::uint32_t m = 0; m < modules; ++m)
      bits_.push_back((first + m) * cells + code.winner[m]);
  }
}

}  // namespace weft::operators::sequence
