#include "operators/sequence/sparsey_operator.h"

#include <memory>
#include <string>

#include "graph/check.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "operators/sequence/sparse_batch.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
graph::Contract SparseyOperator::contract() {
  graph::Contract contract;
  contract.Input(kInput).Output(kCodes);
  contract.options_type = v1::Sparsey::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.state_version = 3;
  return contract;
}

absl::Status SparseyOperator::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::Sparsey>();
  SparseyLayout layout;
  WEFT_TRY(ReadSparsey(context, layout));
  SparseySeriesOptions options;
  if (message.learn_records() < 0)
    return context.OptionError("learn_records",
                               graph::Concat("expected 0 or more, got ", message.learn_records()));
  options.learn_records = message.learn_records();
  if (message.episode_gap_us() < 0)
    return context.OptionError("episode_gap_us",
                               graph::Concat("expected 0 or more, got ", message.episode_gap_us()));
  options.episode_gap_us = message.episode_gap_us();
  KeptSeriesOptions series;
  WEFT_TRY(ReadSeriesOptions(context, message, kUsualMachines, series));
  machines_.emplace(
      series,
      [layout](std::int64_t width) {
        return width >= 1 && width <= kMostSparseBits && layout.NetworkOf(width).has_value();
      },
      [options, layout](std::int64_t width) mutable {
        options.network = *layout.NetworkOf(width);
        return SparseySeries(options);
      });
  gauges_.emplace(context);
  return absl::OkStatus();
}

absl::Status SparseyOperator::Process(graph::ProcessContext& context) {
  const SparseBatch& input = context.Get(kInput);
  WEFT_TRY(machines_->CheckWidth(input.width));
  auto codes = std::make_shared<SparseBatch>();
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    WEFT_ASSIGN(SparseySeries* const series,
                machines_->Latest(input.series[i], context.end_position()));
    const SparseyNetwork& said = series->Next(input.time_us[i], input.Bits(i));
    codes->width = said.width();
    codes->AddLike(input, i, said.bits());
    codes->unpredicted.back() = 1.0 - said.familiarity();
  }
  gauges_->Set(machines_->kept());
  if (codes->size() > 0) context.Emit<SparseBatch>(kCodes, std::move(codes));
  return absl::OkStatus();
}

absl::Status SparseyOperator::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *machines_, sink);
}

absl::Status SparseyOperator::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *machines_, source);
}

}  // namespace weft::operators::sequence
