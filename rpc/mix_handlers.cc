#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/hierarchy/episode_forecast.h"
#include "rpc/episode_message.h"
#include "rpc/error_details.h"
#include "rpc/hierarchy_handlers.h"
#include "rpc/list_limits.h"
#include "rpc/read_hierarchy.h"

namespace weft::rpc {
namespace {

using operators::hierarchy::HierarchyReader;

constexpr int kDifferencesDefault = 10;
constexpr int kDifferencesMax = 32;
constexpr int kPrecedentsDefault = 5;
constexpr int kPrecedentsMax = 100;
constexpr std::int64_t kHorizonDefaultUs = 30'000'000;
constexpr std::int64_t kHorizonMaxUs = std::int64_t{3652} * 24 * 3600 * 1'000'000;
// Episodes compared in one read: some hundred microseconds.
constexpr std::int64_t kComparedAtOnce = 8192;

// The mixes of pairs of two episodes, by slot.
struct TwoMixes {
  std::vector<std::uint64_t> one, other;
  std::uint64_t one_all = 0, other_all = 0;

  // What a slot adds to the log likelihood ratio of two mixes against one.
  double Nats(std::size_t slot) const {
    const auto a = static_cast<double>(one[slot]), b = static_cast<double>(other[slot]);
    const auto all = static_cast<double>(one_all), other_all_d = static_cast<double>(other_all);
    const double together = (a + b) / (all + other_all_d);
    double nats = 0.0;
    if (a > 0.0) nats += a * std::log(a / all / together);
    if (b > 0.0) nats += b * std::log(b / other_all_d / together);
    return nats;
  }
  double Affinity() const {
    double affinity = 0.0;
    for (std::size_t slot = 0; slot < one.size(); ++slot)
      affinity += std::sqrt(static_cast<double>(one[slot]) * static_cast<double>(other[slot]));
    const double scale = std::sqrt(static_cast<double>(one_all) * static_cast<double>(other_all));
    return scale > 0.0 ? std::min(1.0, affinity / scale) : 0.0;
  }
};

// A pair that one of two episodes names.
struct NamedPair {
  graph::NodeId source = 0, target = 0;
  std::uint64_t one = 0, other = 0;  // interactions
};

// Slots are shared: what one explains is its likeliest pair's, the one that is named most.
std::map<std::uint32_t, NamedPair> NamedPairs(const cache::Episode& one,
                                              const cache::Episode& other, const TwoMixes& mixes) {
  std::map<std::uint32_t, NamedPair> named;
  const auto add = [&](const cache::Episode& episode) {
    for (const cache::TopPair& pair : episode.pairs) {
      if (pair.count == 0) break;
      const std::uint32_t slot = cache::PairSlot(pair.source, pair.target);
      named.try_emplace(slot,
                        NamedPair{pair.source, pair.target, mixes.one[slot], mixes.other[slot]});
    }
  };
  add(one);
  add(other);
  return named;
}

void FillDifferences(const PickedEpisode& one, const PickedEpisode& other, const TwoMixes& mixes,
                     const Interner& interner, std::size_t limit, v1::CompareResponse& response) {
  const auto named = NamedPairs(one.episode, other.episode, mixes);
  double all_nats = 0.0, named_nats = 0.0;
  for (std::size_t slot = 0; slot < mixes.one.size(); ++slot) all_nats += mixes.Nats(slot);
  std::vector<std::pair<double, NamedPair>> differences;
  for (const auto& [slot, pair] : named) {
    differences.emplace_back(mixes.Nats(slot), pair);
    named_nats += differences.back().first;
  }
  std::ranges::stable_sort(differences,
                           [](const auto& a, const auto& b) { return a.first > b.first; });
  differences.resize(std::min(differences.size(), limit));
  const auto share = [](std::uint64_t count, std::uint64_t all) {
    return all == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(all);
  };
  for (const auto& [nats, pair] : differences) {
    v1::PairDifference& message = *response.add_pair();
    const std::string_view source = interner.Key(pair.source), target = interner.Key(pair.target);
    message.set_source(source.data(), source.size());
    message.set_target(target.data(), target.size());
    message.set_share(share(pair.one, mixes.one_all));
    message.set_other_share(share(pair.other, mixes.other_all));
    message.set_nats(nats);
  }
  response.set_nats(all_nats);
  response.set_unnamed_nats(all_nats - named_nats);
  response.set_affinity(mixes.Affinity());
}

absl::StatusOr<v1::CompareResponse> Compare(GraphHost& host, const CallContext& context,
                                            const v1::CompareRequest& request) {
  WEFT_ASSIGN(const std::int64_t limit,
              CheckedCount("limit", request.limit(), kDifferencesDefault, kDifferencesMax));
  v1::CompareResponse response;
  PickedEpisode one, other;
  TwoMixes mixes;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader&) {
                           const auto take = [&](std::uint64_t id, PickedEpisode& picked,
                                                 std::vector<std::uint64_t>& mix,
                                                 std::uint64_t& all) {
                             WEFT_ASSIGN(const EpisodeRange found, FindEpisode(view, id));
                             picked = PickEpisode(view, found.level, found.begin);
                             const cache::EpisodeSums sums = view.Sums(found.level, found.begin);
                             mix.assign(sums.pair_count().begin(), sums.pair_count().end());
                             all = sums.interactions();
                             return absl::OkStatus();
                           };
                           absl::Status taken = take(request.id(), one, mixes.one, mixes.one_all);
                           if (!taken.ok()) return taken;
                           return take(request.other_id(), other, mixes.other, mixes.other_all);
                         }));
  FillEpisode(one, host.interner(), kListNames, *response.mutable_episode());
  FillEpisode(other, host.interner(), kListNames, *response.mutable_other());
  FillDifferences(one, other, mixes, host.interner(), static_cast<std::size_t>(limit), response);
  return response;
}

