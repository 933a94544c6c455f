#include "operators/sequence/temporal_memory_operator.h"

#include <memory>
#include <string>

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "operators/sequence/share_option.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
namespace {

constexpr std::int64_t kMostCells = 65'536;

absl::Status ReadPermanences(const graph::OpenContext& context, const v1::TemporalMemory& message,
                             TemporalMemoryOptions& options) {
  WEFT_TRY(ReadShare(context, "initial_permanence", message.initial_permanence(),
                     options.initial_permanence));
  WEFT_TRY(ReadShare(context, "connected_permanence", message.connected_permanence(),
                     options.connected_permanence));
  WEFT_TRY(ReadShare(context, "permanence_increment", message.permanence_increment(),
                     options.permanence_increment));
  if (message.has_permanence_decrement()) options.permanence_decrement = 0.0;
  WEFT_TRY(ReadShare(context, "permanence_decrement", message.permanence_decrement(),
                     options.permanence_decrement));
  WEFT_TRY(ReadShare(context, "predicted_decrement", message.predicted_decrement(),
                     options.predicted_decrement));
  return ReadShare(context, "replaced_below", message.replaced_below(), options.replaced_below);
}

absl::Status ReadNumbers(const graph::OpenContext& context, const v1::TemporalMemory& message,
                         TemporalMemoryOptions& options) {
  constexpr std::int64_t kMostSynapses = 128, kMostSegmentsOfCell = 255, kMostSegments = 1 << 24;
  WEFT_TRY(graph::ReadBound(context, "cells_per_column", message.cells_per_column(), 1, 1024,
                            options.cells_per_column));
  WEFT_TRY(graph::ReadBound(context, "activation_threshold", message.activation_threshold(), 1,
                            kMostSynapses, options.activation_threshold));
  WEFT_TRY(graph::ReadBound(context, "min_threshold", message.min_threshold(), 1, kMostSynapses,
                            options.min_threshold));
  WEFT_TRY(graph::ReadBound(context, "max_new_synapses", message.max_new_synapses(), 1,
                            kMostSynapses, options.max_new_synapses));
  WEFT_TRY(graph::ReadBound(context, "max_segments_per_cell", message.max_segments_per_cell(), 1,
                            kMostSegmentsOfCell, options.max_segments_per_cell));
  WEFT_TRY(graph::ReadBound(context, "max_synapses_per_segment", message.max_synapses_per_segment(),
                            1, kMostSynapses, options.max_synapses_per_segment));
  return graph::ReadBound(context, "max_segments", message.max_segments(), 1, kMostSegments,
                          options.max_segments);
}

}  // namespace

graph::Contract TemporalMemoryOperator::contract() {
  graph::Contract contract;
  contract.Input(kColumns).Output(kCells);
  contract.options_type = v1::TemporalMemory::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.state_version = 4;
  return contract;
}

absl::Status TemporalMemoryOperator::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::TemporalMemory>();
  TemporalMemoryOptions options;
  WEFT_TRY(ReadPermanences(context, message, options));
  WEFT_TRY(ReadNumbers(context, message, options));
  if (message.seed() != 0) options.seed = message.seed();
  KeptSeriesOptions series;
  WEFT_TRY(ReadSeriesOptions(context, message, kUsualMachines, series));
  machines_.emplace(
      series,
      [cells = options.cells_per_column](std::int64_t width) {
        return width >= 1 && width <= kMostCells / cells;
      },
      [options](std::int64_t width) mutable {
        options.columns = width;
        return TemporalMemory(options);
      });
  gauges_.emplace(context);
  return absl::OkStatus();
}

absl::Status TemporalMemoryOperator::Process(graph::ProcessContext& context) {
  const SparseBatch& columns = context.Get(kColumns);
  WEFT_TRY(machines_->CheckWidth(columns.width));
  auto cells = std::make_shared<SparseBatch>();
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    WEFT_ASSIGN(TemporalMemory* const memory,
                machines_->Latest(columns.series[i], context.end_position()));
    const auto active = columns.Bits(i);
    const std::int64_t predicted = memory->Step(active, /*learns=*/true);
    const double unpredicted =
        active.empty() ? 0.0
                       : 1.0 - static_cast<double>(predicted) / static_cast<double>(active.size());
    cells->width = memory->cell_count();
    cells->Add(columns.series[i], columns.time_us[i], columns.value[i], unpredicted,
               memory->active_cells());
  }
  gauges_->Set(machines_->kept());
  if (cells->size() > 0) context.Emit<SparseBatch>(kCells, std::move(cells));
  return absl::OkStatus();
}

absl::Status TemporalMemoryOperator::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *machines_, sink);
}

absl::Status TemporalMemoryOperator::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *machines_, source);
}

}  // namespace weft::operators::sequence
