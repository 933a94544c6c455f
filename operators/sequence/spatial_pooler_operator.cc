#include "operators/sequence/spatial_pooler_operator.h"

#include <memory>
#include <string>

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "operators/sequence/share_option.h"
#include "operators/sequence/sparse_batch.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
graph::Contract SpatialPoolerOperator::contract() {
  graph::Contract contract;
  contract.Input(kInput).Output(kColumns);
  contract.options_type = v1::SpatialPooler::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.state_version = 2;
  return contract;
}

absl::Status SpatialPoolerOperator::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::SpatialPooler>();
  SpatialPoolerOptions options;
  WEFT_TRY(
      graph::ReadBound(context, "columns", message.columns(), 2, kMostSparseBits, options.columns));
  WEFT_TRY(graph::ReadBound(context, "active_columns", message.active_columns(), 1,
                            options.columns - 1, options.active_columns));
  WEFT_TRY(
      ReadShare(context, "potential_share", message.potential_share(), options.potential_share));
  WEFT_TRY(ReadShare(context, "connected_permanence", message.connected_permanence(),
                     options.connected_permanence));
  if (message.has_active_increment()) options.active_increment = 0.0;
  WEFT_TRY(
      ReadShare(context, "active_increment", message.active_increment(), options.active_increment));
  if (message.has_inactive_decrement()) options.inactive_decrement = 0.0;
  WEFT_TRY(ReadShare(context, "inactive_decrement", message.inactive_decrement(),
                     options.inactive_decrement));
  constexpr double kMostBoost = 100.0;
  WEFT_TRY(ReadShare(context, "boost_strength", message.boost_strength(), options.boost_strength,
                     kMostBoost));
  if (message.seed() != 0) options.seed = message.seed();
  KeptSeriesOptions series;
  WEFT_TRY(ReadSeriesOptions(context, message, kUsualMachines, series));
  machines_.emplace(
      series, [](std::int64_t width) { return width >= 1 && width <= kMostSparseBits; },
      [options](std::int64_t width) mutable {
        options.inputs = width;
        return SpatialPooler(options);
      });
  gauges_.emplace(context);
  return absl::OkStatus();
}

absl::Status SpatialPoolerOperator::Process(graph::ProcessContext& context) {
  const SparseBatch& input = context.Get(kInput);
  WEFT_TRY(machines_->CheckWidth(input.width));
  auto columns = std::make_shared<SparseBatch>();
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    WEFT_ASSIGN(SpatialPooler* const pooler,
                machines_->Latest(input.series[i], context.end_position()));
    columns->width = pooler->column_count();
    columns->AddLike(input, i, pooler->Step(input.Bits(i), /*learns=*/true));
  }
  gauges_->Set(machines_->kept());
  if (columns->size() > 0) context.Emit<SparseBatch>(kColumns, std::move(columns));
  return absl::OkStatus();
}

absl::Status SpatialPoolerOperator::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *machines_, sink);
}

absl::Status SpatialPoolerOperator::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *machines_, source);
}

}  // namespace weft::operators::sequence
