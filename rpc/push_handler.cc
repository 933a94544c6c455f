// SequenceService.Push: records through the feed's sequencer, and what was said of them.
#include <span>
#include <string>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/event_builder.h"
#include "rpc/position.h"
#include "rpc/read_sequence.h"
#include "rpc/sequence_handlers.h"
#include "rpc/sequence_message.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::LogPosition;
using operators::sequence::SequenceReader;
using operators::sequence::SequenceRow;

constexpr int kMostRecords = 1000;
constexpr const char* kSharedProducer = "weft.v1.SequenceService.Push";

// The records as events of the feed: the values are its features or, of a feed without any, the
// label.
absl::StatusOr<v1::EventColumns> ColumnsOf(const v1::PushRequest& request, const Sequencer& feed) {
  if (request.series().empty()) return InvalidField("series", "expected the key of a series");
  if (request.record_size() == 0 || request.record_size() > kMostRecords)
    return InvalidField(
        "record", Concat("expected 1 to ", kMostRecords, " records, got ", request.record_size()));
  const std::int32_t features = feed.options().limits.feature_count;
  const std::string& target = request.target().empty() ? request.series() : request.target();
  EventBuilder events;
  for (int i = 0; i < request.record_size(); ++i) {
    const v1::SequenceRecord& record = request.record(i);
    const int most = features == 0 ? 1 : features;
    if (record.value_size() == 0 || record.value_size() > most)
      return InvalidField(
          Concat("record[", i, "].value"),
          Concat("expected 1 to ", most, " values, as the feed \"", feed.options().feed_name,
                 "\" has ", features, " features, got ", record.value_size()));
    const std::size_t expected = features == 0 ? 0 : static_cast<std::size_t>(record.value_size());
    if (!events.Fits(expected))
      return InvalidField(Concat("record[", i, "].value"), "expected as many values as before");
    const std::span values(record.value().data(), static_cast<std::size_t>(record.value_size()));
    if (features == 0) {
      events.Add(request.series(), target, record.time_us(), values.front(), {});
    } else {
      events.Add(request.series(), target, record.time_us(), std::nullopt, values);
    }
  }
  v1::EventColumns columns = events.Take();
  columns.set_first_seq(request.first_seq());
  return columns;
}

void AddVerdicts(const SequenceReader& reader, graph::NodeId series, LogPosition begin,
                 std::uint64_t end_offset, v1::PushResponse& response) {
  reader.recent().VisitRange(begin, end_offset, [&](LogPosition, const SequenceRow& row) {
    if (row.series == series) FillVerdict(row, *response.add_verdict());
  });
}

absl::StatusOr<v1::PushResponse> Push(GraphHost& host, const CallContext& context,
                                      const v1::PushRequest& request) {
  WEFT_ASSIGN(const std::string node, SequenceNode(host, request.node()));
  v1::SequenceState state;
  WEFT_TRY(ReadSequence(host, context, node, state,
                        [](const SequenceReader&) { return absl::OkStatus(); }));
  WEFT_ASSIGN(Sequencer* const sequencer, host.SequencerBefore(node));
  WEFT_ASSIGN(const v1::EventColumns events, ColumnsOf(request, *sequencer));
  const std::string producer = request.producer().empty() ? kSharedProducer : request.producer();
  WEFT_ASSIGN(const Sequencer::Submitted submitted,
              sequencer->SubmitOnce(producer, events, /*append=*/!request.has_first_seq()));
  WEFT_TRY(sequencer->WaitDurable(producer, submitted.end_seq, context.deadline_ns));
  WEFT_TRY(sequencer->WaitApplied(submitted.end, context.deadline_ns));
  v1::PushResponse response;
  const auto count = static_cast<std::uint64_t>(request.record_size());
  for (const graph::Reject& reject : submitted.rejects) {
    v1::RecordReject& one = *response.add_reject();
    one.set_record(static_cast<std::int32_t>(reject.seq - (submitted.end_seq - count)));
    // The numbers are the same; a test compares them.
    one.set_reason(static_cast<v1::RejectReason>(reject.reason));
  }
  if (submitted.accepted_count > 0) {
    LogPosition begin = submitted.end;
    begin.offset -= submitted.accepted_count;
    const graph::NodeId series = host.interner().Find(request.series());
    WEFT_TRY(ReadSequence(host, context, node, state, [&](const SequenceReader& reader) {
      AddVerdicts(reader, series, begin, submitted.end.offset, response);
      return absl::OkStatus();
    }));
  }
  *response.mutable_position() = EncodePosition(submitted.end);
  response.set_durable_seq(submitted.end_seq);
  return response;
}

}  // namespace

void RegisterPushHandler(GraphHost* host, Dispatcher& dispatcher) {
  dispatcher.Register<v1::PushRequest, v1::PushResponse>(
      "/weft.v1.SequenceService/Push",
      [host](const CallContext& context, const v1::PushRequest& request) {
        return Push(*host, context, request);
      });
}

}  // namespace weft::rpc
