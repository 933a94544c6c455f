#include "rpc/sequence_handlers.h"

#include <iterator>
#include <string>
#include <variant>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/sequence/settings_message.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "rpc/read_hierarchy.h"
#include "rpc/read_sequence.h"
#include "rpc/sequence_message.h"
#include "rpc/wait_position.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using operators::sequence::SequenceReader;
using operators::sequence::SeriesSettings;
using operators::sequence::SeriesTable;
using operators::sequence::v1::SequenceCommand;

// Reads what the request's node says of its series.
template <class Request, class Response>
absl::Status ReadSeries(
    GraphHost& host, const CallContext& context, const Request& request, Response& response,
    const std::function<absl::Status(const SeriesSettings&, const SeriesTable::Followed&)>& read) {
  WEFT_ASSIGN(const std::string node, SequenceNode(host, request.node()));
  if (request.has_min_position()) WEFT_TRY(WaitForPosition(host, context, request.min_position()));
  const graph::NodeId series = host.interner().Find(request.series());
  return ReadSequence(
      host, context, node, *response.mutable_state(), [&](const SequenceReader& reader) {
        const SeriesTable& table = reader.table();
        const auto looked = table.kept().Look(
            series, [&](const auto& followed) { return read(table.SettingsOf(series), followed); });
        return looked ? *looked : UnknownSeries(node, request.series());
      });
}

absl::StatusOr<v1::PredictResponse> Predict(GraphHost& host, const CallContext& context,
                                            const v1::PredictRequest& request) {
  v1::PredictResponse response;
  WEFT_TRY(ReadSeries(
      host, context, request, response,
      [&](const SeriesSettings& settings, const SeriesTable::Followed& followed) -> absl::Status {
        const std::int64_t most = settings.horizons.back();
        if (request.steps() < 0 || request.steps() > most)
          return InvalidField(
              "steps", Concat("expected at most ", most, ", the model's largest horizon, got ",
                              request.steps()));
        response.set_time_us(followed.time_us);
        response.set_value(followed.value);
        response.set_record_count(followed.model->record_count());
        for (const v1::StepForecast& step :
             StepsOf(followed.model->Latest(), followed.value, request.steps()))
          *response.add_forecast() = step;
        return absl::OkStatus();
      }));
  return response;
}

absl::StatusOr<v1::ExplainResponse> Explain(GraphHost& host, const CallContext& context,
                                            const v1::ExplainRequest& request) {
  v1::ExplainResponse response;
  WEFT_TRY(ReadSeries(host, context, request, response,
                      [&](const SeriesSettings& settings, const SeriesTable::Followed& followed) {
                        response.set_time_us(followed.time_us);
                        response.set_record_count(followed.model->record_count());
                        FillExplanation(followed.model->Explain(), settings, followed.time_us,
                                        response);
                        return absl::OkStatus();
                      }));
  return response;
}

absl::StatusOr<v1::ListSeriesResponse> ListSeries(GraphHost& host, const CallContext& context,
                                                  const v1::ListSeriesRequest& request) {
  constexpr std::int64_t kUsual = 100, kMost = 1000;
  WEFT_ASSIGN(const std::string node, SequenceNode(host, request.node()));
  WEFT_ASSIGN(const std::int64_t limit, CheckedCount("limit", request.limit(), kUsual, kMost));
  if (request.has_min_position()) WEFT_TRY(WaitForPosition(host, context, request.min_position()));
  v1::ListSeriesResponse response;
  const auto read = [&](const SequenceReader& reader) {
    const SeriesTable& table = reader.table();
    response.set_series_count(table.kept().size());
    response.set_evicted_count(table.kept().latest().evicted_count());
    response.set_stored_count(table.kept().stored_count());
    const auto& entries = table.kept().latest().entries();
    for (auto entry = entries.rbegin(); entry != entries.rend() && response.series_size() < limit;
         ++entry) {
      const auto& [series, followed] = *entry;
      v1::FollowedSeries& one = *response.add_series();
      one.set_series(std::string(host.interner().Key(series)));
      one.set_model(ToMessage(table.SettingsOf(series).kind));
      one.set_time_us(followed.time_us);
      one.set_record_count(followed.model->record_count());
      one.set_bytes(static_cast<std::int64_t>(followed.model->bytes()));
    }
    return absl::OkStatus();
  };
  WEFT_TRY(ReadSequence(host, context, node, *response.mutable_state(), read));
  return response;
}

