#include "operators/hierarchy/episode_stream.h"

#include <algorithm>

namespace weft::operators::hierarchy {

void AddToProfile(std::span<const cache::NodePair> interactions, std::span<std::uint32_t> profile) {
  for (const auto [source, target] : interactions) {
    ++profile[cache::ActorSlot(source)];
    ++profile[cache::kActorSlots + cache::ActorSlot(target)];
  }
}

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
  steps_.clear();
  leaf_.Finish(steps_);
  tree_.Finish(steps_, changes);
}

void EpisodeStream::TakeIn(std::vector<cache::EpisodeChange>& changes) {
  if (batch_.size() == 0) return;
  for (std::int64_t row = 0; row < batch_.size(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    std::ranges::fill(profile_, 0);
    AddToProfile(batch_.InteractionsOf(row), profile_);
    steps_.clear();
    leaf_.Push(profile_, steps_);
    tree_.Push(batch_.InteractionsOf(row), batch_.begin_us[at], batch_.end_us[at], steps_, changes);
  }
  batch_ = {};
}

}  // namespace weft::operators::hierarchy
