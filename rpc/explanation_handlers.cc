#include "rpc/explanation_handlers.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/link_handlers.h"
#include "rpc/read_predictor.h"
#include "rpc/wait_position.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::kNoNode;
using operators::link::LinkChoice;
using operators::link::LinkQuestion;
using operators::link::LinkReader;
using operators::link::PairExplanation;
using operators::link::PairQuestion;

// Each takes some hundred microseconds of the operator's own time.
constexpr int kExplainedPairsMax = 16;

v1::LinkExplanation ToMessage(const PairExplanation& explanation, const Interner& interner) {
  v1::LinkExplanation message;
  message.set_log_odds(explanation.log_odds);
  message.set_mean_log_odds(explanation.mean_log_odds);
  for (const auto& group : explanation.groups) {
    v1::GroupContribution& entry = *message.add_group();
    entry.set_group(group.group.data(), group.group.size());
    entry.set_log_odds(group.log_odds);
  }
  for (const auto& partner : explanation.partners) {
    v1::PartnerContribution& entry = *message.add_partner();
    const std::string_view key = interner.Key(partner.partner);
    entry.set_partner(key.data(), key.size());
    entry.set_log_odds(partner.log_odds);
    entry.set_sent_count(partner.sent_count);
    entry.set_received_count(partner.received_count);
    if (partner.last_sent_us != graph::kBeforeAllTime) entry.set_last_sent_us(partner.last_sent_us);
    if (partner.last_received_us != graph::kBeforeAllTime) {
      entry.set_last_received_us(partner.last_received_us);
    }
  }
  return message;
}

absl::StatusOr<v1::ExplainLinksResponse> ExplainLinks(GraphHost& host, PredictorChoice& choice,
                                                      const CallContext& context,
                                                      const v1::ExplainLinksRequest& request) {
  WEFT_TRY(host.CheckServing());
  if (request.pair_size() == 0 || request.pair_size() > kExplainedPairsMax) {
    return InvalidField(
        "pair", Concat("expected 1 to ", kExplainedPairsMax, " pairs, got ", request.pair_size()));
  }
  if (request.has_min_position()) {
    WEFT_TRY(WaitForPosition(host, context, request.min_position()));
  }
  const bool ranking = request.score() == v1::EXPLAINED_SCORE_RANKING;
  WEFT_ASSIGN(const LinkChoice chosen,
              ChoosePredictor(choice, context, request.node(),
                              ranking ? LinkQuestion::kTargets : LinkQuestion::kPairs));
  struct Pair {
    graph::NodeId source;
    graph::NodeId target;
  };
  std::vector<Pair> pairs;
  for (const v1::LinkPair& pair : request.pair()) {
    pairs.push_back({host.interner().Find(pair.source()), host.interner().Find(pair.target())});
  }
  std::vector<std::optional<PairExplanation>> explanations;
  v1::ExplainLinksResponse response;
  WEFT_TRY(ReadPredictor(host, context, chosen, *response.mutable_model(),
                         *response.mutable_position(), [&](const LinkReader& reader) {
                           for (const Pair& pair : pairs) {
                             explanations.push_back(reader.Explain(
                                 pair.source, pair.target,
                                 ranking ? PairQuestion::kJoint : PairQuestion::kRandom));
                           }
                         }));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!explanations[i]) {
      return InvalidField("node", Concat("\"", response.model().node(), "\" is a ",
                                         response.model().name(), ", which explains no scores"));
    }
    v1::LinkExplanation& entry = *response.add_explanation();
    entry = ToMessage(*explanations[i], host.interner());
    entry.set_source_known(pairs[i].source != kNoNode);
    entry.set_target_known(pairs[i].target != kNoNode);
  }
  return response;
}

}  // namespace

void RegisterExplanationHandlers(GraphHost* host, std::shared_ptr<PredictorChoice> choice,
                                 Dispatcher& dispatcher) {
  dispatcher.Register<v1::ExplainLinksRequest, v1::ExplainLinksResponse>(
      "/weft.v1.LinkService/ExplainLinks",
      [host, choice = std::move(choice)](const CallContext& context,
                                         const v1::ExplainLinksRequest& request) {
        return ExplainLinks(*host, *choice, context, request);
      });
}

}  // namespace weft::rpc
