#include "operators/sequence/sparsey_network.h"

namespace weft::operators::sequence {
namespace {

// What a level hears from, null if from nothing.
const SparseyRegionOptions* AboveOf(const SparseyNetworkOptions& options, std::size_t level) {
  const bool hears = options.hears_above && level + 1 < options.levels.size();
  return hears ? &options.levels[level + 1] : nullptr;
}

}  // namespace

SparseyNetworkOptions SparseyNetwork::OneMac(const SparseyOptions& mac) {
  const WindowGrid all{
      .width = mac.inputs, .height = 1, .window_width = mac.inputs, .window_height = 1};
  return {.levels = {{.grid = all, .mac = mac}}};
}

double SparseyNetwork::WeightBytes(const SparseyNetworkOptions& options) {
  double bytes = 0.0;
  for (std::size_t l = 0; l < options.levels.size(); ++l)
    bytes += SparseyRegion::WeightBytes(options.levels[l], AboveOf(options, l));
  return bytes;
}

SparseyNetwork::SparseyNetwork(const SparseyNetworkOptions& options) {
  for (std::size_t l = 0; l < options.levels.size(); ++l) {
    levels_.emplace_back(options.levels[l], AboveOf(options, l));
    first_bit_.push_back(static_cast<std::uint32_t>(width_));
    width_ += SparseyRegion::WidthOf(options.levels[l]);
  }
}

void SparseyNetwork::Frame(std::span<const std::uint32_t> inputs, bool learns, bool begins) {
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    const auto below = l == 0 ? inputs : levels_[l - 1].bits();
    // Those above have not seen this frame yet.
    const auto above = begins || l + 1 == levels_.size() ? std::span<const std::uint32_t>()
                                                         : levels_[l + 1].bits();
    levels_[l].Frame(below, above, learns, begins);
  }
  Collect();
}

void SparseyNetwork::Collect() {
  bits_.clear();
  double sum = 0.0, active = 0.0;
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    for (const std::uint32_t bit : levels_[l].bits()) bits_.push_back(first_bit_[l] + bit);
    sum += levels_[l].familiarity_sum();
    active += static_cast<double>(levels_[l].active_count());
  }
  familiarity_ = active > 0.0 ? sum / active : 1.0;
}

}  // namespace weft::operators::sequence
