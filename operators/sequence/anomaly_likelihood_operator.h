// `anomaly_likelihood`: shares that were not predicted -> how unusual that is. See
// anomaly_likelihood.md.
#pragma once

#include <optional>

#include "graph/operator.h"
#include "operators/sequence/likelihood_alarm.h"
#include "operators/sequence/machine_table.h"
#include "operators/sequence/sequence_row.h"
#include "operators/sequence/series_options.h"

namespace weft::operators::sequence {

class AnomalyLikelihoodOperator final : public graph::Operator {
 public:
  static constexpr graph::In<SparseBatch> kCells{"CELLS"};
  static constexpr graph::Out<SequenceBatch> kSequence{"SEQUENCE"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  std::optional<MachineTable<LikelihoodAlarm>> machines_;
  std::optional<SeriesGauges> gauges_;
};

}  // namespace weft::operators::sequence
