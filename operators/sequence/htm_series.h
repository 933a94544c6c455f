// HtmSeries: a series as HTM follows it: encoders of the fields and the time of day, spatial
// pooler, temporal memory, anomaly likelihood, and an SDR classifier for where the first field will
// be. The range of the values is taken from the first records.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "operators/sequence/bucket_forecaster.h"
#include "operators/sequence/htm_detector.h"
#include "operators/sequence/series_model.h"

namespace weft::operators::sequence {

class HtmSeries final : public SeriesModel {
 public:
  // Records from which the ranges are found.
  static constexpr std::int64_t kFirst = 100;

  explicit HtmSeries(const SeriesSettings& settings) : settings_(settings) {}

  RecordVerdict Next(graph::TimeUs time_us, std::span<const double> values) override;
  std::vector<StepForecast> Latest() const override;
  SeriesExplanation Explain() const override;
  std::int64_t record_count() const override { return count_; }
  std::size_t bytes() const override;

  void Save(graph::SavingArchive& archive) const override { VisitState(*this, archive); }
  void Load(graph::LoadingArchive& archive) override { VisitState(*this, archive); }

 private:
  // A machine as it is once the ranges are known.
  struct Machine {
    HtmDetector detector;
    BucketForecaster forecaster;
  };

  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Array(self.first_time_us_, kFirst);
    archive.Array(self.first_value_, kFirst * SeriesSettings::kMostFields);
    std::uint64_t has_begun = self.machine_ ? 1 : 0;
    archive.Value(has_begun);
    archive.Array(self.ranges_, SeriesSettings::kMostFields);
    archive.Value(self.latest_);
    if (has_begun == 0) return;
    if constexpr (Archive::kLoads) {
      archive.Check(self.ranges_.size() == self.settings_.fields.size(), "a range a field");
      if (!archive.ok()) return;
      self.MakeMachine();
    }
    HtmDetector::VisitState(self.machine_->detector, archive);
    BucketForecaster::VisitState(self.machine_->forecaster, archive);
  }

  void FindRanges();
  void MakeMachine();
  HtmVerdict Take(graph::TimeUs time_us, std::span<const double> values);

  SeriesSettings settings_;
  std::int64_t count_ = 0;
  std::vector<graph::TimeUs> first_time_us_;  // until there are kFirst
  std::vector<double> first_value_;
  std::vector<HtmField> ranges_;
  std::optional<Machine> machine_;
  HtmVerdict latest_;
};

}  // namespace weft::operators::sequence
