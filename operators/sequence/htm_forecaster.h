// HtmForecaster: where a series of numbers will be some records from now, by HTM as it is
// published: encoders of the value and the time, spatial pooler, temporal memory, and an SDR
// classifier over the cells, the columns and the input (HtmCode).
//
// Source: the taxi experiment of Cui, Ahmad, Hawkins 2016, whose classifier reads the cells alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/time.h"
#include "operators/sequence/encoders.h"
#include "operators/sequence/htm_code.h"
#include "operators/sequence/sdr_classifier.h"
#include "operators/sequence/spatial_pooler.h"
#include "operators/sequence/temporal_memory.h"

namespace weft::operators::sequence {

struct HtmForecasterOptions {
  double least = 0.0, most = 1.0;  // of the values
  std::int64_t buckets = 22;       // classes, with middles from least to most
  std::int64_t horizon = 5;
  std::uint64_t seed = 0;
};

// Thread-compatible. Exact.
class HtmForecaster {
 public:
  explicit HtmForecaster(const HtmForecasterOptions& options);

  // The first records, over which the pooler learns beforehand; then it no longer does.
  void Prepare(std::span<const graph::TimeUs> time_us, std::span<const double> value);
  // Takes the next record in; probabilities of the buckets `horizon` records later.
  std::vector<double> Next(graph::TimeUs time_us, double value);
  std::size_t bytes() const { return pooler_.bytes() + memory_.bytes() + classifier_.bytes(); }

 private:
  SparseBits Encode(graph::TimeUs time_us, double value) const;
  std::int64_t BucketOf(double value) const;

  HtmForecasterOptions options_;
  ScalarEncoder value_encoder_, day_encoder_, week_encoder_;
  SpatialPooler pooler_;
  TemporalMemory memory_;
  HtmCode code_;
  SdrClassifier classifier_;
};

}  // namespace weft::operators::sequence