// An episode that may be among the most similar ones.
struct SimilarEpisode {
  float affinity = 0;
  PickedEpisode picked;
};

// Goes through the episodes of a level, some thousands a read, so that the operator is never held
// up for long. Those that go or come meanwhile are seen or not.
class SimilarSearch {
 public:
  SimilarSearch(GraphHost& host, const CallContext& context, const v1::SimilarRequest& request,
                std::size_t top)
      : host_(host), context_(context), request_(request), top_(top) {}

  absl::Status Run(v1::SimilarResponse& response) {
    WEFT_ASSIGN(level_, CheckedLevel(request_.level(), 0));
    do {
      WEFT_TRY(ReadHierarchy(host_, context_, request_.tree(), *response.mutable_tree(),
                             [this](const cache::EpisodeView& view, const HierarchyReader& reader) {
                               return CompareSome(view, reader);
                             }));
    } while (next_ < end_);
    response.set_compared_count(compared_count_);
    return absl::OkStatus();
  }

  const std::vector<SimilarEpisode>& best() const { return best_; }

 private:
  absl::Status Begin(const cache::EpisodeView& view, const HierarchyReader& reader) {
    WEFT_ASSIGN(wanted_, FindEpisode(view, request_.id()));
    begin_us_ = view.BeginUs(wanted_.level, wanted_.begin);
    end_us_ = view.EndUs(wanted_.level, wanted_.begin);
    mix_.emplace(view.Sums(wanted_.level, wanted_.begin).pair_count(), reader.exec());
    if (level_ == 0) level_ = wanted_.level;
    if (level_ > view.level_count()) return absl::OkStatus();
    const Stretch stretch = StretchOf(request_, view);
    const EpisodeRange range = view.Overlapping(level_, stretch.from_us, stretch.to_us);
    next_ = range.begin;
    end_ = std::min(range.end, view.Closed(level_).end);
    return absl::OkStatus();
  }

  absl::Status CompareSome(const cache::EpisodeView& view, const HierarchyReader& reader) {
    if (!mix_) WEFT_TRY(Begin(view, reader));
    if (next_ >= end_) return absl::OkStatus();
    const auto& closed = view.tree().closed(level_);
    next_ = std::max(next_, closed.first());
    const std::int64_t begin = next_;
    next_ = std::min(end_, begin + kComparedAtOnce);
    affinity_.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, next_ - begin)));
    mix_->Of(closed, begin, affinity_);
    for (std::int64_t number = begin; number < next_; ++number) {
      if (level_ == wanted_.level && number == wanted_.begin) continue;
      const cache::Episode& episode = closed[number];
      if (!request_.overlapping() && episode.begin_us < end_us_ && episode.end_us > begin_us_)
        continue;
      ++compared_count_;
      Keep(affinity_[static_cast<std::size_t>(number - begin)], view, number);
    }
    return absl::OkStatus();
  }

  void Keep(float affinity, const cache::EpisodeView& view, std::int64_t number) {
    if (best_.size() == top_ && affinity <= best_.back().affinity) return;
    const auto place = std::ranges::upper_bound(best_, affinity, std::ranges::greater(),
                                                &SimilarEpisode::affinity);
    best_.insert(place, {affinity, PickEpisode(view, level_, number)});
    if (best_.size() > top_) best_.pop_back();
  }

  GraphHost& host_;
  const CallContext& context_;
  const v1::SimilarRequest& request_;
  const std::size_t top_;
  std::int32_t level_ = 0;
  EpisodeRange wanted_;
  std::int64_t begin_us_ = 0, end_us_ = 0;
  std::optional<cache::MixAffinity> mix_;
  std::int64_t next_ = 0, end_ = 0;
  std::int64_t compared_count_ = 0;
  std::vector<float> affinity_;
  std::vector<SimilarEpisode> best_;  // the most alike first
};

absl::StatusOr<v1::SimilarResponse> Similar(GraphHost& host, const CallContext& context,
                                            const v1::SimilarRequest& request) {
  WEFT_ASSIGN(const std::int64_t top, CheckedCount("top_k", request.top_k(), kTopDefault, kTopMax));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  v1::SimilarResponse response;
  SimilarSearch search(host, context, request, static_cast<std::size_t>(top));
  WEFT_TRY(search.Run(response));
  for (const SimilarEpisode& similar : search.best()) {
    v1::SimilarEpisode& item = *response.add_item();
    FillEpisode(similar.picked, host.interner(), names, *item.mutable_episode());
    item.set_affinity(std::min(1.0f, similar.affinity));
  }
  return response;
}

