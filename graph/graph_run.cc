// A graph while it runs.
#include <utility>

#include "graph/check.h"
#include "graph/command.h"
#include "graph/running_graph.h"
#include "graph/suggestion.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

std::vector<std::string_view> Views(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

RunningGraph::~RunningGraph() { static_cast<void>(Close()); }

absl::Status RunningGraph::Start() {
  const std::lock_guard lock(life_mutex_);
  if (closed_) return absl::FailedPreconditionError("the graph is closed");
  if (started_) return absl::FailedPreconditionError("the graph has been started already");
  started_ = true;
  return absl::OkStatus();
}

absl::StatusOr<const RunningGraph::InputRoute*> RunningGraph::FindInput(
    std::string_view name) const {
  const auto found = input_routes_.find(name);
  if (found != input_routes_.end()) return &found->second;
  return absl::NotFoundError(
      Concat("the graph has no input \"", name, "\"", DidYouMean(name, Views(input_names_))));
}

absl::Status RunningGraph::Push(std::string_view input, Packet packet) {
  const Visit visit(state_);
  WEFT_TRY(visit.status());
  WEFT_ASSIGN(const InputRoute* route, FindInput(input));
  return route->ingress->Push(route->index, std::move(packet));
}

absl::Status RunningGraph::AdvanceTime(std::string_view input, LogPosition position,
                                       TimeUs time_us) {
  const Visit visit(state_);
  WEFT_TRY(visit.status());
  WEFT_ASSIGN(const InputRoute* route, FindInput(input));
  return route->ingress->AdvanceTime(route->index, position, time_us);
}

absl::Status RunningGraph::SendCommand(std::string_view input, LogPosition position, TimeUs time_us,
                                       Command command) {
  const Visit visit(state_);
  WEFT_TRY(visit.status());
  WEFT_ASSIGN(const InputRoute* route, FindInput(input));
  return route->ingress->SendCommand(route->index, position, time_us, std::move(command));
}

absl::Status RunningGraph::OnOutput(std::string_view output,
                                    std::function<void(const Packet&)> receive) {
  const auto found = outputs_.find(output);
  if (found == outputs_.end()) {
    return absl::NotFoundError(Concat("the graph has no output \"", output, "\"",
                                      DidYouMean(output, Views(output_names_))));
  }
  found->second->Subscribe(std::move(receive));
  return absl::OkStatus();
}

absl::Status RunningGraph::OnApplied(std::string_view input,
                                     std::function<void(LogPosition)> applied) {
  WEFT_ASSIGN(const InputRoute* route, FindInput(input));
  route->ingress->OnApplied(route->index, std::move(applied));
  return absl::OkStatus();
}

LogPosition RunningGraph::Applied(std::string_view input) const {
  const auto route = FindInput(input);
  return route.ok() ? (*route)->ingress->Applied((*route)->index) : LogPosition{};
}

absl::Status RunningGraph::Read(std::string_view node, std::int64_t deadline_us,
                                const std::function<void(const Operator&, LogPosition)>& read) {
  const Visit visit(state_);
  WEFT_TRY(visit.status());
  const auto found = node_index_.find(node);
  if (found == node_index_.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, runner] : node_index_) names.push_back(name);
    return absl::NotFoundError(
        Concat("the graph has no node \"", node, "\"", DidYouMean(node, names)));
  }
  return found->second->Read(deadline_us, read);
}

absl::Status RunningGraph::Drain() {
  const Visit visit(state_);
  WEFT_TRY(visit.status());
  for (const auto& ingress : ingresses_) WEFT_TRY(ingress->Drain());
  return absl::OkStatus();
}

absl::Status RunningGraph::Close() {
  const std::lock_guard lock(life_mutex_);
  if (closed_) return close_status_;
  closed_ = true;
  close_status_ = Drain();
  state_.Stop(absl::FailedPreconditionError("the graph is closed"));
  state_.WaitUntilEmpty();
  for (const auto& node : nodes_) {
    const absl::Status status = node->op().Close();
    if (status.ok()) continue;
    close_status_.Update(absl::Status(
        status.code(), Concat("node \"", node->name(), "\": closing: ", status.message())));
  }
  return close_status_;
}

}  // namespace weft::graph
