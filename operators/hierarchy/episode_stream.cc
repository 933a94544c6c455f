#include "operators/hierarchy/episode_stream.h"

namespace weft::operators::hierarchy {

void EpisodeStream::Push(graph::EventSpan events, std::vector<cache::EpisodeChange>& changes) {
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    // Before the event is added: a tree that is asked about latency has to be as far as it.
    cutter_.Take(events.time_us[at], batch_);
    TakeIn(changes);
    cutter_.Add({events.source.subspan(at, 1),
                 events.target.subspan(at, 1),
                 events.time_us.subspan(at, 1),
                 {},
                 {},
                 0});
  }
}

void EpisodeStream::Finish(std::vector<cache::EpisodeChange>& changes) {
  cutter_.TakeAll(batch_);
  TakeIn(changes);
  std::vector<cache::LeafStep> steps;
  leaf_.Finish(steps);
  tree_.Finish(steps, changes);
}

void EpisodeStream::TakeIn(std::vector<cache::EpisodeChange>& changes) {
  if (batch_.size() == 0) return;
  cache::LeafDecisions decided;
  leaf_.Push(batch_.PairsOf(0, batch_.size()), decided);
  for (std::int64_t row = 0; row < batch_.size(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    tree_.Push(batch_.InteractionsOf(row), batch_.begin_us[at], batch_.end_us[at],
               decided.StepsOf(row), changes);
  }
  batch_ = {};
}

}  // namespace weft::operators::hierarchy
