#include "rpc/hierarchy_handlers.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/episode_message.h"
#include "rpc/error_details.h"
#include "rpc/list_limits.h"
#include "rpc/read_hierarchy.h"
#include "rpc/read_salience.h"

namespace weft::rpc {
namespace {

using operators::hierarchy::HierarchyReader;

constexpr int kOneNames = 16;
constexpr int kEntitiesMax = 256;

absl::StatusOr<std::int64_t> FixedNats(std::string_view field, double nats) {
  if (!(nats >= 0.0 && nats <= 1e9))
    return InvalidField(field, graph::Concat("expected 0 to 1e9, got ", nats));
  return static_cast<std::int64_t>(std::ldexp(nats, cache::kLikelihoodBits));
}

// Which episodes a timeline is asked for.
class TimelineFilter {
 public:
  TimelineFilter(const v1::TimelineRequest& request, const Interner& interner) {
    for (const std::string& entity : request.entity()) nodes_.insert(interner.Find(entity));
    for (const int state : request.state()) states_.insert(state);
  }
  bool everything() const { return nodes_.empty() && states_.empty(); }
  bool Wants(const cache::EpisodeView& view, std::int32_t level, std::int64_t number) const {
    if (!states_.empty() && !states_.contains(StateMessage(view.StateOf(level, number))))
      return false;
    if (nodes_.empty()) return true;
    const cache::Episode episode = view.Get(level, number);
    return std::ranges::any_of(episode.nodes, [this](const cache::TopNode& node) {
      return node.count > 0 && nodes_.contains(node.node);
    });
  }

 private:
  std::set<graph::NodeId> nodes_;
  std::set<int> states_;
};

// Of now, also those that lie beyond the latest snapshot.
std::vector<graph::Mark> MarksIn(const v1::TimelineRequest& request, const cache::EpisodeView& view,
                                 const HierarchyReader& reader, std::size_t most) {
  constexpr graph::TimeUs kFirst = graph::kBeforeAllTime, kLast = graph::kAfterAllTime;
  return reader.marks().In(request.has_from_us() ? request.from_us() : kFirst,
                           request.has_to_us() ? request.to_us() : kLast,
                           view.is_past() ? view.known_until_us() : kLast, most);
}

absl::Status Timeline(GraphHost& host, const CallContext& context,
                      const v1::TimelineRequest& request, v1::TimelineResponse& response) {
  WEFT_ASSIGN(const std::int64_t most,
              CheckedCount("max_items", request.max_items(), kListDefault, kListMax));
  WEFT_ASSIGN(const std::int32_t level, CheckedLevel(request.level(), 0));
  WEFT_ASSIGN(const std::int64_t least_salience, FixedNats("min_salience", request.min_salience()));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  if (request.entity_size() > kEntitiesMax)
    return InvalidField("entity", graph::Concat("expected at most ", kEntitiesMax, " keys, got ",
                                                request.entity_size()));
  const TimelineFilter filter(request, host.interner());
  std::vector<std::pair<PickedEpisode, std::int64_t>> items;
  std::vector<graph::Mark> marks;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader& reader) {
                           const Stretch stretch = StretchOf(request, view);
                           marks = MarksIn(request, view, reader, static_cast<std::size_t>(most));
                           cache::TimelineQuery query = {.from_us = stretch.from_us,
                                                         .to_us = stretch.to_us,
                                                         .most_items = most,
                                                         .level = level,
                                                         .least_salience = least_salience};
                           if (!filter.everything())
                             query.wanted = [&](std::int32_t of, std::int64_t number) {
                               return filter.Wants(view, of, number);
                             };
                           const cache::Timeline timeline = cache::DecimatedTimeline(view, query);
                           items.reserve(timeline.items.size());
                           for (const auto& [number, hidden] : timeline.items)
                             items.emplace_back(PickEpisode(view, timeline.level, number), hidden);
                           response.set_level(timeline.level);
                           response.set_episode_count(timeline.episodes);
                           response.set_cut(timeline.cut);
                           return absl::OkStatus();
                         }));
  for (const auto& [picked, hidden] : items) {
    v1::TimelineItem& item = *response.add_item();
    FillEpisode(picked, host.interner(), names, *item.mutable_episode());
    item.set_hidden_count(hidden);
  }
  for (const graph::Mark& mark : marks) {
    v1::TimelineMark& message = *response.add_mark();
    message.set_begin_us(mark.begin_us);
    message.set_end_us(mark.end_us);
    message.set_kind(mark.kind);
    message.set_text(mark.text);
    if (mark.node != graph::kNoNode) {
      const std::string_view key = host.interner().Key(mark.node);
      message.set_entity(key.data(), key.size());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::GetEpisodeResponse> GetEpisode(GraphHost& host, const CallContext& context,
                                                  const v1::GetEpisodeRequest& request) {
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kOneNames));
  v1::GetEpisodeResponse response;
  PickedEpisode picked;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           WEFT_ASSIGN(const EpisodeRange found, FindEpisode(view, request.id()));
                           picked = PickEpisode(view, found.level, found.begin);
                           return absl::OkStatus();
                         }));
  if (!host.FindSalienceNode(response.tree().node()).empty())
    WEFT_TRY(ReadSalience(host, context, response.tree().node(), std::span(&picked, 1)));
  FillEpisode(picked, host.interner(), names, *response.mutable_episode());
  return response;
}

