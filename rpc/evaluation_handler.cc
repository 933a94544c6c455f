// LinkService.GetEvaluation: what the graph's evaluation says.
#include <algorithm>
#include <string>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/link_evaluation_reader.h"
#include "rpc/error_details.h"
#include "rpc/link_handlers.h"
#include "rpc/position.h"

namespace weft::rpc {
namespace {

using operators::link::LinkChoice;
using operators::link::LinkEvaluationReader;
using operators::link::LinkEvaluationReport;
using operators::link::LinkQuestion;

v1::ModelFigures FiguresOf(const LinkEvaluationReport& report) {
  v1::ModelFigures figures;
  figures.set_node(report.node);
  figures.set_name(report.model);
  figures.set_version(report.model_version);
  figures.set_learned(report.learned);
  figures.set_events(report.event_count);
  figures.set_window_events(report.window_events);
  figures.set_average_precision(report.ap);
  figures.set_area_under_curve(report.auc);
  if (report.log_loss) figures.set_log_loss(*report.log_loss);
  figures.set_ranked_events(report.ranked_events);
  if (report.mrr) figures.set_mean_reciprocal_rank(*report.mrr);
  figures.set_time_us(report.time_us);
  return figures;
}

}  // namespace

absl::StatusOr<v1::GetEvaluationResponse> GetEvaluation(GraphHost& host, const CallContext& context,
                                                        const v1::GetEvaluationRequest& request) {
  WEFT_TRY(host.CheckServing());
  const std::vector<std::string>& nodes = host.evaluation_nodes();
  if (nodes.empty()) return absl::FailedPreconditionError("the graph has no link_evaluation");
  const std::string name = request.node().empty() ? nodes.front() : request.node();
  if (std::ranges::find(nodes, name) == nodes.end()) {
    return WithReason(
        absl::NotFoundError(graph::Concat("there is no link_evaluation \"", name,
                                          "\"; the graph has: ", graph::JoinNames(nodes, ", "))),
        v1::ERROR_REASON_UNKNOWN_NODE, {{"node", name}});
  }
  v1::GetEvaluationResponse response;
  WEFT_TRY(host.graph().Read(
      name, context.left_us(), [&](const graph::Operator& evaluation, graph::LogPosition applied) {
        const auto& reader = dynamic_cast<const LinkEvaluationReader&>(evaluation);
        for (const LinkEvaluationReport& report : reader.reports())
          *response.add_model() = FiguresOf(report);
        const LinkChoice pairs = reader.choice(LinkQuestion::kPairs);
        response.set_scores_links(pairs.answering);
        response.set_scores_links_reason(pairs.reason);
        const LinkChoice targets = reader.choice(LinkQuestion::kTargets);
        response.set_ranks_targets(targets.answering);
        response.set_ranks_targets_reason(targets.reason);
        *response.mutable_position() = EncodePosition(applied);
      }));
  return response;
}

}  // namespace weft::rpc
