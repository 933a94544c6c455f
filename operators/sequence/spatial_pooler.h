// SpatialPooler: from sparse bits to a fixed share of active columns, those whose synapses fit them
// best, and learns to let the same ones win for like inputs.
//
// Source: the spatial pooler of HTM (Cui, Ahmad, Hawkins 2017) with global inhibition.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/sparse_bits.h"

namespace weft::operators::sequence {

// Permanences from 0 to 1, to four digits.
struct SpatialPoolerOptions {
  std::int64_t inputs = 0;
  std::int64_t columns = 2048;
  std::int64_t active_columns = 40;
  double potential_share = 0.8;  // of the inputs that a column can listen to
  double connected_permanence = 0.2;
  double active_increment = 0.003;
  double inactive_decrement = 0.0005;
  double least_overlap_duty = 0.001;  // of the most busy column's; less busy ones are helped
  std::int64_t duty_steps = 1000;
  double boost_strength = 0.0;
  std::uint64_t seed = 1956;
};

// Thread-compatible. Exact.
class SpatialPooler {
 public:
  explicit SpatialPooler(const SpatialPoolerOptions& options);

  // The active columns of an input, rising; valid until the next step.
  std::span<const std::uint32_t> Step(std::span<const std::uint32_t> input, bool learns);

  std::int64_t column_count() const { return options_.columns; }
  std::int64_t input_count() const { return options_.inputs; }
  std::size_t bytes() const;

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Fixed(self.permanence_);
    archive.Fixed(self.overlap_duty_);
    archive.Fixed(self.active_duty_);
    archive.Fixed(self.boost_);
    archive.Value(self.least_duty_);
    archive.Value(self.step_);
    if constexpr (Archive::kLoads) self.Connect();
  }

 private:
  void CountOverlaps(std::span<const std::uint32_t> input);
  void PickColumns();
  void Adapt(std::uint32_t column);
  void FollowDuties();
  void FollowBoosts(float keep, float part);
  void HelpIdleColumns();
  void Connect();

  SpatialPoolerOptions options_;
  std::int32_t connected_, up_, down_;
  std::vector<std::int16_t> permanence_;  // [columns x inputs] in units of 1/10000; -1: no synapse
  std::vector<std::uint8_t> is_connected_;  // [inputs x columns]
  std::vector<std::uint16_t> overlap_;
  std::vector<std::uint8_t> part_;
  std::vector<std::int64_t> with_overlap_;  // columns, by overlap
  std::vector<std::uint8_t> on_;            // inputs of the step at hand
  std::vector<std::int16_t> before_;        // permanences of the column at hand
  std::vector<std::uint32_t> active_;
  std::vector<float> overlap_duty_, active_duty_, boost_;
  float least_duty_ = 0.0f;
  std::int64_t step_ = 0;
};

}  // namespace weft::operators::sequence