absl::StatusOr<v1::AncestorsResponse> Ancestors(GraphHost& host, const CallContext& context,
                                                const v1::AncestorsRequest& request) {
  WEFT_ASSIGN(const std::int32_t highest, CheckedLevel(request.max_level(), cache::kMostLevels));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  v1::AncestorsResponse response;
  std::vector<PickedEpisode> picked;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           WEFT_ASSIGN(const EpisodeRange found, FindEpisode(view, request.id()));
                           std::int64_t number = found.begin;
                           const std::int32_t top = std::min(highest, view.level_count());
                           for (std::int32_t level = found.level; level < top; ++level) {
                             number = view.Parent(level, number);
                             picked.push_back(PickEpisode(view, level + 1, number));
                           }
                           return absl::OkStatus();
                         }));
  FillEpisodes(picked, host.interner(), names, response);
  return response;
}

absl::StatusOr<v1::AtResponse> At(GraphHost& host, const CallContext& context,
                                  const v1::AtRequest& request) {
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  v1::AtResponse response;
  std::vector<PickedEpisode> picked;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           for (std::int32_t level = 1; level <= view.level_count(); ++level) {
                             const EpisodeRange found =
                                 view.Overlapping(level, request.time_us(), request.time_us() + 1);
                             if (found.begin < found.end)
                               picked.push_back(PickEpisode(view, level, found.begin));
                           }
                           return absl::OkStatus();
                         }));
  FillEpisodes(picked, host.interner(), names, response);
  return response;
}

bool HasRelation(const cache::EpisodeView& view, std::int32_t level, std::int64_t number,
                 Stretch stretch, v1::EpisodeRelation relation) {
  const std::int64_t begin_us = view.BeginUs(level, number), end_us = view.EndUs(level, number);
  const bool begins = begin_us >= stretch.from_us;
  const bool ends = end_us <= stretch.to_us;
  switch (relation) {
    case v1::EPISODE_RELATION_WITHIN:
      return begins && ends;
    case v1::EPISODE_RELATION_COVERS:
      return begin_us <= stretch.from_us && end_us >= stretch.to_us;
    case v1::EPISODE_RELATION_BEGINS:
      return begins;
    case v1::EPISODE_RELATION_ENDS:
      return ends;
    default:
      return true;
  }
}

absl::StatusOr<v1::OverlapsResponse> Overlaps(GraphHost& host, const CallContext& context,
                                              const v1::OverlapsRequest& request) {
  WEFT_ASSIGN(const std::int32_t level, CheckedLevel(request.level(), 1));
  WEFT_ASSIGN(const std::int64_t limit,
              CheckedCount("limit", request.limit(), kListDefault, kListMax));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  v1::OverlapsResponse response;
  std::vector<PickedEpisode> picked;
  WEFT_TRY(
      ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                    [&](const cache::EpisodeView& view, const HierarchyReader&) -> absl::Status {
                      const Stretch stretch = StretchOf(request, view);
                      EpisodeRange range = RangeOf(view, level, stretch);
                      if (request.after_id() != 0) {
                        WEFT_ASSIGN(const EpisodeRange last, FindEpisode(view, request.after_id()));
                        if (last.level != level)
                          return InvalidField("after_id", "expected an episode of the same level");
                        range.begin = std::max(range.begin, last.end);
                      }
                      for (std::int64_t number = range.begin; number < range.end; ++number) {
                        // Of a range only the first and the last episodes can fail.
                        if (!HasRelation(view, level, number, stretch, request.relation()))
                          continue;
                        response.set_more(static_cast<std::int64_t>(picked.size()) == limit);
                        if (response.more()) break;
                        picked.push_back(PickEpisode(view, level, number));
                      }
                      return absl::OkStatus();
                    }));
  FillEpisodes(picked, host.interner(), names, response);
  return response;
}

