// SeriesModel: what follows one series of records, by whatever means.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "graph/state_archive.h"
#include "graph/time.h"
#include "operators/sequence/anomaly_ensemble.h"
#include "operators/sequence/seasonal_neighbors.h"
#include "operators/sequence/series_settings.h"
#include "operators/sequence/step_forecast.h"

namespace weft::operators::sequence {

// What is said when a record comes.
struct RecordVerdict {
  double score = 0.0;      // how unusual, 0 to 1
  double alarm = 0.0;      // the score where it peaks anew, else 0
  std::int32_t field = 0;  // place in SeriesSettings::fields of what was most unusual
  // Of that field, -log10 of how seldom, 0 to 8; zeros for kHtm.
  std::array<double, kAnomalyExperts> by_expert = {};
  std::vector<StepForecast> forecasts;  // of the first field, one a horizon
};

// Why it was said.
struct FieldExplanation {
  double score = 0.0;
  // What each expert holds to: the largest of the latest records.
  std::array<double, kAnomalyExperts> by_expert = {};
  double least = 0.0, most = 0.0;  // seen so far
  double recent_mean = 0.0;
  double season_mean = 0.0;     // of this part of the season; NaN before it is known
  graph::TimeUs season_us = 0;  // after what time the series repeats itself; 0 of kHtm
};
struct ForecastOpinion {
  std::int64_t horizon = 1;
  std::string_view expert;
  double weight = 0.0;  // all of a horizon sum to 1
  double value = 0.0;
};
struct SeriesExplanation {
  std::vector<FieldExplanation> fields;
  std::vector<ForecastOpinion> opinions;
  // Moments of the past that went most like now; distances in units of the first field.
  std::vector<AlikeMoment> alike;
  graph::TimeUs step_us = 0;  // between records, about; 0 before it is known
  // Of kHtm: share of what came that was not predicted.
  double unpredicted = 0.0;
};

// Thread-compatible. Exact.
class SeriesModel {
 public:
  virtual ~SeriesModel() = default;

  // The next record, one value a field. Values that are not numbers are missing.
  virtual RecordVerdict Next(graph::TimeUs time_us, std::span<const double> values) = 0;
  // From now, without another record; what Next said last.
  virtual std::vector<StepForecast> Latest() const = 0;
  // Of the latest record.
  virtual SeriesExplanation Explain() const = 0;
  virtual std::int64_t record_count() const = 0;
  virtual std::size_t bytes() const = 0;

  virtual void Save(graph::SavingArchive& archive) const = 0;
  // Into one just made with the same settings.
  virtual void Load(graph::LoadingArchive& archive) = 0;
};

std::unique_ptr<SeriesModel> MakeSeriesModel(const SeriesSettings& settings);

}  // namespace weft::operators::sequence
