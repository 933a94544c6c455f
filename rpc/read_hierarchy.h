// What every question to a hierarchy of episodes begins with: which one, as of when, and reading
// it.
#pragma once

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "operators/hierarchy/hierarchy_reader.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "weft/v1/hierarchy.pb.h"

namespace weft::rpc {

using EpisodeView = cache::EpisodeView;
using EpisodeRange = cache::EpisodeRange;

// Runs `read` in the operator's own slot: it must be short. Fills `state`. Fails with what `read`
// does; NOT_FOUND for an unknown node, INVALID_ARGUMENT for one without a hierarchy,
// FAILED_PRECONDITION if the graph has none, OUT_OF_RANGE for a time that is no longer kept.
absl::Status ReadHierarchy(
    GraphHost& host, const CallContext& context, const v1::TreeQuestion& question,
    v1::TreeState& state,
    const std::function<absl::Status(const EpisodeView&,
                                     const operators::hierarchy::HierarchyReader&)>& read);

// The level that a request asks for, 0 meaning `otherwise`. INVALID_ARGUMENT for one that there
// cannot be.
absl::StatusOr<std::int32_t> CheckedLevel(std::int32_t level, std::int32_t otherwise);

// Of a list of levels.
absl::Status CheckLevels(const google::protobuf::RepeatedField<std::int32_t>& levels);

// How many a request asks for, 0 meaning `otherwise`. INVALID_ARGUMENT for less than `least` or
// more than `most`.
absl::StatusOr<std::int64_t> CheckedCount(std::string_view field, std::int64_t count,
                                          std::int64_t otherwise, std::int64_t most,
                                          std::int64_t least = 1);

// A stretch of time of a request; what is unset is from the beginning or to the end.
struct Stretch {
  std::int64_t from_us = 0, to_us = 0;
};
template <class Request>
Stretch StretchOf(const Request& request, const EpisodeView& view);

// What a level has of it; empty for a level that is not there.
EpisodeRange RangeOf(const EpisodeView& view, std::int32_t level, Stretch stretch);

// The episode that is called so. NOT_FOUND if there is none.
absl::StatusOr<EpisodeRange> FindEpisode(const EpisodeView& view, std::uint64_t id);

// ------------------------------------------------------------------------------------------------

template <class Request>
Stretch StretchOf(const Request& request, const EpisodeView& view) {
  return {request.has_from_us() ? request.from_us() : view.tree().begin_us(),
          request.has_to_us() ? request.to_us() : view.known_until_us()};
}

}  // namespace weft::rpc
