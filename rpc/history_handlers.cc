#include "rpc/history_handlers.h"

#include <span>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/position.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::LogPosition;
using graph::NodeId;
using storage::History;

constexpr int kLimitDefault = 100;
constexpr int kLimitMax = 10'000;

absl::StatusOr<std::uint32_t> FindFeed(GraphHost& host, const std::string& name) {
  const std::vector<const Sequencer*> feeds = host.sequencers();
  if (feeds.empty()) return absl::FailedPreconditionError("the graph has no feed");
  if (name.empty()) return feeds.front()->options().feed;
  WEFT_ASSIGN(const Sequencer* const sequencer, host.FindSequencer(name));
  return sequencer->options().feed;
}

v1::HistoryEntry ToMessage(const GraphHost& host, std::uint32_t feed,
                           const storage::HistoryEntry& entry) {
  v1::HistoryEntry message;
  const std::string_view peer = host.interner().Key(entry.peer);
  message.set_peer(peer.data(), peer.size());
  message.set_direction(entry.sent ? v1::EVENT_DIRECTION_SENT : v1::EVENT_DIRECTION_RECEIVED);
  message.set_time_us(entry.time_us);
  *message.mutable_position() = EncodePosition({0, feed, entry.offset});
  return message;
}

}  // namespace

absl::StatusOr<const History*> FindHistory(const GraphHost& host) {
  const History* const history = host.history();
  if (history != nullptr) return history;
  return absl::FailedPreconditionError(
      "this server keeps no history; its configuration says history { enabled: false }");
}

absl::StatusOr<v1::GetHistoryResponse> GetHistory(GraphHost& host,
                                                  const v1::GetHistoryRequest& request) {
  WEFT_TRY(host.CheckServing());
  if (request.node().empty()) return InvalidField("node", "expected the key of a node");
  const int limit = request.limit() == 0 ? kLimitDefault : request.limit();
  if (limit < 1 || limit > kLimitMax) {
    return InvalidField("limit", Concat("expected 1 to ", kLimitMax, ", got ", limit));
  }
  WEFT_ASSIGN(const History* const history, FindHistory(host));
  WEFT_ASSIGN(const std::uint32_t feed, FindFeed(host, request.feed()));
  const NodeId node = host.interner().Find(request.node());
  History::Query query{.feed = feed, .nodes = std::span(&node, 1), .limit = limit};
  if (request.has_before_us()) query.before_us = request.before_us();
  if (request.has_before_position()) {
    WEFT_ASSIGN(const LogPosition before, DecodePosition(request.before_position()));
    if (before.feed != feed) {
      return InvalidField("before_position", "expected a position of the same feed");
    }
    query.before_offset = before.offset;
  }
  WEFT_ASSIGN(const storage::HistoryExtent extent, history->Extent(feed));
  WEFT_ASSIGN(const std::vector<History::Past> pasts, history->Latest(query));
  const History::Past& past = pasts.front();
  v1::GetHistoryResponse response;
  for (const storage::HistoryEntry& entry : past.entries) {
    *response.add_entry() = ToMessage(host, feed, entry);
  }
  response.set_known(node != graph::kNoNode);
  response.set_more(past.more);
  response.set_forgotten(past.kept_from_us.has_value());
  if (extent.complete_from_us) response.set_complete_from_us(*extent.complete_from_us);
  return response;
}

void RegisterHistoryHandlers(GraphHost* host, Dispatcher& dispatcher) {
  dispatcher.Register<v1::GetHistoryRequest, v1::GetHistoryResponse>(
      "/weft.v1.LinkService/GetHistory",
      [host](const CallContext&, const v1::GetHistoryRequest& request) {
        return GetHistory(*host, request);
      });
}

}  // namespace weft::rpc
