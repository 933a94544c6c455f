// SparseySeries: Sparsey's macrocolumns that follow the records of one series: when they are pauses
// apart, episodes begin.
#pragma once

#include <cstdint>
#include <span>

#include "graph/time.h"
#include "operators/sequence/sparsey_network.h"

namespace weft::operators::sequence {

struct SparseySeriesOptions {
  SparseyNetworkOptions network;
  std::int64_t learn_records = 0;    // from then on it only recognises; 0: it always learns
  graph::TimeUs episode_gap_us = 0;  // a longer pause begins an episode; 0: none does
};

// Thread-compatible. Exact.
class SparseySeries {
 public:
  explicit SparseySeries(const SparseySeriesOptions& options)
      : options_(options), network_(options.network) {}

  // What is made of the next record, valid until the one after.
  const SparseyNetwork& Next(graph::TimeUs time_us, std::span<const std::uint32_t> inputs) {
    const bool begins = count_ == 0 || (options_.episode_gap_us > 0 &&
                                        time_us - time_us_ > options_.episode_gap_us);
    const bool learns = options_.learn_records == 0 || count_ < options_.learn_records;
    time_us_ = time_us;
    ++count_;
    network_.Frame(inputs, learns, begins);
    return network_;
  }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Value(self.time_us_);
    SparseyNetwork::VisitState(self.network_, archive);
  }

 private:
  SparseySeriesOptions options_;
  SparseyNetwork network_;
  std::int64_t count_ = 0;
  graph::TimeUs time_us_ = 0;  // of the latest record
};

}  // namespace weft::operators::sequence
