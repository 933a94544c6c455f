#include "rpc/ingest_handlers.h"

#include "graph/check.h"
#include "rpc/position.h"

namespace weft::rpc {

void AddRejects(const std::vector<graph::Reject>& rejects,
                google::protobuf::RepeatedPtrField<v1::EventReject>& messages) {
  for (const graph::Reject& reject : rejects) {
    v1::EventReject& message = *messages.Add();
    message.set_seq(reject.seq);
    // The numbers are the same; a test compares them.
    message.set_reason(static_cast<v1::RejectReason>(reject.reason));
  }
}

absl::StatusOr<v1::IngestBatchResponse> IngestBatch(GraphHost& host, const CallContext& context,
                                                    const v1::IngestBatchRequest& request) {
  WEFT_TRY(host.CheckServing());
  WEFT_ASSIGN(Sequencer* const sequencer, host.FindSequencer(request.feed()));
  WEFT_ASSIGN(const Sequencer::Submitted submitted,
              sequencer->SubmitOnce(request.producer(), request.batch(), request.append()));
  WEFT_TRY(sequencer->WaitDurable(request.producer(), submitted.end_seq, context.deadline_ns));
  v1::IngestBatchResponse response;
  response.set_durable_seq(submitted.end_seq);
  response.set_applied_seq(sequencer->AppliedSeq(request.producer()));
  AddRejects(submitted.rejects, *response.mutable_reject());
  *response.mutable_position() = EncodePosition(submitted.end);
  return response;
}

void RegisterIngestHandlers(GraphHost* host, Dispatcher& dispatcher) {
  dispatcher.Register<v1::IngestBatchRequest, v1::IngestBatchResponse>(
      "/weft.v1.IngestService/IngestBatch",
      [host](const CallContext& context, const v1::IngestBatchRequest& request) {
        return IngestBatch(*host, context, request);
      });
}

}  // namespace weft::rpc
