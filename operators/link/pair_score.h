// PairScore: what a model says of one pair.
#pragma once

namespace weft::operators::link {

// Higher is likelier. The three answer different questions; a model with one score gives it three
// times.
struct PairScore {
  float random = 0.0f;      // against a target drawn from all; a probability if the model says so
  float historical = 0.0f;  // against another past target of the same source
  float joint = 0.0f;       // in a list that mixes both

  static PairScore Of(float score) { return {score, score, score}; }
  bool operator==(const PairScore&) const = default;
};

}  // namespace weft::operators::link
