#include "operators/sequence/sequence_model.h"

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "graph/check.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "operators/sequence/feature_value.h"
#include "operators/sequence/settings_message.h"

namespace weft::operators::sequence {
graph::Contract SequenceModel::contract() {
  graph::Contract contract;
  contract.Input(kEvents);
  contract.Output(kSequence).Output(kMarks);
  contract.options_type = v1::SequenceModel::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  // Series by series: its state comes from memory once a batch. Reads wait that long.
  contract.micro_batch = 8192;
  contract.state_version = 4;
  return contract;
}

absl::Status SequenceModel::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::SequenceModel>();
  auto settings = SettingsFrom(message.series());
  if (const auto* const problem = std::get_if<SettingsProblem>(&settings))
    return context.OptionError("series." + problem->field, problem->problem);
  KeptSeriesOptions kept;
  WEFT_TRY(ReadSeriesOptions(context, message, kUsualSeries, kept));
  if (message.has_alarm()) {
    if (!(message.alarm() >= 0.0 && message.alarm() <= 1.0))
      return context.OptionError("alarm", graph::Concat("expected 0 to 1, got ", message.alarm()));
    alarm_ = message.alarm();
  }
  table_.emplace(std::get<SeriesSettings>(std::move(settings)), kept);
  const graph::Labels labels = {{"node", std::string(context.node_name())}};
  graph::MetricRegistry& metrics = context.metrics();
  gauges_.emplace(context);
  records_ = &metrics.GetCounter("weft_sequence_records_total", "Records of series.", labels);
  alarms_ = &metrics.GetCounter("weft_sequence_alarms_total", "Alarms.", labels);
  evicted_ =
      &metrics.GetCounter("weft_sequence_evicted_total", "Series that gave way to others.", labels);
  return absl::OkStatus();
}

absl::StatusOr<SequenceRow> SequenceModel::Take(const graph::EventBatch& events, std::size_t at,
                                                graph::LogPosition end) {
  SequenceRow row;
  row.series = events.source[at];
  row.time_us = events.time_us[at];
  const SeriesSettings& settings = table_->SettingsOf(row.series);
  row.kind = settings.kind;
  values_.clear();
  for (const FieldSettings& field : settings.fields)
    values_.push_back(FeatureValue(events, at, field.feature));
  row.value = values_.front();
  WEFT_ASSIGN(row.said, table_->Next(row.series, end, row.time_us, values_));
  return row;
}

absl::StatusOr<std::vector<SequenceRow>> SequenceModel::TakeAll(graph::ProcessContext& context) {
  const graph::EventBatch& events = context.Get(kEvents);
  const auto begin = static_cast<std::size_t>(context.begin());
  const auto end = static_cast<std::size_t>(context.end());
  std::vector<SequenceRow> rows(end - begin);
  const auto order = table_->kept().OrderOf(std::span(events.source).subspan(begin, end - begin));
  for (const std::size_t i : order) {
    WEFT_ASSIGN(rows[i], Take(events, begin + i, context.end_position()));
  }
  return rows;
}

absl::Status SequenceModel::Process(graph::ProcessContext& context) {
  auto batch = std::make_shared<SequenceBatch>();
  auto marks = std::make_shared<graph::MarkBatch>();
  const std::int64_t evicted_before = table_->kept().latest().evicted_count();
  WEFT_ASSIGN(batch->rows, TakeAll(context));
  graph::LogPosition position = context.position();
  for (const SequenceRow& row : batch->rows) {
    const double alarm = row.said.alarm;
    if (alarm >= alarm_ && alarm > 0.0) {
      alarms_->Add(1);
      marks->marks.push_back({row.time_us, row.time_us, "anomaly",
                              absl::StrFormat("value %g, score %.3f", row.value, alarm),
                              row.series});
    }
    recent_.Add(position, row);
    ++position.offset;
  }
  records_->Add(static_cast<std::uint64_t>(batch->size()));
  evicted_->Add(
      static_cast<std::uint64_t>(table_->kept().latest().evicted_count() - evicted_before));
  gauges_->Set(table_->kept());
  if (!batch->rows.empty()) context.Emit<SequenceBatch>(kSequence, std::move(batch));
  if (!marks->marks.empty()) context.Emit<graph::MarkBatch>(kMarks, std::move(marks));
  return absl::OkStatus();
}

absl::Status SequenceModel::OnCommand(std::string_view body, graph::LogPosition position) {
  v1::SequenceCommand command;
  const graph::LogPosition end{position.partition, position.feed, position.offset + 1};
  // One that cannot be carried out changes nothing; who sent it looks at the table.
  if (!command.ParseFromArray(body.data(), static_cast<int>(body.size()))) return absl::OkStatus();
  if (command.has_create()) {
    auto settings = SettingsFrom(command.create().model());
    if (auto* const right = std::get_if<SeriesSettings>(&settings))
      table_->Create(command.create().series(), std::move(*right), end);
  } else if (command.has_reset()) {
    table_->Reset(command.reset().series(), command.reset().forget_model(), end);
  }
  return absl::OkStatus();
}

absl::Status SequenceModel::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *table_, sink);
}

absl::Status SequenceModel::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *table_, source);
}

}  // namespace weft::operators::sequence
