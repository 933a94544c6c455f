// Episodes as clients see them: taken out of a view in the operator's slot, put into words outside.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/hierarchy/hierarchy_reader.h"
#include "operators/hierarchy/learned_salience.h"
#include "rpc/interner.h"
#include "weft/v1/hierarchy.pb.h"

namespace weft::rpc {

// An episode of a view, which outlives it.
struct PickedEpisode {
  std::int32_t level = 1;
  std::int64_t number = 0;
  cache::Episode episode;
  v1::EpisodeState state = v1::EPISODE_STATE_OPEN;
  std::uint64_t parent_id = 0;
  std::optional<operators::hierarchy::SalienceScore> learned = {};
};
PickedEpisode PickEpisode(const cache::EpisodeView& view, std::int32_t level, std::int64_t number);

v1::EpisodeState StateMessage(cache::EpisodeState state);

// A request's max_names, 0 meaning `otherwise`. INVALID_ARGUMENT beyond -1 to 16.
absl::StatusOr<int> CheckedNames(std::int32_t max_names, int otherwise);

// Names at most so many entities and pairs.
void FillEpisode(const PickedEpisode& picked, const Interner& interner, int max_names,
                 v1::Episode& message);

template <class Response>
void FillEpisodes(const std::vector<PickedEpisode>& picked, const Interner& interner, int names,
                  Response& response) {
  for (const PickedEpisode& one : picked)
    FillEpisode(one, interner, names, *response.add_episode());
}

// `count` of `all`.
void FillEntity(std::string_view key, std::uint64_t count, std::uint64_t all,
                v1::EntityCount& message);

}  // namespace weft::rpc
