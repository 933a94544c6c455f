// LinkModel: what every link predictor is underneath its operator: NAT, EdgeBank, the recency mix.
// The operator, the evaluation (`weft eval links`) and training (`weft train links`) all drive this
// one interface, so that the offline figures are those of the service.
//
// Events go through Advance in log order; calls come from one thread. A model with one score that
// works on groups of events derives from GroupedLinkModel (grouped_link_model.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "graph/event_batch.h"
#include "graph/state.h"
#include "operators/link/link_reads.h"
#include "operators/link/model_versions.h"
#include "operators/link/pair_explanation.h"
#include "operators/link/pair_score.h"

namespace weft::operators::link {

// Events in log order and what to score beside them.
struct LinkStep {
  graph::EventSpan events;
  // Empty, or one an event, kNoNode allowed: what a model that learns contrasts the event with.
  std::span<const graph::NodeId> negative;
  // Further targets of the source of event i: extra[extra_begin[i]] up to, without it,
  // extra[extra_begin[i + 1]]. Both empty where there are none.
  std::span<const std::int32_t> extra_begin;
  std::span<const graph::NodeId> extra;
  bool learn = false;  // only with negatives
};

// Where the scores of a LinkStep go: as many as its events, its negatives and its extras. The score
// of a negative that is kNoNode is unspecified.
struct LinkStepScores {
  std::span<PairScore> positive;
  std::span<PairScore> negative;
  std::span<PairScore> extra;
};

// Events of the past with their places in the stream, of which others may be missing.
struct PastEvents {
  graph::EventSpan events;               // in log order
  std::span<const std::uint64_t> place;  // how many events of the stream came before each
  std::uint64_t stream_event_count = 0;  // of the whole stream up to the time that is asked about
  graph::TimeUs first_us = 0;            // the earliest time of an event of the stream
};

class LinkModel {
 public:
  virtual ~LinkModel() = default;

  virtual std::string name() const = 0;
  // Whether PairScore::random and ::probability are in [0, 1].
  virtual bool scores_are_probabilities() const = 0;
  // What to calibrate PairScore::probability from, for whoever does: finite log-odds that rise with
  // PairScore::random. None of a model that calibrates it itself.
  virtual std::optional<float> LogOdds(float /*random*/) const { return std::nullopt; }
  // Trainable numbers; 0 for a baseline.
  virtual std::int64_t parameter_count() const { return 0; }
  // The sizes that define the model ("self" 72, ...), for reports; empty for a baseline.
  virtual std::vector<std::pair<std::string, std::int64_t>> dims() const { return {}; }
  // Bytes of state for one node with full caches, 0 where it is unbounded.
  virtual std::int64_t bytes_per_node() const { return 0; }
  // Which state a score of Advance reads.
  virtual LinkReads reads() const = 0;

  // The model as one that keeps versions of its weights; null if it does not.
  virtual VersionedModel* versioned() { return nullptr; }

  // Forgets every event, keeps what was learned.
  virtual void ResetState() = 0;

  // Scores everything of the step by the state that reads() allows, learns from it if asked, and
  // takes its events in. Of before_time, all events of one time must come in one step; of
  // before_batch, a step starts a new batch.
  virtual void Advance(const LinkStep& step, const LinkStepScores& scores) = 0;

  // How much of a training over a file is done, from 0 to 1: models whose steps shrink towards its
  // end ask for this. A service never calls it.
  virtual void SetTrainingProgress(double) {}

  // A model with the same weights and without events, for a past state: it has room for
  // `node_limit` nodes. Null for a model that cannot be had a second time. Copies the weights and
  // makes empty tables, which takes from less than one (weft) to some milliseconds (recency).
  virtual std::unique_ptr<LinkModel> Fork(std::int64_t /*node_limit*/) const { return nullptr; }

  // Takes in what is known of a past, into a state without events. The rows of nodes all of whose
  // events are there come to be what they were then. By default events are taken in as if there had
  // been no others.
  virtual void ObservePast(const PastEvents& past);

  // Scores any pairs against the present state, for clients. `time_us` is the time asked about.
  virtual void ScorePairs(std::span<const graph::NodeId> source,
                          std::span<const graph::NodeId> target, graph::TimeUs time_us,
                          std::span<PairScore> score) const = 0;

  // Why the pair has the score that ScorePairs gives it. None of a model that cannot say; its
  // partners may be empty of one that knows no partners.
  virtual std::optional<PairExplanation> Explain(graph::NodeId /*source*/, graph::NodeId /*target*/,
                                                 graph::TimeUs /*time_us*/,
                                                 PairQuestion /*question*/) const {
    return std::nullopt;
  }

  // Learned numbers ("weights", and the optimiser's) and events' traces, apart: a model file holds
  // only the former.
  virtual absl::Status SaveWeights(graph::CheckpointSink&) const { return absl::OkStatus(); }
  virtual absl::Status LoadWeights(graph::CheckpointSource&) { return absl::OkStatus(); }
  virtual absl::Status SaveState(graph::CheckpointSink& sink) const = 0;
  virtual absl::Status LoadState(graph::CheckpointSource& source) = 0;
};

}  // namespace weft::operators::link
