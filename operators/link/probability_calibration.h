// ProbabilityCalibration: makes the log-odds of a model into probabilities that mean what they say,
// from pairs that were scored first and then known to have happened or not.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "graph/state.h"

namespace weft::operators::link {

// Isotonic regression (pool adjacent violators) of what happened on the logit, in 64 bins whose
// counts fade: the latest kMemory pairs or so. Between the bins' centres the log-odds are
// interpolated, and rise everywhere, so that a ranking stays as it is. Without pairs, and where
// there are few, it is the plain sigmoid. Exact: depends on what was added, and until where Publish
// lets it be known, but not on how often it is called.
class ProbabilityCalibration {
 public:
  static constexpr std::int64_t kBins = 64;
  static constexpr float kFirst = -16.0f;  // lower edge of the bins
  static constexpr float kWidth = 0.5f;
  static constexpr double kMemory = 8000.0;   // pairs after which a count is 1/e of what it was
  static constexpr double kPrior = 128.0;     // pairs that speak for the plain sigmoid
  static constexpr double kFoldPairs = 64.0;  // that fade together

  ProbabilityCalibration();

  float Probability(float logit) const;

  // A pair that was scored. Probability knows it, and those before it, after the next Publish that
  // follows a multiple of kFoldPairs of them.
  void Add(float logit, bool happened);
  // To be called where scores may know all that was added.
  void Publish();

  bool operator==(const ProbabilityCalibration&) const = default;

  absl::Status Save(std::string_view section, graph::CheckpointSink& sink) const;
  // DATA_LOSS for what cannot be one; it is then as new.
  absl::Status Load(std::string_view section, graph::CheckpointSource& source);

 private:
  struct Bin {
    double pairs;
    double happened;
    bool operator==(const Bin&) const = default;
  };
  struct State {
    std::array<Bin, kBins> bins;   // faded
    std::array<Bin, kBins> added;  // since the last fold
    double added_pairs;
    std::array<float, kBins> log_odds;  // at the bins' centres
    std::uint64_t published;            // whether log_odds know the bins
    bool operator==(const State&) const = default;
  };

  void Fit();

  State state_ = {};
};

}  // namespace weft::operators::link
