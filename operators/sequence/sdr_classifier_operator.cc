#include "operators/sequence/sdr_classifier_operator.h"

#include <cmath>
#include <memory>
#include <string>

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "operators/sequence/settings_message.h"
#include "operators/sequence/share_option.h"
#include "operators/sequence/sparse_batch.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
graph::Contract SdrClassifierOperator::contract() {
  graph::Contract contract;
  contract.Input(kCells).Output(kSequence);
  contract.options_type = v1::SdrClassifier::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.state_version = 2;
  return contract;
}

absl::Status SdrClassifierOperator::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::SdrClassifier>();
  constexpr double kMostRate = 100.0;
  BucketForecasterOptions options;
  if (!(message.most() > message.least()) || !std::isfinite(message.most() - message.least()))
    return context.OptionError("most", graph::Concat("expected more than least, ", message.least(),
                                                     ", got ", message.most()));
  options.least = message.least();
  options.most = message.most();
  WEFT_TRY(graph::ReadBound(context, "buckets", message.buckets(), 6, 1000, options.buckets));
  if (const auto problem = ReadHorizons(message.horizon(), options.horizons))
    return context.OptionError(problem->field, problem->problem);
  WEFT_TRY(ReadShare(context, "rate", message.rate(), options.rate, kMostRate));
  KeptSeriesOptions series;
  WEFT_TRY(ReadSeriesOptions(context, message, kUsualMachines, series));
  machines_.emplace(
      series, [](std::int64_t width) { return width >= 1 && width <= kMostSparseBits; },
      [options](std::int64_t width) mutable {
        options.bits = width;
        return BucketForecaster(options);
      });
  gauges_.emplace(context);
  return absl::OkStatus();
}

absl::Status SdrClassifierOperator::Process(graph::ProcessContext& context) {
  const SparseBatch& cells = context.Get(kCells);
  WEFT_TRY(machines_->CheckWidth(cells.width));
  auto batch = std::make_shared<SequenceBatch>();
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    WEFT_ASSIGN(BucketForecaster* const forecaster,
                machines_->Latest(cells.series[i], context.end_position()));
    forecaster->Learn(cells.Bits(i), cells.value[i]);
    SequenceRow& row = batch->rows.emplace_back();
    row.series = cells.series[i];
    row.time_us = cells.time_us[i];
    row.value = cells.value[i];
    row.kind = SeriesKind::kHtm;
    row.said.score = cells.unpredicted[i];
    row.said.forecasts = forecaster->Forecasts(cells.Bits(i));
  }
  gauges_->Set(machines_->kept());
  if (batch->size() > 0) context.Emit<SequenceBatch>(kSequence, std::move(batch));
  return absl::OkStatus();
}

absl::Status SdrClassifierOperator::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *machines_, sink);
}

absl::Status SdrClassifierOperator::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *machines_, source);
}

}  // namespace weft::operators::sequence
