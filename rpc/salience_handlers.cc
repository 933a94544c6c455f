#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/learn/vertex_infomax.h"
#include "rpc/episode_message.h"
#include "rpc/error_details.h"
#include "rpc/hierarchy_handlers.h"
#include "rpc/list_limits.h"
#include "rpc/read_hierarchy.h"
#include "rpc/read_salience.h"

namespace weft::rpc {
namespace {

using operators::hierarchy::HierarchyReader;

absl::StatusOr<std::vector<PickedEpisode>> TopLearned(GraphHost& host, const CallContext& context,
                                                      const v1::TopSalientRequest& request,
                                                      std::int32_t level, std::size_t most,
                                                      v1::TreeState& state) {
  EpisodeRange range = {level, 0, 0};
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), state,
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           range = RangeOf(view, level, StretchOf(request, view));
                           if (range.begin < range.end)
                             range.end = std::min(range.end, view.Final(level).end);
                           return absl::OkStatus();
                         }));
  WEFT_ASSIGN(const std::vector<std::int64_t> numbers,
              HighestLearned(host, context, state.node(), range, most));
  std::vector<PickedEpisode> picked;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), state,
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           if (level > view.level_count()) return absl::OkStatus();
                           for (const std::int64_t number : numbers)
                             if (number >= view.All(level).begin)
                               picked.push_back(PickEpisode(view, level, number));
                           return absl::OkStatus();
                         }));
  WEFT_TRY(ReadSalience(host, context, state.node(), picked));
  return picked;
}

absl::StatusOr<std::vector<PickedEpisode>> TopCounted(GraphHost& host, const CallContext& context,
                                                      const v1::TopSalientRequest& request,
                                                      std::int32_t level, std::size_t most,
                                                      v1::TreeState& state) {
  const cache::EpisodeOrder order = request.order() == v1::EPISODE_ORDER_BOUNDARY
                                        ? cache::EpisodeOrder::kBoundary
                                        : cache::EpisodeOrder::kSalience;
  std::vector<PickedEpisode> picked;
  WEFT_TRY(ReadHierarchy(
      host, context, request.tree(), state,
      [&](const cache::EpisodeView& view, const HierarchyReader&) {
        const EpisodeRange range = RangeOf(view, level, StretchOf(request, view));
        std::int64_t visited = 0;
        for (const std::int64_t number : cache::Highest(view, range, order, most, visited))
          picked.push_back(PickEpisode(view, level, number));
        return absl::OkStatus();
      }));
  return picked;
}

absl::StatusOr<v1::TopSalientResponse> TopSalient(GraphHost& host, const CallContext& context,
                                                  const v1::TopSalientRequest& request) {
  WEFT_ASSIGN(const std::int32_t level, CheckedLevel(request.level(), 1));
  WEFT_ASSIGN(const std::int64_t top, CheckedCount("top_k", request.top_k(), kTopDefault, kTopMax));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  v1::TopSalientResponse response;
  const auto find = request.order() == v1::EPISODE_ORDER_LEARNED ? &TopLearned : &TopCounted;
  WEFT_ASSIGN(
      const std::vector<PickedEpisode> picked,
      find(host, context, request, level, static_cast<std::size_t>(top), *response.mutable_tree()));
  FillEpisodes(picked, host.interner(), names, response);
  return response;
}

// The episodes that are part of one.
class DescendantList {
 public:
  DescendantList(std::int32_t lowest, std::size_t most) : lowest_(lowest), most_(most) {}

  // Those of an episode, parents before children, in order of time. False once there are as many as
  // may be.
  bool Add(const cache::EpisodeView& view, std::int32_t level, std::int64_t number) {
    if (level <= lowest_) return true;
    const EpisodeRange children = view.Children(level, number);
    for (std::int64_t child = children.begin; child < children.end; ++child) {
      if (episodes_.size() == most_) return false;
      episodes_.push_back(PickEpisode(view, level - 1, child));
      if (!Add(view, level - 1, child)) return false;
    }
    return true;
  }

  std::vector<PickedEpisode>& episodes() { return episodes_; }

  // Of the children of each episode keeps a share, and with a child goes what is part of it.
  void Compress(double share) {
    std::map<std::uint64_t, std::vector<std::size_t>> children;  // places by parent
    for (std::size_t i = 0; i < episodes_.size(); ++i)
      children[episodes_[i].parent_id].push_back(i);
    std::vector<bool> goes(episodes_.size());
    for (const auto& [parent, places] : children) {
      std::vector<float> score;
      for (const std::size_t place : places)
        if (const auto& learned = episodes_[place].learned) score.push_back(learned->score);
      if (score.size() < places.size()) continue;
      const std::int64_t whole[] = {0, static_cast<std::int64_t>(score.size())};
      for (const std::size_t place : places) goes[place] = true;
      for (const std::uint32_t kept : operators::learn::KeepHighest(score, whole, share))
        goes[places[kept]] = false;
    }
    std::set<std::uint64_t> gone;
    std::vector<PickedEpisode> kept;
    for (std::size_t i = 0; i < episodes_.size(); ++i) {
      const PickedEpisode& one = episodes_[i];
      if (goes[i] || gone.contains(one.parent_id)) {
        gone.insert(cache::EpisodeId({one.level, one.episode.begin}));
      } else {
        kept.push_back(one);
      }
    }
    episodes_ = std::move(kept);
  }

 private:
  const std::int32_t lowest_;
  const std::size_t most_;
  std::vector<PickedEpisode> episodes_;
};

absl::StatusOr<v1::DescendantsResponse> Descendants(GraphHost& host, const CallContext& context,
                                                    const v1::DescendantsRequest& request) {
  WEFT_ASSIGN(const std::int32_t lowest, CheckedLevel(request.min_level(), 1));
  WEFT_ASSIGN(const std::int64_t limit,
              CheckedCount("limit", request.limit(), kListDefault, kListMax));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  const double share = request.keep_share();
  if (!(share >= 0.0 && share <= 1.0))
    return InvalidField("keep_share", graph::Concat("expected 0 to 1, got ", share));
  v1::DescendantsResponse response;
  const auto most = static_cast<std::size_t>(share > 0.0 ? kListMax : limit);
  DescendantList descendants(lowest, most);
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           WEFT_ASSIGN(const EpisodeRange found, FindEpisode(view, request.id()));
                           response.set_more(!descendants.Add(view, found.level, found.begin));
                           return absl::OkStatus();
                         }));
  std::vector<PickedEpisode>& episodes = descendants.episodes();
  if (share > 0.0) {
    WEFT_TRY(ReadSalience(host, context, response.tree().node(), episodes));
    descendants.Compress(share);
    response.set_more(response.more() || episodes.size() > static_cast<std::size_t>(limit));
    episodes.resize(std::min(episodes.size(), static_cast<std::size_t>(limit)));
  }
  FillEpisodes(episodes, host.interner(), names, response);
  return response;
}

}  // namespace

void RegisterSalienceHandlers(GraphHost* host, Dispatcher& dispatcher) {
  dispatcher.Register<v1::TopSalientRequest, v1::TopSalientResponse>(
      "/weft.v1.HierarchyService/TopSalient",
      [host](const CallContext& context, const v1::TopSalientRequest& request) {
        return TopSalient(*host, context, request);
      });
  dispatcher.Register<v1::DescendantsRequest, v1::DescendantsResponse>(
      "/weft.v1.HierarchyService/Descendants",
      [host](const CallContext& context, const v1::DescendantsRequest& request) {
        return Descendants(*host, context, request);
      });
}

}  // namespace weft::rpc
