// GroupedLinkModel: a LinkModel that scores a group of events from one state and takes them in
// afterwards, with one score a pair. Its subclass says how to do each; Advance is here.
//
// Groups are, by reads(): single events (before_event), runs of equal time (before_time), or at
// most `batch` events counted from the start of the step (before_batch). Each group is scored from
// the state before it, learned if asked, then observed. A group of more than `batch` events is
// scored in pieces of `batch`, each learned right after its scores, and only then observed, in the
// same pieces.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/link/link_model.h"

namespace weft::operators::link {

class GroupedLinkModel : public LinkModel {
 public:
  LinkReads reads() const override { return reads_; }
  void Advance(const LinkStep& step, const LinkStepScores& scores) final;

  // At most `batch` events. Scores source -> target of each, and source -> negative[i] where
  // `negative` is not empty (one an event, kNoNode allowed: its score is unspecified).
  virtual void Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
                     std::span<float> positive_score, std::span<float> negative_score) = 0;

  // One optimiser step on the events whose Score call came last, with the same arguments. Returns
  // their mean loss before the step. Baselines do nothing.
  virtual double Learn(graph::EventSpan, std::span<const graph::NodeId>) { return 0.0; }

  // Takes at most `batch` events in, in log order, whether they were scored or not.
  virtual void Observe(graph::EventSpan events) = 0;

 protected:
  GroupedLinkModel(LinkReads reads, std::int64_t batch) : reads_(reads), batch_(batch) {}

  // The time that Score asks about for event `index` of what it is given, so that further targets
  // are asked about for the same time.
  virtual graph::TimeUs AskedTime(graph::EventSpan events, std::size_t index) const {
    return events.time_us[index];
  }

 private:
  std::int64_t GroupEnd(std::span<const graph::TimeUs> time_us, std::int64_t begin) const;
  void ScorePiece(const LinkStep& step, const LinkStepScores& scores, std::int64_t begin,
                  std::int64_t end);
  void ScoreExtra(const LinkStep& step, std::span<PairScore> score, std::int64_t begin,
                  std::int64_t end) const;

  LinkReads reads_;
  std::int64_t batch_;
  std::vector<float> positive_;
  std::vector<float> negative_;
};

}  // namespace weft::operators::link
