// WeftMemory: a sample of what a model learned from so far, to learn from it again, so that what
// comes seldom is not forgotten between two times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "graph/state.h"
#include "operators/link/weft_head.h"

namespace weft::operators::link {

// Rows of features with their lessons, 4 MB. At first a uniform sample of all rows (Vitter 1985,
// algorithm R); once it is 1 in 64 of them, older ones fade. Draws are counter hashes.
class WeftMemory {
 public:
  static constexpr std::int64_t kRows = 8192;

  explicit WeftMemory(std::uint64_t seed);

  void Add(const float* features, const WeftLesson& lesson);
  // `lessons.size()` rows, drawn with replacement, to `features`; false while there are less than
  // twice as many.
  bool Draw(std::span<WeftLesson> lessons, float* features);
  void Clear();

  absl::Status Save(graph::CheckpointSink& sink) const;
  absl::Status Load(graph::CheckpointSource& source);

 private:
  std::int64_t size() const { return seen_ < kRows ? seen_ : kRows; }

  std::uint64_t seed_;
  std::int64_t seen_ = 0;   // rows that were added
  std::int64_t drawn_ = 0;  // rows that were drawn
  std::vector<float> features_;
  std::vector<WeftLesson> lessons_;
};

}  // namespace weft::operators::link
