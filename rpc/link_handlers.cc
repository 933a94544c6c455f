#include "rpc/link_handlers.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/link_types.h"
#include "rpc/error_details.h"
#include "rpc/link_past.h"
#include "rpc/list_limits.h"
#include "rpc/position.h"
#include "rpc/read_predictor.h"
#include "rpc/wait_position.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::kNoNode;
using graph::LogPosition;
using graph::NodeId;
using operators::link::CoverageEstimate;
using operators::link::LinkChoice;
using operators::link::LinkQuestion;
using operators::link::LinkReader;
using operators::link::PairScore;

constexpr int kPairsMax = 4096;
constexpr int kCandidatesDefault = 1000;
constexpr int kCandidatesMax = 10000;

absl::Status CheckFinite(std::span<const PairScore> scores) {
  for (const PairScore& score : scores) {
    if (!std::isfinite(score.probability) || !std::isfinite(score.joint)) {
      return absl::InternalError("the model gave a score that is not a finite number");
    }
  }
  return absl::OkStatus();
}

struct Ranked {
  std::size_t candidate = 0;
  std::string_view key;
  float score = 0;
};

v1::RankedTarget ToMessage(const Ranked& ranked, bool known) {
  v1::RankedTarget message;
  message.set_target(ranked.key.data(), ranked.key.size());
  message.set_score(ranked.score);
  message.set_known(known);
  return message;
}

// The predictor that was chosen as it was when the question says. Figures that let a baseline
// answer are of now: of the past the learned model is asked.
absl::StatusOr<LinkPast> AskPast(GraphHost& host, const CallContext& context, LinkChoice chosen,
                                 v1::ScoringModel& model, v1::LogPosition& position,
                                 PastQuestion question) {
  if (!chosen.reason.empty()) {
    chosen = {.learned = chosen.learned, .answering = chosen.learned, .reason = ""};
  }
  std::unique_ptr<operators::link::LinkModel> fork;
  WEFT_TRY(ReadPredictor(host, context, chosen, model, position,
                         [&](const LinkReader& reader) { fork = reader.Fork(kPastNodes); }));
  WEFT_ASSIGN(const LogPosition applied, DecodePosition(position));
  question.feed = applied.feed;
  WEFT_ASSIGN(LinkPast past, RecallPast(host, context, std::move(fork), question));
  position = EncodePosition(past.position);
  return past;
}

// The set among candidates with these scores: the best one at least.
v1::CoverageSet SetOf(const CoverageEstimate& estimate, std::span<const PairScore> scores) {
  v1::CoverageSet set;
  const auto in_set = std::ranges::count_if(
      scores, [&](const PairScore& score) { return score.joint >= estimate.threshold; });
  set.set_coverage(estimate.coverage);
  if (estimate.threshold != CoverageEstimate::kNoThreshold) set.set_threshold(estimate.threshold);
  set.set_set_size(scores.empty() ? 0 : std::max<std::int64_t>(1, in_set));
  set.set_held(estimate.held);
  set.set_events(estimate.events);
  return set;
}

// The first `count` by falling score, then key.
void KeepBest(std::vector<Ranked>& ranked, std::size_t count) {
  count = std::min(count, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count),
                    ranked.end(), [](const Ranked& a, const Ranked& b) {
                      return a.score != b.score ? a.score > b.score : a.key < b.key;
                    });
  ranked.resize(count);
}

void ScoreTargets(const LinkPast& past, NodeId source, std::span<const NodeId> targets,
                  std::vector<PairScore>& scores) {
  scores.resize(targets.size());
  const std::vector<NodeId> sources(targets.size(), source);
  past.model->ScorePairs(sources, targets, past.time_us, scores);
}

bool IsKnown(NodeId node, const std::optional<LinkPast>& past) {
  return past ? past->known.contains(node) : node != kNoNode;
}

