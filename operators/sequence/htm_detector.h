// HtmDetector: a series of records through HTM, in bounded memory: encoders, spatial pooler,
// temporal memory, the share of active columns that were not predicted, and how unusual that is.
//
// Source: the detector of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015; Ahmad et al. 2017)
// over the temporal memory of Hawkins and Ahmad 2016.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/anomaly_likelihood.h"
#include "operators/sequence/encoders.h"
#include "operators/sequence/htm_code.h"
#include "operators/sequence/peak_alarm.h"
#include "operators/sequence/series_settings.h"
#include "operators/sequence/spatial_pooler.h"
#include "operators/sequence/temporal_memory.h"

namespace weft::operators::sequence {

struct HtmField {
  FieldKind kind = FieldKind::kNumber;
  double least = 0.0, most = 1.0;  // that numbers are expected to have; others work as well
};

struct HtmDetectorOptions {
  std::vector<HtmField> fields = {{}};
  std::int64_t learning = 750;  // records before anything is said
  std::uint64_t seed = 0;
};

struct HtmVerdict {
  double failed = 0.0;  // share of the active columns that were not predicted
  double score = 0.0;   // log form of the anomaly likelihood, 0 to 1; 1 outside of what was seen
  double alarm = 0.0;   // the score where it peaks anew, else 0
};

// Thread-compatible. Exact.
class HtmDetector {
 public:
  explicit HtmDetector(const HtmDetectorOptions& options);

  // The next record, one value a field. A value that is not a number is missing: it has no bits.
  HtmVerdict Next(graph::TimeUs time_us, std::span<const double> values);

  // Of the latest record, for a classifier.
  const HtmCode& code() const { return code_; }
  std::size_t bytes() const { return pooler_.bytes() + memory_.bytes(); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    SpatialPooler::VisitState(self.pooler_, archive);
    TemporalMemory::VisitState(self.memory_, archive);
    AnomalyLikelihood::VisitState(self.likelihood_, archive);
    PeakAlarm::VisitState(self.alarm_, archive);
    HtmCode::VisitState(self.code_, archive);
    archive.Fixed(self.seen_);
  }

 private:
  // What a field had so far.
  struct Seen {
    double low = 0.0, high = 0.0;
    std::int64_t count = 0;
  };
  using Encoder = std::variant<RandomScalarEncoder, CategoryEncoder>;

  static std::vector<Encoder> MakeEncoders(const HtmDetectorOptions& options);
  std::int64_t InputSize() const;
  void Encode(std::size_t field, double value, SparseBits& to) const;
  // Whether it lies outside of what was seen, which it then is part of.
  bool LeavesRange(std::size_t field, double value);

  std::vector<Encoder> encoders_;  // of the fields
  DateTimeEncoder time_encoder_;
  SpatialPooler pooler_;
  TemporalMemory memory_;
  HtmCode code_;
  AnomalyLikelihood likelihood_;
  PeakAlarm alarm_{AnomalyLikelihood::kLeastAlarm};
  std::vector<Seen> seen_;
};

}  // namespace weft::operators::sequence
