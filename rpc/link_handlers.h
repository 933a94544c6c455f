// The unary methods of LinkService as plain functions. They reach operators through
// graph::Graph::Read and LinkReader.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "rpc/predictor_choice.h"
#include "weft/v1/link.pb.h"

namespace weft::rpc {

// `host` outlives what is registered.
void RegisterLinkHandlers(GraphHost* host, const std::shared_ptr<PredictorChoice>& choice,
                          Dispatcher& dispatcher);

absl::StatusOr<v1::ScoreLinksResponse> ScoreLinks(GraphHost& host, PredictorChoice& choice,
                                                  const CallContext& context,
                                                  const v1::ScoreLinksRequest& request);
absl::StatusOr<v1::RankTargetsResponse> RankTargets(GraphHost& host, PredictorChoice& choice,
                                                    const CallContext& context,
                                                    const v1::RankTargetsRequest& request);
absl::StatusOr<v1::GetEvaluationResponse> GetEvaluation(GraphHost& host, const CallContext& context,
                                                        const v1::GetEvaluationRequest& request);

}  // namespace weft::rpc
