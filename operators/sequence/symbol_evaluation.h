// How well the next symbol of a stream is predicted by a temporal memory that learns as it goes
// (`weft eval symbols`): each symbol is a random sparse code, and what is predicted is what
// overlaps the predicted columns most.
#pragma once

#include <cstdint>
#include <vector>

namespace weft::operators::sequence {

struct SymbolRow {
  std::int64_t symbol = 0;
  std::int64_t target = -1;  // the next one; not scored if below 0
};

struct SymbolOptions {
  std::int64_t predictions = 1;  // symbols that may be named
  std::uint64_t seed = 0;
  std::int64_t kill_at = -1;  // row before which cells die and learning ends; below 0: never
  double kill_share = 0.0;    // of all cells
};

struct SymbolResult {
  struct Part {
    std::int64_t scored = 0, right = 0;
  };
  std::vector<Part> parts;  // of 1,000 rows each
  std::int64_t segments = 0, synapses = 0;
};

SymbolResult EvaluateSymbols(const std::vector<SymbolRow>& rows, const SymbolOptions& options);

}  // namespace weft::operators::sequence
