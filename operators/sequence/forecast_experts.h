// `forecast_rls`, `forecast_knn`, `forecast_histogram`: records -> where each series will be, by
// one expert of SequenceForecaster. See forecast_rls.md, forecast_knn.md and forecast_histogram.md.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "graph/operator.h"
#include "operators/sequence/expert_operator.h"
#include "operators/sequence/sequence_forecaster.h"
#include "weft/operators/sequence/v1/ensemble.pb.h"

namespace weft::operators::sequence {

// Reads `horizon` and `step_us` of a v1::Forecast.
absl::Status ReadForecast(const graph::OpenContext& context, ForecasterSettings& settings);

template <ForecastExpert kExpert>
class OneForecastExpert {
 public:
  using Message = v1::Forecast;
  using Options = ForecasterSettings;
  static absl::Status Read(const graph::OpenContext& context, Options& options) {
    for (std::size_t e = 0; e < kForecastExperts; ++e)
      if (e != kExpert) options.without.Add(e);
    return ReadForecast(context, options);
  }

  explicit OneForecastExpert(const Options& options) : forecaster_(options) {}
  double Next(graph::TimeUs time_us, double value) {
    forecaster_.Next(time_us, value);
    const Forecast& said = forecaster_.latest();
    return said.is_known() && said.weight[kExpert] > 0.0 ? said.mean : std::nan("");
  }
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    SequenceForecaster::VisitState(self.forecaster_, archive);
  }

 private:
  SequenceForecaster forecaster_;
};

using ForecastRlsOperator = ExpertOperator<OneForecastExpert<kLinear>>;
using ForecastKnnOperator = ExpertOperator<OneForecastExpert<kNeighbors>>;
using ForecastHistogramOperator = ExpertOperator<OneForecastExpert<kHistogram>>;

}  // namespace weft::operators::sequence