// What a forecast needs of the view.
struct PickedForecast {
  PickedEpisode open;
  std::optional<operators::hierarchy::EndForecast> end;
  std::vector<operators::hierarchy::NodeShare> next_nodes;
  struct Precedent {
    PickedEpisode episode, next;
    float affinity = 0;
  };
  std::vector<Precedent> precedents;
};

absl::Status PickForecast(const cache::EpisodeView& view, const HierarchyReader& reader,
                          std::int32_t level, std::int64_t horizon_us, std::size_t top,
                          PickedForecast& picked) {
  if (level > view.level_count() || view.All(level).end == view.Closed(level).end)
    return absl::FailedPreconditionError(graph::Concat("no episode of level ", level, " is open"));
  const std::int64_t open = view.Closed(level).end;
  picked.open = PickEpisode(view, level, open);
  picked.end = operators::hierarchy::DurationHistory(view, level)
                   .ForecastEnd(view.BeginUs(level, open), view.known_until_us(), horizon_us);
  if (!picked.end)
    return absl::FailedPreconditionError(
        graph::Concat("expected at least ", operators::hierarchy::DurationHistory::kFewest,
                      " closed episodes of level ", level, ", got ",
                      view.Closed(level).end - view.Closed(level).begin));
  const cache::EpisodeRing& ring = view.tree().closed(level);
  const auto precedents = operators::hierarchy::FindPrecedents(
      ring, view.Closed(level), open, view.Sums(level, open).pair_count(), top, reader.exec());
  picked.next_nodes = operators::hierarchy::NextNodes(ring, precedents);
  for (const auto& [number, affinity] : precedents)
    picked.precedents.push_back(
        {PickEpisode(view, level, number), PickEpisode(view, level, number + 1), affinity});
  return absl::OkStatus();
}

absl::StatusOr<v1::PredictNextResponse> PredictNext(GraphHost& host, const CallContext& context,
                                                    const v1::PredictNextRequest& request) {
  WEFT_ASSIGN(const std::int32_t level, CheckedLevel(request.level(), 1));
  WEFT_ASSIGN(const std::int64_t top,
              CheckedCount("top_k", request.top_k(), kPrecedentsDefault, kPrecedentsMax));
  WEFT_ASSIGN(const std::int64_t horizon_us,
              CheckedCount("horizon_us", request.horizon_us(), kHorizonDefaultUs, kHorizonMaxUs));
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kListNames));
  v1::PredictNextResponse response;
  PickedForecast picked;
  WEFT_TRY(ReadHierarchy(host, context, request.tree(), *response.mutable_tree(),
                         [&](const cache::EpisodeView& view, const HierarchyReader& reader) {
                           return PickForecast(view, reader, level, horizon_us,
                                               static_cast<std::size_t>(top), picked);
                         }));
  const Interner& interner = host.interner();
  FillEpisode(picked.open, interner, names, *response.mutable_episode());
  response.set_end_p10_us(picked.end->end_us[0]);
  response.set_end_p50_us(picked.end->end_us[1]);
  response.set_end_p90_us(picked.end->end_us[2]);
  response.set_ends_within(picked.end->ends_within);
  response.set_based_on(picked.end->based_on);
  for (const auto& [node, share] : picked.next_nodes) {
    if (response.next_entity_size() == names) break;
    v1::EntityCount& entity = *response.add_next_entity();
    FillEntity(interner.Key(node), 0, 0, entity);
    entity.set_share(share);
  }
  for (const PickedForecast::Precedent& precedent : picked.precedents) {
    v1::EpisodePrecedent& message = *response.add_precedent();
    FillEpisode(precedent.episode, interner, names, *message.mutable_episode());
    FillEpisode(precedent.next, interner, names, *message.mutable_next());
    message.set_affinity(std::min(1.0f, precedent.affinity));
  }
  return response;
}

}  // namespace

void RegisterMixHandlers(GraphHost* host, Dispatcher& dispatcher) {
  dispatcher.Register<v1::CompareRequest, v1::CompareResponse>(
      "/weft.v1.HierarchyService/Compare",
      [host](const CallContext& context, const v1::CompareRequest& request) {
        return Compare(*host, context, request);
      });
  dispatcher.Register<v1::SimilarRequest, v1::SimilarResponse>(
      "/weft.v1.HierarchyService/Similar",
      [host](const CallContext& context, const v1::SimilarRequest& request) {
        return Similar(*host, context, request);
      });
  dispatcher.Register<v1::PredictNextRequest, v1::PredictNextResponse>(
      "/weft.v1.HierarchyService/PredictNext",
      [host](const CallContext& context, const v1::PredictNextRequest& request) {
        return PredictNext(*host, context, request);
      });
}

}  // namespace weft::rpc