std::vector<NodeId> Distinct(std::vector<NodeId> nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

// A past time is a place in the log already.
absl::Status CheckMinPosition(bool has_min_position, bool has_as_of) {
  if (!has_min_position || !has_as_of) return absl::OkStatus();
  return InvalidField("min_position", "expected none together with as_of_us");
}

absl::Status CheckRanking(const v1::RankTargetsRequest& request, int top, int most) {
  if (top < 1 || top > kTopMax) {
    return InvalidField("top_k", Concat("expected 1 to ", kTopMax, ", got ", top));
  }
  if (most < 1 || most > kCandidatesMax) {
    return InvalidField("max_candidates", Concat("expected 1 to ", kCandidatesMax, ", got ", most));
  }
  if (request.coverage() != 0 && !(request.coverage() > 0 && request.coverage() < 1)) {
    return InvalidField("coverage",
                        Concat("expected over 0 and under 1, got ", request.coverage()));
  }
  if (!request.has_as_of_us()) return absl::OkStatus();
  if (request.coverage() != 0) {
    return InvalidField("coverage",
                        "expected none together with as_of_us: it is known of the present alone");
  }
  if (most <= kPastTargetsMax) return absl::OkStatus();
  return InvalidField("max_candidates", Concat("expected at most ", kPastTargetsMax,
                                               " together with as_of_us, got ", most));
}

}  // namespace

absl::StatusOr<v1::ScoreLinksResponse> ScoreLinks(GraphHost& host, PredictorChoice& choice,
                                                  const CallContext& context,
                                                  const v1::ScoreLinksRequest& request) {
  WEFT_TRY(host.CheckServing());
  if (request.pair_size() == 0 || request.pair_size() > kPairsMax) {
    return InvalidField("pair",
                        Concat("expected 1 to ", kPairsMax, " pairs, got ", request.pair_size()));
  }
  WEFT_TRY(CheckMinPosition(request.has_min_position(), request.has_as_of_us()));
  if (request.has_min_position()) {
    WEFT_TRY(WaitForPosition(host, context, request.min_position()));
  }
  const auto count = static_cast<std::size_t>(request.pair_size());
  std::vector<NodeId> source(count);
  std::vector<NodeId> target(count);
  std::vector<PairScore> score(count);
  for (std::size_t i = 0; i < count; ++i) {
    source[i] = host.interner().Find(request.pair(static_cast<int>(i)).source());
    target[i] = host.interner().Find(request.pair(static_cast<int>(i)).target());
  }
  WEFT_ASSIGN(const LinkChoice chosen,
              ChoosePredictor(choice, context, request.node(), LinkQuestion::kPairs));
  v1::ScoreLinksResponse response;
  std::optional<LinkPast> past;
  if (request.has_as_of_us()) {
    PastQuestion question{
        .as_of_us = request.as_of_us(), .sources = Distinct(source), .targets = Distinct(target)};
    const std::size_t node_count = question.sources.size() + question.targets.size();
    if (node_count > kPastPairNodesMax) {
      return InvalidField("pair", Concat("expected at most ", kPastPairNodesMax,
                                         " nodes together with as_of_us, got ", node_count));
    }
    WEFT_ASSIGN(past, AskPast(host, context, chosen, *response.mutable_model(),
                              *response.mutable_position(), std::move(question)));
    past->model->ScorePairs(source, target, past->time_us, score);
  } else {
    WEFT_TRY(ReadPredictor(
        host, context, chosen, *response.mutable_model(), *response.mutable_position(),
        [&](const LinkReader& reader) { reader.ScorePairs(source, target, score); }));
  }
  WEFT_TRY(CheckFinite(score));
  for (std::size_t i = 0; i < count; ++i) {
    v1::LinkScore& entry = *response.add_score();
    entry.set_score(score[i].probability);
    entry.set_source_known(IsKnown(source[i], past));
    entry.set_target_known(IsKnown(target[i], past));
  }
  return response;
}