absl::StatusOr<v1::BoundariesResponse> Boundaries(GraphHost& host, const CallContext& context,
                                                  const v1::BoundariesRequest& request) {
  WEFT_ASSIGN(const std::int32_t level, CheckedLevel(request.level(), 1));
  WEFT_ASSIGN(const std::int64_t limit,
              CheckedCount("limit", request.limit(), kListDefault, kListMax));
  const std::int64_t least = cache::FixedStrength(level, request.min_strength());
  v1::BoundariesResponse response;
  WEFT_TRY(ReadHierarchy(
      host, context, request.tree(), *response.mutable_tree(),
      [&](const cache::EpisodeView& view, const HierarchyReader&) {
        const Stretch stretch = StretchOf(request, view);
        EpisodeRange range = RangeOf(view, level, stretch);
        // Boundaries are the begins of episodes; that of the first may lie before.
        if (range.begin < range.end && view.BeginUs(level, range.begin) < stretch.from_us)
          ++range.begin;
        std::int64_t visited = 0;
        const auto found = cache::ClearBoundaries(view, range, least,
                                                  static_cast<std::size_t>(limit) + 1, visited);
        response.set_more(static_cast<std::int64_t>(found.size()) > limit);
        for (const std::int64_t number : found) {
          if (response.boundary_size() == limit) break;
          v1::Boundary& boundary = *response.add_boundary();
          boundary.set_time_us(view.BeginUs(level, number));
          boundary.set_snapshot(view.Begin(level, number));
          boundary.set_strength(cache::BoundaryStrength(level, view.Score(level, number)));
          boundary.set_id(cache::EpisodeId({level, view.Begin(level, number)}));
        }
        return absl::OkStatus();
      }));
  return response;
}

void FillLevel(const cache::EpisodeView& view, std::int32_t level, v1::LevelStats& stats) {
  const EpisodeRange closed = view.Closed(level);
  const auto count = static_cast<double>(closed.end - closed.begin);
  stats.set_level(level);
  stats.set_closed_count(closed.end);
  stats.set_kept_count(closed.end - closed.begin);
  stats.set_kept_from_us(view.BeginUs(level, closed.begin));
  if (closed.begin == closed.end) return;
  const auto& kept = view.tree().closed(level);
  const cache::Episode& first = kept[closed.begin];
  const cache::Episode& last = kept[closed.end - 1];
  stats.set_mean_snapshots(static_cast<double>(last.end - first.begin) / count);
  stats.set_mean_seconds(static_cast<double>(last.end_us - first.begin_us) * 1e-6 / count);
  stats.set_mean_children(
      static_cast<double>(last.first_child + last.child_count - first.first_child) / count);
}

absl::StatusOr<v1::StatsResponse> Stats(GraphHost& host, const CallContext& context,
                                        const v1::StatsRequest& request) {
  v1::StatsResponse response;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           for (std::int32_t level = 1; level <= view.level_count(); ++level)
                             FillLevel(view, level, *response.add_level());
                           response.set_bytes(view.tree().bytes());
                           response.set_begin_us(view.tree().begin_us());
                           return absl::OkStatus();
                         }));
  return response;
}

}  // namespace

void RegisterHierarchyHandlers(GraphHost* host, Dispatcher& dispatcher) {
  RegisterMixHandlers(host, dispatcher);
  RegisterEntityHandlers(host, dispatcher);
  RegisterSalienceHandlers(host, dispatcher);
  const auto add =
      [&]<class Request, class Response>(
          std::string_view method,
          absl::StatusOr<Response> (*handler)(GraphHost&, const CallContext&, const Request&)) {
        dispatcher.Register<Request, Response>(
            graph::Concat("/weft.v1.HierarchyService/", method),
            [host, handler](const CallContext& context, const Request& request) {
              return handler(*host, context, request);
            });
      };
  dispatcher.RegisterLarge<v1::TimelineRequest, v1::TimelineResponse>(
      "/weft.v1.HierarchyService/Timeline",
      [host](const CallContext& context, const v1::TimelineRequest& request,
             v1::TimelineResponse& response) {
        return Timeline(*host, context, request, response);
      });
  add("GetEpisode", &GetEpisode);
  add("Ancestors", &Ancestors);
  add("At", &At);
  add("Overlaps", &Overlaps);
  add("Boundaries", &Boundaries);
  add("Stats", &Stats);
}

}  // namespace weft::rpc
