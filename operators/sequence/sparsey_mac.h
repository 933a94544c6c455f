// SparseyMac: a macrocolumn that stores sequences of sparse codes in single trials: competitive
// modules of binary cells, one winner each. How familiar an input is decides how much chance has a
// say: what is known gets its code back, what is new a new code, and like inputs get like codes.
//
// Source: Sparsey (Rinkus 2010, 2014), from its description; what is implemented of it:
// docs/sequence.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::sequence {

// How evidence becomes the chance to win.
enum class SparseySigmoid : std::uint8_t {
  kGraded,  // gentle: codes of like inputs overlap by how alike they are
  kSteep,   // a stored input gets its whole code back, also while learning
};

struct SparseyOptions {
  std::int64_t inputs = 0;
  std::int32_t modules = 25;  // competitive modules, one winner each
  std::int32_t cells = 9;     // of a module
  bool has_past = false;      // cells also hear the code of the frame before
  std::int64_t above = 0;     // bits from the level above, of the frame before, that they hear
  // While recognising, does without the past, or what is above, or both, if with all of them less
  // is familiar than `back_off`.
  bool backs_off = false;
  double back_off = 0.9;
  std::int32_t exponent = 1;  // of the evidence
  SparseySigmoid sigmoid = SparseySigmoid::kGraded;
  double saturation = 1.0;  // share of a cell's inputs after which it learns no more
  std::uint64_t seed = 1;
};

struct SparseyCode {
  std::vector<std::uint16_t> winner;  // of each module
  double familiarity = 0.0;           // G, 0 to 1
};

// Share of the modules whose winners are the same.
double SameWinners(const SparseyCode& one, const SparseyCode& other);

// Thread-compatible. Exact: sums are integers, draws depend on the seed and the frame alone. The
// cost of a frame does not depend on how much is stored.
class SparseyMac {
 public:
  explicit SparseyMac(const SparseyOptions& options);

  // The code of a frame, given the inputs and the bits above that are on. Learning draws it and
  // stores it; recognising takes the best winners. `begins`: nothing came before.
  SparseyCode Frame(std::span<const std::uint32_t> inputs, bool learns, bool begins = false,
                    std::span<const std::uint32_t> above = {});
  // A frame without inputs has no code.
  void Rest() { past_.clear(); }

  std::int64_t cell_count() const { return std::int64_t{options_.modules} * options_.cells; }
  // Of the weights from inputs, those that are set.
  double density() const;
  // Cells that learn no more from inputs.
  std::int64_t frozen_count() const;
  std::size_t bytes() const { return weight_.size() + past_weight_.size() + above_weight_.size(); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.frame_);
    archive.Fixed(self.weight_);
    archive.Fixed(self.past_weight_);
    archive.Fixed(self.above_weight_);
    archive.Fixed(self.set_);
    archive.Array(self.past_, static_cast<std::uint64_t>(self.options_.modules));
    if constexpr (Archive::kLoads) archive.Check(self.IsWhole(), "winners of modules");
  }

 private:
  bool IsWhole() const;
  // Evidence of each cell, from 0 to 1.
  void Weigh(std::span<const std::uint32_t> sources, const std::vector<std::uint8_t>& weight,
             std::vector<float>& evidence) const;
  double FamiliarityOf(const std::vector<float>& evidence) const;
  std::uint16_t Draw(std::int32_t module, double familiarity) const;
  std::uint16_t Best(std::int32_t module) const;
  // Makes evidence_ that of the inputs and as much else as is familiar.
  void Gather(std::span<const std::uint32_t> above, bool learns);
  void Store(std::span<const std::uint32_t> inputs, std::span<const std::uint32_t> above,
             const SparseyCode& code);

  SparseyOptions options_;
  std::uint64_t frame_ = 0;
  std::vector<std::uint8_t> weight_;        // [inputs x cells]
  std::vector<std::uint8_t> past_weight_;   // [cells x cells]
  std::vector<std::uint8_t> above_weight_;  // [above x cells]
  std::vector<std::uint32_t> set_;          // by cell, weights from inputs
  std::vector<std::uint32_t> past_;         // the cells that won the frame before
  std::vector<float> evidence_, past_evidence_, above_evidence_;
};

}  // namespace weft::operators::sequence
