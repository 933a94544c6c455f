// `sparsey`: sparse bits -> codes of Sparsey's macrocolumns, and how new they are. See sparsey.md.
#pragma once

#include <cstdint>
#include <optional>

#include "graph/operator.h"
#include "operators/sequence/machine_table.h"
#include "operators/sequence/series_options.h"
#include "operators/sequence/sparse_batch.h"
#include "operators/sequence/sparsey_options.h"
#include "operators/sequence/sparsey_series.h"

namespace weft::operators::sequence {

class SparseyOperator final : public graph::Operator {
 public:
  static constexpr graph::In<SparseBatch> kInput{"SDR"};
  static constexpr graph::Out<SparseBatch> kCodes{"CODES"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  std::optional<MachineTable<SparseySeries>> machines_;
  std::optional<SeriesGauges> gauges_;
};

}  // namespace weft::operators::sequence
