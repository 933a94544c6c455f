// LinkModel: what every link predictor is underneath its operator: NAT, EdgeBank, the recency mix.
// The operator, the evaluation (`weft eval links`) and training (`weft train links`) all drive this
// one interface, so that the offline figures are those of the service.
//
// For each micro-batch, in log order: Score (reads the state as of the start of the micro-batch),
// then perhaps Learn (one step on what was just scored), then Observe (the state takes the events
// in). Calls come from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "graph/event_batch.h"
#include "graph/state.h"

namespace weft::operators::link {

class LinkModel {
 public:
  virtual ~LinkModel() = default;

  virtual std::string name() const = 0;
  // Whether scores are probabilities in [0, 1].
  virtual bool scores_are_probabilities() const = 0;
  // Trainable numbers; 0 for a baseline.
  virtual std::int64_t parameter_count() const { return 0; }
  // The sizes that define the model ("self" 72, ...), for reports; empty for a baseline.
  virtual std::vector<std::pair<std::string, std::int64_t>> dims() const { return {}; }
  // Bytes of state for one node with full caches, 0 where it is unbounded.
  virtual std::int64_t bytes_per_node() const { return 0; }

  // Forgets every event, keeps what was learned.
  virtual void ResetState() = 0;

  // Scores source -> target of each event, and source -> negative[i] where `negative` is not empty
  // (one an event, kNoNode allowed: its score is unspecified).
  virtual void Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
                     std::span<float> positive_score, std::span<float> negative_score) = 0;

  // One optimiser step on the micro-batch whose Score call came last, with the same arguments.
  // Returns its mean loss before the step. Baselines do nothing.
  virtual double Learn(graph::EventSpan, std::span<const graph::NodeId>) { return 0.0; }

  // How much of a training over a file is done, from 0 to 1: models whose steps shrink towards its
  // end ask for this. A service never calls it.
  virtual void SetTrainingProgress(double) {}

  virtual void Observe(graph::EventSpan events) = 0;

  // Scores any pairs against the present state, for clients. `time_us` is the time asked about.
  virtual void ScorePairs(std::span<const graph::NodeId> source,
                          std::span<const graph::NodeId> target, graph::TimeUs time_us,
                          std::span<float> score) const = 0;

  // Learned numbers ("weights", and the optimiser's) and events' traces, apart: a model file holds
  // only the former.
  virtual absl::Status SaveWeights(graph::CheckpointSink&) const { return absl::OkStatus(); }
  virtual absl::Status LoadWeights(graph::CheckpointSource&) { return absl::OkStatus(); }
  virtual absl::Status SaveState(graph::CheckpointSink& sink) const = 0;
  virtual absl::Status LoadState(graph::CheckpointSource& source) = 0;
};

}  // namespace weft::operators::link
