#include "operators/sequence/symbol_evaluation.h"

#include <algorithm>
#include <unordered_map>

#include "operators/sequence/encoders.h"
#include "operators/sequence/temporal_memory.h"

namespace weft::operators::sequence {
namespace {

constexpr std::int64_t kPart = 1000;
constexpr std::int64_t kColumns = 2048, kActive = 41;

// Codes of symbols, and which of those so far a set of columns is most like.
class Codebook {
 public:
  explicit Codebook(std::uint64_t seed)
      : encoder_({.bits = kColumns, .active = kActive, .seed = seed}), symbols_of_(kColumns) {}

  // Valid until the next one.
  const SparseBits& CodeOf(std::int64_t symbol) {
    code_.size = 0;
    code_.bits.clear();
    encoder_.Encode(static_cast<std::uint64_t>(symbol), code_);
    const auto [at, is_new] = place_.try_emplace(symbol, static_cast<std::uint32_t>(place_.size()));
    if (is_new)
      for (const std::uint32_t bit : code_.bits) symbols_of_[bit].push_back(at->second);
    return code_;
  }

  // Whether a symbol is among the `most` that overlap the columns most; none overlaps nothing.
  bool IsAmongBest(std::span<const std::uint32_t> columns, std::int64_t symbol, std::int64_t most) {
    overlap_.assign(place_.size(), 0);
    for (const std::uint32_t column : columns)
      for (const std::uint32_t place : symbols_of_[column]) ++overlap_[place];
    const auto found = place_.find(symbol);
    if (found == place_.end() || overlap_[found->second] == 0) return false;
    const std::int32_t wanted = overlap_[found->second];
    // Of equal ones the first that came.
    std::int64_t better = 0;
    for (std::size_t i = 0; i < overlap_.size(); ++i)
      better += overlap_[i] > wanted || (overlap_[i] == wanted && i < found->second) ? 1 : 0;
    return better < most;
  }

 private:
  CategoryEncoder encoder_;
  std::unordered_map<std::int64_t, std::uint32_t> place_;
  SparseBits code_;
  std::vector<std::vector<std::uint32_t>> symbols_of_;  // by column
  std::vector<std::int32_t> overlap_;
};

}  // namespace

SymbolResult EvaluateSymbols(const std::vector<SymbolRow>& rows, const SymbolOptions& options) {
  const bool kills = options.kill_at >= 0;
  TemporalMemory memory({.activation_threshold = 15,
                         .min_threshold = 15,
                         .predicted_decrement = kills ? 0.01 : 0.02,
                         .max_new_synapses = kills ? 36 : 32,
                         .seed = options.seed + 1960});
  Codebook codes(options.seed);
  SymbolResult result;
  bool learns = true;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::int64_t>(i) == options.kill_at) {
      const auto count =
          static_cast<std::int64_t>(options.kill_share * static_cast<double>(memory.cell_count()));
      memory.Kill(RandomBits(memory.cell_count(), count, options.seed + 7).bits);
      learns = false;
    }
    memory.Step(codes.CodeOf(rows[i].symbol).bits, learns);
    const std::size_t part = i / kPart;
    if (result.parts.size() <= part) result.parts.resize(part + 1);
    if (rows[i].target < 0) continue;
    ++result.parts[part].scored;
    if (codes.IsAmongBest(memory.predicted_columns(), rows[i].target, options.predictions))
      ++result.parts[part].right;
  }
  result.segments = memory.segments().segment_count();
  result.synapses = memory.segments().synapse_count();
  return result;
}

}  // namespace weft::operators::sequence
