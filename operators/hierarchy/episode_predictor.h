// `episode_predictor`: readouts -> when open episodes end and who comes next. See
// episode_predictor.md.
#pragma once

#include <optional>

#include "graph/operator.h"
#include "operators/hierarchy/episode_forecaster.h"

namespace weft::operators::hierarchy {

class EpisodePredictor final : public graph::Operator {
 public:
  static constexpr graph::In<ReadoutBatch> kReadout{"READOUT"};
  static constexpr graph::Out<ForecastBatch> kForecasts{"FORECASTS"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  std::optional<EpisodeForecaster> forecaster_;
};

}  // namespace weft::operators::hierarchy
