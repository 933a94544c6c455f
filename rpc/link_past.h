// What a link predictor knew at a past time: the events before it that matter for a question, from
// the log and the history, and a fork of the predictor that has taken them in.
//
// Taken in are the latest 16,384 events of the stream before the time, and the latest events of the
// nodes concerned, however old: of the sources, of their latest partners and of the targets.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/link/link_model.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"

namespace weft::rpc {

// Nodes that the fork of a predictor has room for, 172 MB in `weft` if all are used.
inline constexpr std::int64_t kPastNodes = 65'536;
// Nodes that one question may be about.
inline constexpr std::int64_t kPastTargetsMax = 1000;
inline constexpr std::size_t kPastPairNodesMax = 256;

struct PastQuestion {
  graph::TimeUs as_of_us = 0;
  std::uint32_t feed = 0;
  std::vector<graph::NodeId> sources;  // kNoNode is nobody
  std::vector<graph::NodeId> targets;
  // Over 0: the targets are not given; they are the sources' past targets and those of the latest
  // events, at most so many.
  std::int64_t max_targets = 0;
};

// A predictor as it was.
struct LinkPast {
  std::unique_lock<std::timed_mutex> turn;  // until it is gone nobody else recalls anything
  std::unique_ptr<operators::link::LinkModel> model;
  graph::TimeUs time_us = graph::kBeforeAllTime;  // of the latest event: when the question is put
  graph::LogPosition position;                    // the place of as_of_us in the log
  std::unordered_set<graph::NodeId> known;        // of the nodes asked about, those that had events
  std::vector<graph::NodeId> targets;  // with max_targets, the most recently active first
  std::int64_t available_targets = 0;  // before they were cut
};

// Has `fork` (LinkReader::Fork, null allowed) take the past in. FAILED_PRECONDITION for a null one,
// OUT_OF_RANGE for a time before the history of the feed or of a source begins, with the time from
// which on it can be asked; DEADLINE_EXCEEDED if others ask about the past until the deadline,
// because only one question at a time is worked on, so that memory is bounded.
absl::StatusOr<LinkPast> RecallPast(GraphHost& host, const CallContext& context,
                                    std::unique_ptr<operators::link::LinkModel> fork,
                                    const PastQuestion& question);

// The offset in the feed's log of the first event that is not before `time_us`, found by halving:
// exact where times rise; where late events lie across that time, one of the places between them.
absl::StatusOr<std::uint64_t> FindPlaceInLog(const GraphHost& host, std::uint32_t feed,
                                             graph::TimeUs time_us);

}  // namespace weft::rpc
