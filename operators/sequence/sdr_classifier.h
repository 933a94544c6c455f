// SdrClassifier: from the sparse code of now to how likely each class is some steps later: a
// softmax regression for each number of steps, learned as the steps come.
//
// Source: the SDR classifier of NuPIC (Cui, Ahmad, Hawkins 2016).
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "operators/sequence/sparse_bits.h"

namespace weft::operators::sequence {

struct SdrClassifierOptions {
  std::int64_t bits = 0;
  std::int64_t classes = 0;
  std::vector<std::int64_t> steps = {1};  // rising
  // Of learning: how far one record moves what its whole code says, for an error of 1. Its bits
  // share it, so that the many cells of a burst teach no more than the few of a record foretold.
  double rate = 1.4;
};

// Thread-compatible. Exact.
class SdrClassifier {
 public:
  explicit SdrClassifier(SdrClassifierOptions options);

  // Probabilities of the classes that many steps after a code; `step` is a place in options.steps.
  std::vector<double> Probabilities(std::size_t step, std::span<const std::uint32_t> bits) const;
  // The code of now has this class. Teaches what was said of now before.
  void Learn(std::span<const std::uint32_t> bits, std::int64_t now);

  std::size_t bytes() const { return weight_.capacity() * sizeof(float); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.weight_);
    std::uint64_t count = self.before_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= static_cast<std::uint64_t>(self.options_.steps.back()), "codes");
      if (!archive.ok()) return;
      self.before_.resize(count);
    }
    for (auto& bits : self.before_)
      archive.Array(bits, static_cast<std::uint64_t>(self.options_.bits));
  }

 private:
  SdrClassifierOptions options_;
  std::vector<float> weight_;  // [steps x bits x classes]
  std::deque<std::vector<std::uint32_t>>
      before_;  // the codes of the latest steps, the oldest first
};

}  // namespace weft::operators::sequence
