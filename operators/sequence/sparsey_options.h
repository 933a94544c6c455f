// What the options of `sparsey` say, and the network that they make of inputs of some width.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "graph/operator.h"
#include "operators/sequence/sparsey_network.h"

namespace weft::operators::sequence {

struct SparseyLayout {
  SparseyOptions mac;              // of the lowest level
  std::int64_t picture_width = 0;  // 0: one macrocolumn looks at all inputs
  std::int64_t window = 8, window_step = 2;
  // Above the lowest. Of their grids step and window_width alone are set; 0: all.
  std::vector<SparseyRegionOptions> levels;
  bool hears_above = false;

  // Nothing if a picture of so many inputs has no whole rows, or is smaller than a window, or what
  // it takes is more than 1 GiB.
  std::optional<SparseyNetworkOptions> NetworkOf(std::int64_t inputs) const;
};

// Reads the options of context, a v1::Sparsey. INVALID_ARGUMENT, naming the field.
absl::Status ReadSparsey(const graph::OpenContext& context, SparseyLayout& layout);

}  // namespace weft::operators::sequence
