#include "rpc/admin_handlers.h"

#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/position.h"
#include "rpc/version.h"

namespace weft::rpc {
namespace {

using graph::CheckpointManifest;
using graph::Hexadecimal;

v1::ServerPhase ToMessage(GraphHost::Phase phase) {
  switch (phase) {
    case GraphHost::Phase::kRecovering:
      return v1::SERVER_PHASE_RECOVERING;
    case GraphHost::Phase::kServing:
      return v1::SERVER_PHASE_SERVING;
    case GraphHost::Phase::kDraining:
      return v1::SERVER_PHASE_DRAINING;
    case GraphHost::Phase::kFailed:
      return v1::SERVER_PHASE_FAILED;
  }
  return v1::SERVER_PHASE_UNSPECIFIED;
}

v1::CheckpointInfo ToMessage(const CheckpointManifest& manifest) {
  v1::CheckpointInfo info;
  info.set_id(manifest.id);
  info.set_state_hash(Hexadecimal(manifest.state_hash));
  std::uint64_t bytes = 0;
  for (const auto& entry : manifest.operators) bytes += entry.bytes;
  info.set_bytes(bytes);
  for (const graph::LogPosition& position : manifest.applied) {
    *info.add_applied() = EncodePosition(position);
  }
  return info;
}

v1::FeedInfo ToMessage(const Sequencer& sequencer) {
  const Sequencer::Report report = sequencer.GetReport();
  v1::FeedInfo info;
  info.set_name(sequencer.options().feed_name);
  info.set_durable_count(report.durable.offset);
  info.set_applied_count(report.applied.offset);
  info.set_producer_count(report.producer_count);
  if (report.watermark_us != graph::kBeforeAllTime) info.set_watermark_us(report.watermark_us);
  info.set_rejected_count(report.rejected_count);
  *info.mutable_applied() = EncodePosition(report.applied);
  return info;
}

absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo(const AdminEnvironment& environment) {
  GraphHost& host = *environment.host;
  v1::GetServerInfoResponse response;
  response.set_version(std::string(kVersion));
  response.set_uptime_seconds(
      static_cast<double>(environment.clock->NowNs() - environment.start_ns) * 1e-9);
  response.set_message_bytes(environment.max_message_bytes);
  const GraphHost::Phase phase = host.phase();
  response.set_phase(ToMessage(phase));
  if (phase == GraphHost::Phase::kRecovering) return response;
  if (phase == GraphHost::Phase::kFailed) {
    response.set_failure(host.CheckServing().ToString(absl::StatusToStringMode::kWithNoExtraData));
  }
  for (const Sequencer* sequencer : host.sequencers()) *response.add_feed() = ToMessage(*sequencer);
  response.set_node_count(host.interner().size());
  for (const std::string& node : host.link_nodes()) response.add_link_node(node);
  for (const std::string& node : host.hierarchy_nodes()) response.add_hierarchy_node(node);
  WEFT_ASSIGN(const std::vector<CheckpointManifest> manifests, host.Checkpoints());
  if (!manifests.empty()) *response.mutable_checkpoint() = ToMessage(manifests.front());
  return response;
}

absl::StatusOr<v1::GetGraphResponse> GetGraph(const AdminEnvironment& environment) {
  WEFT_TRY(environment.host->CheckServing());
  v1::GetGraphResponse response;
  response.set_spec(environment.graph_text);
  response.set_digest(environment.host->spec().digest());
  return response;
}

absl::StatusOr<v1::CheckpointResponse> Checkpoint(GraphHost& host) {
  WEFT_TRY(host.CheckServing());
  WEFT_ASSIGN(const CheckpointManifest manifest, host.Checkpoint());
  v1::CheckpointResponse response;
  *response.mutable_checkpoint() = ToMessage(manifest);
  return response;
}

absl::StatusOr<v1::GetStateHashResponse> GetStateHash(GraphHost& host) {
  WEFT_TRY(host.CheckServing());
  WEFT_ASSIGN(const CheckpointManifest manifest, host.StateHash());
  v1::GetStateHashResponse response;
  response.set_state_hash(Hexadecimal(manifest.state_hash));
  for (const graph::LogPosition& position : manifest.applied) {
    *response.add_applied() = EncodePosition(position);
  }
  for (const auto& entry : manifest.operators) {
    v1::OperatorHash& part = *response.add_operator_();
    part.set_node(entry.name);
    part.set_operator_(entry.operator_name);
    part.set_bytes(entry.bytes);
    if (entry.hash != 0) part.set_hash(Hexadecimal(entry.hash));
  }
  return response;
}

}  // namespace

void RegisterAdminHandlers(const AdminEnvironment& environment, Dispatcher& dispatcher) {
  GraphHost* const host = environment.host;
  dispatcher.Register<v1::GetServerInfoRequest, v1::GetServerInfoResponse>(
      "/weft.v1.AdminService/GetServerInfo",
      [environment](const CallContext&, const v1::GetServerInfoRequest&) {
        return GetServerInfo(environment);
      });
  dispatcher.Register<v1::GetGraphRequest, v1::GetGraphResponse>(
      "/weft.v1.AdminService/GetGraph",
      [environment](const CallContext&, const v1::GetGraphRequest&) {
        return GetGraph(environment);
      });
  dispatcher.Register<v1::CheckpointRequest, v1::CheckpointResponse>(
      "/weft.v1.AdminService/Checkpoint",
      [host](const CallContext&, const v1::CheckpointRequest&) { return Checkpoint(*host); });
  dispatcher.Register<v1::GetStateHashRequest, v1::GetStateHashResponse>(
      "/weft.v1.AdminService/GetStateHash",
      [host](const CallContext&, const v1::GetStateHashRequest&) { return GetStateHash(*host); });
  dispatcher.Register<v1::DrainRequest, v1::DrainResponse>(
      "/weft.v1.AdminService/Drain",
      [environment](const CallContext&,
                    const v1::DrainRequest&) -> absl::StatusOr<v1::DrainResponse> {
        environment.request_drain();
        return v1::DrainResponse();
      });
}

}  // namespace weft::rpc
