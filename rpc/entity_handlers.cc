#include <algorithm>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "graph/check.h"
#include "graph/text.h"
#include "rpc/episode_message.h"
#include "rpc/error_details.h"
#include "rpc/hierarchy_handlers.h"
#include "rpc/history_handlers.h"
#include "rpc/list_limits.h"
#include "rpc/position.h"
#include "rpc/read_hierarchy.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::NodeId;
using operators::hierarchy::HierarchyReader;

constexpr int kFollowedEventsMax = 10'000;
constexpr int kNodesDefault = 100;
constexpr int kNodesMax = 2000;

// An entity's part in an episode.
struct FollowedPart {
  std::int64_t sent = 0, received = 0;
  std::map<NodeId, std::uint64_t> partners;

  void Add(const storage::HistoryEntry& entry) {
    ++(entry.sent ? sent : received);
    ++partners[entry.peer];
  }
  std::uint64_t events() const { return static_cast<std::uint64_t>(sent + received); }
};

void FillPart(const PickedEpisode& picked, const FollowedPart& part, const Interner& interner,
              int names, v1::FollowedEpisode& item) {
  FillEpisode(picked, interner, 0, *item.mutable_episode());
  item.set_sent_count(part.sent);
  item.set_received_count(part.received);
  if (picked.episode.interactions > 0)
    item.set_share(static_cast<double>(part.events()) /
                   static_cast<double>(picked.episode.interactions));
  std::vector<std::pair<NodeId, std::uint64_t>> partners(part.partners.begin(),
                                                         part.partners.end());
  std::ranges::stable_sort(partners,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  partners.resize(std::min(partners.size(), static_cast<std::size_t>(names)));
  for (const auto& [node, count] : partners)
    FillEntity(interner.Key(node), count, part.events(), *item.add_partner());
}

// Its events of the stretch of time, the latest first, and whether there are more.
absl::StatusOr<storage::History::Past> EventsOf(GraphHost& host, NodeId node,
                                                const v1::FollowEntityRequest& request,
                                                const graph::LogPosition& position) {
  WEFT_ASSIGN(const storage::History* const history, FindHistory(host));
  storage::History::Query query{
      .feed = position.feed, .nodes = std::span(&node, 1), .limit = kFollowedEventsMax};
  if (request.has_to_us()) query.before_us = request.to_us();
  // An entry of a snapshot that the hierarchy does not know yet is of no episode.
  WEFT_ASSIGN(std::vector<storage::History::Past> pasts, history->Latest(query));
  return std::move(pasts.front());
}

absl::StatusOr<v1::FollowEntityResponse> FollowEntity(GraphHost& host, const CallContext& context,
                                                      const v1::FollowEntityRequest& request) {
  if (request.entity().empty()) return InvalidField("entity", "expected the key of a node");
  WEFT_ASSIGN(const std::int32_t level, CheckedLevel(request.level(), 1));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  if (!(request.min_share() >= 0.0 && request.min_share() <= 1.0))
    return InvalidField("min_share", Concat("expected 0 to 1, got ", request.min_share()));
  v1::FollowEntityResponse response;
  // First for the feed that the hierarchy is of.
  const auto nothing = [](const cache::EpisodeView&, const HierarchyReader&) {
    return absl::OkStatus();
  };
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(), nothing));
  WEFT_ASSIGN(const graph::LogPosition position, DecodePosition(response.tree().position()));
  const NodeId node = host.interner().Find(request.entity());
  response.set_known(node != graph::kNoNode);
  if (!response.known()) return response;
  WEFT_ASSIGN(const storage::History::Past past, EventsOf(host, node, request, position));
  std::map<std::int64_t, FollowedPart> parts;  // by number of the episode
  std::vector<std::pair<PickedEpisode, const FollowedPart*>> followed;
  WEFT_TRY(ReadHierarchy(
      host, context, request.tree(), *response.mutable_tree(),
      [&](const cache::EpisodeView& view, const HierarchyReader&) {
        if (level > view.level_count()) return absl::OkStatus();
        const Stretch stretch = StretchOf(request, view);
        EpisodeRange here = {level, 0, 0};
        for (const storage::HistoryEntry& entry : past.entries) {
          if (entry.time_us < stretch.from_us) break;
          if (here.begin == here.end || entry.time_us < view.BeginUs(level, here.begin) ||
              entry.time_us >= view.EndUs(level, here.begin))
            here = view.Overlapping(level, entry.time_us, entry.time_us + 1);
          if (here.begin < here.end) parts[here.begin].Add(entry);
        }
        for (const auto& [number, part] : parts)
          followed.emplace_back(PickEpisode(view, level, number), &part);
        const bool begins_later =
            !past.entries.empty() && past.entries.back().time_us >= stretch.from_us;
        response.set_cut(begins_later && (past.more || past.kept_from_us.has_value()));
        return absl::OkStatus();
      }));
  for (const auto& [picked, part] : followed) {
    v1::FollowedEpisode& item = *response.add_item();
    FillPart(picked, *part, host.interner(), names, item);
    if (item.share() < request.min_share()) response.mutable_item()->RemoveLast();
  }
  return response;
}

// ------------------------------------------------------------------------------------------------

std::string EpisodeKey(std::int32_t level, const cache::Episode& episode) {
  return std::to_string(cache::EpisodeId({level, episode.begin}));
}

// Light to dark by level.
std::string ColorOf(std::int32_t level) {
  const int shade = std::max(0x30, 0xd0 - 0x18 * level);
  return absl::StrFormat("#20%02x%02x", shade, 0xff - shade / 2);
}

std::string Duration(std::int64_t from_us, std::int64_t to_us) {
  return absl::StrFormat("%g s", static_cast<double>(to_us - from_us) * 1e-6);
}

