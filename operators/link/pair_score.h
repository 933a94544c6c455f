// PairScore: what a model says of one pair.
#pragma once

namespace weft::operators::link {

// Higher is likelier. The first three rank, each by another question; a model with one score gives
// it to all.
struct PairScore {
  float random = 0.0f;      // against a target drawn from all; in [0, 1] if the model says so
  float historical = 0.0f;  // against another past target of the same source
  float joint = 0.0f;       // in a list that mixes both
  // How often a pair with such a `random` happens, where half of the pairs do; `random` itself for
  // a model that is not calibrated. From one state it ranks as `random` does; over time it may not.
  float probability = 0.0f;

  static PairScore Of(float score) { return {score, score, score, score}; }
  bool operator==(const PairScore&) const = default;
};

}  // namespace weft::operators::link