absl::StatusOr<v1::RankTargetsResponse> RankTargets(GraphHost& host, PredictorChoice& choice,
                                                    const CallContext& context,
                                                    const v1::RankTargetsRequest& request) {
  WEFT_TRY(host.CheckServing());
  const bool wants_set = request.coverage() != 0;
  const int top_default = wants_set ? kTopMax : kTopDefault;
  const int top = request.top_k() == 0 ? top_default : request.top_k();
  const int most = request.max_candidates() == 0 ? kCandidatesDefault : request.max_candidates();
  WEFT_TRY(CheckRanking(request, top, most));
  WEFT_TRY(CheckMinPosition(request.has_min_position(), request.has_as_of_us()));
  if (request.has_min_position()) {
    WEFT_TRY(WaitForPosition(host, context, request.min_position()));
  }
  const bool given = request.target_size() > 0;
  std::vector<NodeId> targets;
  for (int i = 0; i < std::min(request.target_size(), most); ++i) {
    targets.push_back(host.interner().Find(request.target(i)));
  }
  const NodeId source = host.interner().Find(request.source());
  std::int64_t available = request.target_size();
  std::vector<PairScore> scores;
  std::optional<CoverageEstimate> estimate;
  WEFT_ASSIGN(const LinkChoice chosen,
              ChoosePredictor(choice, context, request.node(), LinkQuestion::kTargets));
  std::optional<LinkPast> past;
  v1::RankTargetsResponse response;
  if (request.has_as_of_us()) {
    PastQuestion question{.as_of_us = request.as_of_us(), .sources = {source}, .targets = targets};
    if (!given) question.max_targets = most;
    WEFT_ASSIGN(past, AskPast(host, context, chosen, *response.mutable_model(),
                              *response.mutable_position(), std::move(question)));
    if (!given) targets = past->targets;
    if (!given) available = past->available_targets;
    ScoreTargets(*past, source, targets, scores);
  } else {
    WEFT_TRY(ReadPredictor(host, context, chosen, *response.mutable_model(),
                           *response.mutable_position(), [&](const LinkReader& reader) {
                             if (!given) targets = reader.RecentTargets(most);
                             if (!given) available = reader.known_target_count();
                             scores.resize(targets.size());
                             const std::vector<NodeId> sources(targets.size(), source);
                             reader.ScorePairs(sources, targets, scores);
                             if (wants_set) estimate = reader.Coverage(request.coverage());
                           }));
  }
  WEFT_TRY(CheckFinite(scores));
  std::vector<Ranked> ranked(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::string_view key = given ? std::string_view(request.target(static_cast<int>(i)))
                                       : host.interner().Key(targets[i]);
    ranked[i] = {i, key, scores[i].joint};
  }
  response.set_candidate_count(static_cast<std::int64_t>(targets.size()));
  response.set_cut(available > static_cast<std::int64_t>(targets.size()));
  response.set_source_known(IsKnown(source, past));
  std::size_t shown = static_cast<std::size_t>(top);
  if (wants_set) {
    if (!estimate) {
      return absl::FailedPreconditionError(
          Concat("node \"", response.model().node(), "\" keeps no account of coverage"));
    }
    *response.mutable_coverage() = SetOf(*estimate, scores);
    shown = std::min(shown, static_cast<std::size_t>(response.coverage().set_size()));
  }
  KeepBest(ranked, shown);
  for (const Ranked& best : ranked) {
    *response.add_target() = ToMessage(best, IsKnown(targets[best.candidate], past));
  }
  return response;
}

void RegisterLinkHandlers(GraphHost* host, const std::shared_ptr<PredictorChoice>& choice,
                          Dispatcher& dispatcher) {
  dispatcher.Register<v1::ScoreLinksRequest, v1::ScoreLinksResponse>(
      "/weft.v1.LinkService/ScoreLinks",
      [host, choice](const CallContext& context, const v1::ScoreLinksRequest& request) {
        return ScoreLinks(*host, *choice, context, request);
      });
  dispatcher.Register<v1::RankTargetsRequest, v1::RankTargetsResponse>(
      "/weft.v1.LinkService/RankTargets",
      [host, choice](const CallContext& context, const v1::RankTargetsRequest& request) {
        return RankTargets(*host, *choice, context, request);
      });
  dispatcher.Register<v1::GetEvaluationRequest, v1::GetEvaluationResponse>(
      "/weft.v1.LinkService/GetEvaluation",
      [host](const CallContext& context, const v1::GetEvaluationRequest& request) {
        return GetEvaluation(*host, context, request);
      });
}

}  // namespace weft::rpc
