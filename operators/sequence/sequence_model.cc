#include "operators/sequence/sequence_model.h"

#include <cmath>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "weft/operators/sequence/v1/sequence.pb.h"

namespace weft::operators::sequence {
namespace {

constexpr std::int32_t kMostField = 4095;
constexpr std::int64_t kMostHorizon = 10'000;
constexpr std::int64_t kMostSeries = 1 << 20;

}  // namespace

graph::Contract SequenceModel::contract() {
  graph::Contract contract;
  contract.Input(kEvents);
  contract.Output(kSequence).Output(kMarks);
  contract.options_type = v1::SequenceModel::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  return contract;
}

absl::Status SequenceModel::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::SequenceModel>();
  if (message.field() < 0 || message.field() > kMostField)
    return context.OptionError(
        "field", graph::Concat("expected 0 to ", kMostField, ", got ", message.field()));
  field_ = message.field();
  SeriesSettings settings;
  WEFT_TRY(graph::ReadBound(context, "horizon", message.horizon(), 1, kMostHorizon,
                            settings.forecaster.horizon));
  WEFT_TRY(graph::ReadBound(context, "max_series", message.max_series(), 1, kMostSeries,
                            settings.most_series));
  if (message.has_alarm()) {
    if (!(message.alarm() >= 0.0 && message.alarm() <= 1.0))
      return context.OptionError("alarm", graph::Concat("expected 0 to 1, got ", message.alarm()));
    alarm_ = message.alarm();
  }
  table_.emplace(settings);
  const graph::Labels labels = {{"node", std::string(context.node_name())}};
  series_ =
      &context.metrics().GetGauge("weft_sequence_series", "Series that are followed.", labels);
  alarms_ = &context.metrics().GetCounter("weft_sequence_alarms_total", "Alarms.", labels);
  return absl::OkStatus();
}

double SequenceModel::ValueOf(const graph::EventBatch& events, std::int64_t row) const {
  const auto at = static_cast<std::size_t>(row);
  if (field_ < events.feature_count)
    return static_cast<double>(events.feature[at * static_cast<std::size_t>(events.feature_count) +
                                              static_cast<std::size_t>(field_)]);
  if (events.feature_count == 0 && !events.label.empty())
    return static_cast<double>(events.label[at]);
  return std::nan("");
}

absl::Status SequenceModel::Process(graph::ProcessContext& context) {
  constexpr std::array<double, 3> kShares = {0.1, 0.5, 0.9};
  const graph::EventBatch& events = context.Get(kEvents);
  auto batch = std::make_shared<SequenceBatch>();
  auto marks = std::make_shared<graph::MarkBatch>();
  for (std::int64_t i = context.begin(); i < context.end(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    SequenceRow& row = batch->rows.emplace_back();
    row.series = events.source[at];
    row.time_us = events.time_us[at];
    row.value = ValueOf(events, i);
    const RecordVerdict verdict = table_->Next(row.series, row.time_us, row.value);
    row.anomaly = verdict.anomaly;
    row.is_foretold = verdict.forecast.is_known();
    if (row.is_foretold) {
      row.mean = verdict.forecast.mean;
      for (std::size_t q = 0; q < kShares.size(); ++q)
        row.quantile[q] = verdict.forecast.Quantile(kShares[q]);
    }
    if (row.anomaly.alarm < alarm_ || row.anomaly.alarm == 0.0) continue;
    alarms_->Add(1);
    marks->marks.push_back({row.time_us, row.time_us, "anomaly",
                            absl::StrFormat("value %g, score %.3f", row.value, row.anomaly.alarm),
                            row.series});
  }
  series_->Set(static_cast<double>(table_->size()));
  if (!batch->rows.empty()) context.Emit<SequenceBatch>(kSequence, std::move(batch));
  if (!marks->marks.empty()) context.Emit<graph::MarkBatch>(kMarks, std::move(marks));
  return absl::OkStatus();
}

absl::Status SequenceModel::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *table_, sink);
}

absl::Status SequenceModel::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *table_, source);
}

}  // namespace weft::operators::sequence
