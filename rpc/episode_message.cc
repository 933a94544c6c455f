#include "rpc/episode_message.h"

#include <algorithm>

#include "graph/text.h"
#include "rpc/error_details.h"

namespace weft::rpc {
namespace {

double Share(std::uint64_t count, std::uint64_t all) {
  return all == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(all);
}

}  // namespace

v1::EpisodeState StateMessage(cache::EpisodeState state) {
  switch (state) {
    case cache::EpisodeState::kFinal:
      return v1::EPISODE_STATE_FINAL;
    case cache::EpisodeState::kProvisional:
      return v1::EPISODE_STATE_PROVISIONAL;
    default:
      return v1::EPISODE_STATE_OPEN;
  }
}

PickedEpisode PickEpisode(const cache::EpisodeView& view, std::int32_t level, std::int64_t number) {
  PickedEpisode picked;
  picked.level = level;
  picked.number = number;
  picked.episode = view.Get(level, number);
  picked.state = StateMessage(view.StateOf(level, number));
  const std::int64_t parent = picked.episode.parent;
  if (level < view.level_count() && parent != cache::Episode::kUndecided)
    picked.parent_id = cache::EpisodeId({level + 1, view.Begin(level + 1, parent)});
  return picked;
}

absl::StatusOr<int> CheckedNames(std::int32_t max_names, int otherwise) {
  constexpr int kMost = static_cast<int>(cache::kTopItems);
  if (max_names == 0) return otherwise;
  if (max_names < -1 || max_names > kMost)
    return InvalidField("max_names", graph::Concat("expected -1 to ", kMost, ", got ", max_names));
  return std::max(max_names, 0);
}

void FillEntity(std::string_view key, std::uint64_t count, std::uint64_t all,
                v1::EntityCount& message) {
  message.set_entity(key.data(), key.size());
  message.set_count(count);
  message.set_share(Share(count, all));
}

void FillEpisode(const PickedEpisode& picked, const Interner& interner, int max_names,
                 v1::Episode& message) {
  const cache::Episode& episode = picked.episode;
  message.set_id(cache::EpisodeId({picked.level, episode.begin}));
  message.set_level(picked.level);
  message.set_state(picked.state);
  message.set_begin_us(episode.begin_us);
  message.set_end_us(episode.end_us);
  message.set_begin_snapshot(episode.begin);
  if (episode.end != cache::EpisodeView::kUnknown) message.set_end_snapshot(episode.end);
  message.set_parent_id(picked.parent_id);
  message.set_child_count(episode.child_count);
  message.set_interactions(episode.interactions);
  message.set_salience(cache::SalienceNats(episode));
  message.set_boundary(cache::BoundaryStrength(picked.level, episode.score));
  if (picked.learned) {
    message.set_learned_salience(picked.learned->score);
    message.set_model_version(picked.learned->model_version);
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(max_names); ++i) {
    const cache::TopNode& node = episode.nodes[i];
    if (node.count > 0)
      FillEntity(interner.Key(node.node), node.count, episode.interactions, *message.add_entity());
    const cache::TopPair& pair = episode.pairs[i];
    if (pair.count == 0) continue;
    v1::PairCount& named = *message.add_pair();
    const std::string_view source = interner.Key(pair.source), target = interner.Key(pair.target);
    named.set_source(source.data(), source.size());
    named.set_target(target.data(), target.size());
    named.set_count(pair.count);
    named.set_share(Share(pair.count, episode.interactions));
  }
}

}  // namespace weft::rpc
