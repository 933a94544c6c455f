// `temporal_memory`: minicolumns -> cells, and how much was not predicted. See temporal_memory.md.
#pragma once

#include <optional>

#include "graph/operator.h"
#include "operators/sequence/machine_table.h"
#include "operators/sequence/series_options.h"
#include "operators/sequence/sparse_batch.h"
#include "operators/sequence/temporal_memory.h"

namespace weft::operators::sequence {

class TemporalMemoryOperator final : public graph::Operator {
 public:
  static constexpr graph::In<SparseBatch> kColumns{"COLUMNS"};
  static constexpr graph::Out<SparseBatch> kCells{"CELLS"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  std::optional<MachineTable<TemporalMemory>> machines_;
  std::optional<SeriesGauges> gauges_;
};

}  // namespace weft::operators::sequence
