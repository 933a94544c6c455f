// What the operator `salience` learned about the episodes of a hierarchy.
#pragma once

#include <span>
#include <string>

#include "absl/status/status.h"
#include "rpc/dispatcher.h"
#include "rpc/episode_message.h"
#include "rpc/graph_host.h"
#include "rpc/read_hierarchy.h"

namespace weft::rpc {

// Sets `learned` of the episodes that have a score, of the hierarchy of node `hierarchy`.
// FAILED_PRECONDITION if no operator `salience` follows it.
absl::Status ReadSalience(GraphHost& host, const CallContext& context, const std::string& hierarchy,
                          std::span<PickedEpisode> episodes);

// Numbers of the `most` final episodes of a range with the highest scores, the highest first, of
// equal ones the earlier; of the latest 262,144 of the range. The same errors.
absl::StatusOr<std::vector<std::int64_t>> HighestLearned(GraphHost& host,
                                                         const CallContext& context,
                                                         const std::string& hierarchy,
                                                         EpisodeRange range, std::size_t most);

}  // namespace weft::rpc
