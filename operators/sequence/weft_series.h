// WeftSeries: a series as docs/sequence.md's model `weft` follows it: an ensemble of anomaly
// experts a field, and the forecaster for the first of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/sequence/anomaly_ensemble.h"
#include "operators/sequence/sequence_forecaster.h"
#include "operators/sequence/series_model.h"

namespace weft::operators::sequence {

// The score is that of the field with the largest.
class WeftSeries final : public SeriesModel {
 public:
  explicit WeftSeries(const SeriesSettings& settings);

  RecordVerdict Next(graph::TimeUs time_us, std::span<const double> values) override;
  std::vector<StepForecast> Latest() const override;
  SeriesExplanation Explain() const override;
  std::int64_t record_count() const override { return forecaster_.record_count(); }
  std::size_t bytes() const override;

  void Save(graph::SavingArchive& archive) const override { VisitState(*this, archive); }
  void Load(graph::LoadingArchive& archive) override { VisitState(*this, archive); }

 private:
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& one : self.anomalies_) AnomalyEnsemble::VisitState(one, archive);
    SequenceForecaster::VisitState(self.forecaster_, archive);
    archive.Value(self.time_us_);
    archive.Fixed(self.scores_);
  }

  std::vector<AnomalyEnsemble> anomalies_;  // one a field
  SequenceForecaster forecaster_;
  graph::TimeUs time_us_ = 0;   // of the latest record
  std::vector<double> scores_;  // of the latest record
};

}  // namespace weft::operators::sequence