absl::StatusOr<v1::CreateModelResponse> CreateModel(GraphHost& host, const CallContext& context,
                                                    const v1::CreateModelRequest& request) {
  WEFT_ASSIGN(const std::string node, SequenceNode(host, request.node()));
  const auto model = ToSeriesModel(request.settings());
  const auto settings = operators::sequence::SettingsFrom(model);
  if (const auto* const wrong = std::get_if<operators::sequence::SettingsProblem>(&settings))
    return InvalidField(Concat("settings.", wrong->field), wrong->problem);
  v1::SequenceState state;
  // Only a node that follows series carries the command out.
  WEFT_TRY(ReadSequence(host, context, node, state,
                        [](const SequenceReader&) { return absl::OkStatus(); }));
  WEFT_ASSIGN(const graph::LogPosition position, host.SendCommandAbout(
                                                     node, request.series(),
                                                     [&model](graph::NodeId series) {
                                                       SequenceCommand command;
                                                       command.mutable_create()->set_series(series);
                                                       *command.mutable_create()->mutable_model() =
                                                           model;
                                                       return command.SerializeAsString();
                                                     },
                                                     context.deadline_ns));
  const graph::NodeId series = host.interner().Find(request.series());
  WEFT_TRY(ReadSequence(host, context, node, state, [&](const SequenceReader& reader) {
    if (reader.table().HasSettings(series)) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        Concat("\"", node, "\" has given as many series models of their own as it may"));
  }));
  v1::CreateModelResponse response;
  *response.mutable_position() = EncodePosition(position);
  return response;
}

absl::StatusOr<v1::ResetResponse> Reset(GraphHost& host, const CallContext& context,
                                        const v1::ResetRequest& request) {
  WEFT_ASSIGN(const std::string node, SequenceNode(host, request.node()));
  v1::SequenceState state;
  WEFT_TRY(ReadSequence(host, context, node, state,
                        [](const SequenceReader&) { return absl::OkStatus(); }));
  const graph::NodeId series = host.interner().Find(request.series());
  if (series == graph::kNoNode) return UnknownSeries(node, request.series());
  SequenceCommand command;
  command.mutable_reset()->set_series(series);
  command.mutable_reset()->set_forget_model(request.forget_model());
  WEFT_ASSIGN(const graph::LogPosition position,
              host.SendCommand({node, command.SerializeAsString()}, context.deadline_ns));
  v1::ResetResponse response;
  *response.mutable_position() = EncodePosition(position);
  return response;
}

template <class Request, class Response>
void Register(GraphHost* host, Dispatcher& dispatcher, std::string_view method,
              absl::StatusOr<Response> (*handle)(GraphHost&, const CallContext&, const Request&)) {
  dispatcher.Register<Request, Response>(
      Concat("/weft.v1.SequenceService/", method),
      [host, handle](const CallContext& context, const Request& request) {
        return handle(*host, context, request);
      });
}

}  // namespace

void RegisterSequenceHandlers(GraphHost* host, Dispatcher& dispatcher) {
  Register(host, dispatcher, "CreateModel", &CreateModel);
  Register(host, dispatcher, "Predict", &Predict);
  Register(host, dispatcher, "Explain", &Explain);
  Register(host, dispatcher, "Reset", &Reset);
  Register(host, dispatcher, "ListSeries", &ListSeries);
  RegisterPushHandler(host, dispatcher);
}

}  // namespace weft::rpc
