// HtmSeries: a series as HTM follows it: encoders of the fields and the time of day, spatial
// pooler, temporal memory, anomaly likelihood, and an SDR classifier for where the first field will
// be. The range of the values is taken from the first records.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "operators/sequence/htm_detector.h"
#include "operators/sequence/sdr_classifier.h"
#include "operators/sequence/series_model.h"

namespace weft::operators::sequence {

class HtmSeries final : public SeriesModel {
 public:
  // Records from which the ranges are found.
  static constexpr std::int64_t kFirst = 100;
  // Of the likelihood; an alarm is where it rises to this.
  static constexpr double kAlarm = 0.5;
  // Classes of the first field.
  static constexpr std::int64_t kBuckets = 22;

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
    SdrClassifier classifier;
    std::vector<double> usual;  // of each bucket: the mean of the values that were in it lately
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
    SdrClassifier::VisitState(self.machine_->classifier, archive);
    archive.Fixed(self.machine_->usual);
  }

  void FindRanges();
  void MakeMachine();
  HtmVerdict Take(graph::TimeUs time_us, std::span<const double> values);
  double BucketWidth() const;
  std::int64_t BucketOf(double value) const;
  StepForecast Distribution(std::size_t step) const;

  SeriesSettings settings_;
  std::int64_t count_ = 0;
  std::vector<graph::TimeUs> first_time_us_;  // until there are kFirst
  std::vector<double> first_value_;
  std::vector<HtmField> ranges_;
  std::optional<Machine> machine_;
  HtmVerdict latest_;
};

}  // namespace weft::operators::sequence