// Episodes from the highest level down, what they are part of and what they follow, and who is in
// those without children here.
class EpisodeGraph {
 public:
  EpisodeGraph(std::size_t most_nodes, std::int32_t lowest)
      : most_nodes_(most_nodes), lowest_(lowest) {}

  void Collect(const cache::EpisodeView& view, EpisodeRange roots) {
    std::deque<EpisodeRange> waiting = {roots};
    while (!waiting.empty()) {
      const EpisodeRange range = waiting.front();
      waiting.pop_front();
      for (std::int64_t number = range.begin; number < range.end; ++number) {
        if (picked_.size() == most_nodes_) {
          cut_ = true;
          return;
        }
        picked_.push_back(PickEpisode(view, range.level, number));
        const EpisodeRange children = view.Children(range.level, number);
        if (range.level > lowest_ && children.begin < children.end) waiting.push_back(children);
      }
    }
  }

  void Fill(const Interner& interner, int names, v1::SubgraphResponse& response) {
    std::map<std::string, bool> has_children;  // by episode that is shown
    for (const PickedEpisode& one : picked_) {
      AddEpisode(one, response);
      has_children.try_emplace(EpisodeKey(one.level, one.episode), false);
      if (one.parent_id == 0) continue;
      const auto parent = has_children.find(std::to_string(one.parent_id));
      if (parent == has_children.end()) continue;
      parent->second = true;
      AddEdge(parent->first, EpisodeKey(one.level, one.episode), "part", response);
    }
    for (std::size_t i = 1; i < picked_.size(); ++i) {
      const PickedEpisode& before = picked_[i - 1];
      const PickedEpisode& after = picked_[i];
      if (before.level == after.level && before.episode.end == after.episode.begin)
        AddEdge(EpisodeKey(before.level, before.episode), EpisodeKey(after.level, after.episode),
                "next", response);
    }
    for (const PickedEpisode& one : picked_) {
      if (has_children[EpisodeKey(one.level, one.episode)]) continue;
      for (int i = 0; i < names; ++i) {
        const cache::TopNode& node = one.episode.nodes[static_cast<std::size_t>(i)];
        if (node.count > 0) AddEntity(interner.Key(node.node), node.count, one, response);
      }
    }
    response.set_cut(cut_);
  }

 private:
  void AddEpisode(const PickedEpisode& one, v1::SubgraphResponse& response) const {
    v1::GraphNode& node = *response.add_nodes();
    node.set_id(EpisodeKey(one.level, one.episode));
    node.set_title(Concat("level ", one.level));
    node.set_sub_title(Duration(one.episode.begin_us, one.episode.end_us));
    node.set_main_stat(std::to_string(one.episode.interactions));
    node.set_secondary_stat(absl::StrFormat("%.1f nats", cache::SalienceNats(one.episode)));
    node.set_color(ColorOf(one.level));
  }

  void AddEntity(std::string_view key, std::uint32_t count, const PickedEpisode& one,
                 v1::SubgraphResponse& response) {
    const std::string id = Concat("entity:", key);
    if (!entities_.contains(id)) {
      if (static_cast<std::size_t>(response.nodes_size()) >= most_nodes_) {
        cut_ = true;
        return;
      }
      entities_[id] = response.nodes_size();
      v1::GraphNode& node = *response.add_nodes();
      node.set_id(id);
      node.set_title(std::string(key));
      node.set_color("#808080");
    }
    AddEdge(id, EpisodeKey(one.level, one.episode), std::to_string(count), response);
  }

  static void AddEdge(const std::string& source, const std::string& target, std::string stat,
                      v1::SubgraphResponse& response) {
    v1::GraphEdge& edge = *response.add_edges();
    edge.set_id(Concat(source, "-", target));
    edge.set_source(source);
    edge.set_target(target);
    edge.set_main_stat(std::move(stat));
  }

  const std::size_t most_nodes_;
  const std::int32_t lowest_;
  bool cut_ = false;
  std::vector<PickedEpisode> picked_;
  std::map<std::string, int> entities_;  // place among the nodes
};

absl::StatusOr<v1::SubgraphResponse> Subgraph(GraphHost& host, const CallContext& context,
                                              const v1::SubgraphRequest& request) {
  WEFT_ASSIGN(const std::int64_t most,
              CheckedCount("max_nodes", request.max_nodes(), kNodesDefault, kNodesMax));
  WEFT_ASSIGN(const std::int32_t lowest, CheckedLevel(request.min_level(), 1));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  v1::SubgraphResponse response;
  EpisodeGraph graph(static_cast<std::size_t>(most), lowest);
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           if (view.level_count() == 0) return absl::OkStatus();
                           const Stretch stretch = StretchOf(request, view);
                           EpisodeRange roots =
                               view.Overlapping(view.level_count(), stretch.from_us, stretch.to_us);
                           if (request.id() != 0) {
                             WEFT_ASSIGN(roots, FindEpisode(view, request.id()));
                           }
                           graph.Collect(view, roots);
                           return absl::OkStatus();
                         }));
  graph.Fill(host.interner(), names, response);
  return response;
}

}  // namespace

void RegisterEntityHandlers(GraphHost* host, Dispatcher& dispatcher) {
  dispatcher.Register<v1::FollowEntityRequest, v1::FollowEntityResponse>(
      "/weft.v1.HierarchyService/FollowEntity",
      [host](const CallContext& context, const v1::FollowEntityRequest& request) {
        return FollowEntity(*host, context, request);
      });
  dispatcher.Register<v1::SubgraphRequest, v1::SubgraphResponse>(
      "/weft.v1.HierarchyService/Subgraph",
      [host](const CallContext& context, const v1::SubgraphRequest& request) {
        return Subgraph(*host, context, request);
      });
}

}  // namespace weft::rpc
