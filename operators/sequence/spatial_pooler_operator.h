// `spatial_pooler`: sparse bits -> the minicolumns that they make active. See spatial_pooler.md.
#pragma once

#include <optional>

#include "graph/operator.h"
#include "operators/sequence/machine_table.h"
#include "operators/sequence/series_options.h"
#include "operators/sequence/sparse_batch.h"
#include "operators/sequence/spatial_pooler.h"

namespace weft::operators::sequence {

class SpatialPoolerOperator final : public graph::Operator {
 public:
  static constexpr graph::In<SparseBatch> kInput{"SDR"};
  static constexpr graph::Out<SparseBatch> kColumns{"COLUMNS"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  std::optional<MachineTable<SpatialPooler>> machines_;
  std::optional<SeriesGauges> gauges_;
};

}  // namespace weft::operators::sequence
