// `sdr_classifier`: sparse codes -> where the values will be. See sdr_classifier.md.
#pragma once

#include <optional>

#include "graph/operator.h"
#include "operators/sequence/bucket_forecaster.h"
#include "operators/sequence/machine_table.h"
#include "operators/sequence/sequence_row.h"
#include "operators/sequence/series_options.h"

namespace weft::operators::sequence {

class SdrClassifierOperator final : public graph::Operator {
 public:
  static constexpr graph::In<SparseBatch> kCells{"CELLS"};
  static constexpr graph::Out<SequenceBatch> kSequence{"SEQUENCE"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  std::optional<MachineTable<BucketForecaster>> machines_;
  std::optional<SeriesGauges> gauges_;
};

}  // namespace weft::operators::sequence
