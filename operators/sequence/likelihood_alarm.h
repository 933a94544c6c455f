// LikelihoodAlarm: an anomaly likelihood and the alarms of it.
#pragma once

#include "operators/sequence/anomaly_likelihood.h"
#include "operators/sequence/peak_alarm.h"
#include "operators/sequence/series_model.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class LikelihoodAlarm {
 public:
  explicit LikelihoodAlarm(const LikelihoodOptions& options) : likelihood_(options) {}

  // Of a value that came with this share of predictions that failed.
  RecordVerdict Next(double value, double unpredicted) {
    RecordVerdict verdict;
    verdict.score = AnomalyLikelihood::LogForm(likelihood_.Next(value, unpredicted));
    verdict.alarm = alarm_.Next(verdict.score);
    return verdict;
  }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    AnomalyLikelihood::VisitState(self.likelihood_, archive);
    PeakAlarm::VisitState(self.alarm_, archive);
  }

 private:
  AnomalyLikelihood likelihood_;
  PeakAlarm alarm_{AnomalyLikelihood::kLeastAlarm};
};

}  // namespace weft::operators::sequence
