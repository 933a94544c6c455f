#include "operators/sequence/anomaly_likelihood_operator.h"

#include <cmath>
#include <memory>
#include <string>

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
namespace {

constexpr std::int64_t kMostRecords = 1'000'000;

}  // namespace

graph::Contract AnomalyLikelihoodOperator::contract() {
  graph::Contract contract;
  contract.Input(kCells).Output(kSequence);
  contract.options_type = v1::AnomalyLikelihood::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.state_version = 3;
  return contract;
}

absl::Status AnomalyLikelihoodOperator::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::AnomalyLikelihood>();
  LikelihoodOptions options;
  WEFT_TRY(
      graph::ReadBound(context, "learning", message.learning(), 1, kMostRecords, options.learning));
  WEFT_TRY(graph::ReadBound(context, "estimation", message.estimation(), 1, kMostRecords,
                            options.estimation));
  WEFT_TRY(
      graph::ReadBound(context, "history", message.history(), 100, kMostRecords, options.history));
  KeptSeriesOptions series;
  WEFT_TRY(ReadSeriesOptions(context, message, kUsualSeries, series));
  machines_.emplace(
      series, [](std::int64_t) { return true; },
      [options](std::int64_t) { return LikelihoodAlarm(options); });
  gauges_.emplace(context);
  return absl::OkStatus();
}

absl::Status AnomalyLikelihoodOperator::Process(graph::ProcessContext& context) {
  const SparseBatch& cells = context.Get(kCells);
  WEFT_TRY(machines_->CheckWidth(cells.width));
  auto batch = std::make_shared<SequenceBatch>();
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    SequenceRow& row = batch->rows.emplace_back();
    row.series = cells.series[i];
    row.time_us = cells.time_us[i];
    row.value = cells.value[i];
    row.kind = SeriesKind::kHtm;
    WEFT_ASSIGN(LikelihoodAlarm* const alarm,
                machines_->Latest(row.series, context.end_position()));
    row.said = alarm->Next(std::isfinite(row.value) ? row.value : 0.0, cells.unpredicted[i]);
  }
  gauges_->Set(machines_->kept());
  if (batch->size() > 0) context.Emit<SequenceBatch>(kSequence, std::move(batch));
  return absl::OkStatus();
}

absl::Status AnomalyLikelihoodOperator::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *machines_, sink);
}

absl::Status AnomalyLikelihoodOperator::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *machines_, source);
}

}  // namespace weft::operators::sequence
