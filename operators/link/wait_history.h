// WaitHistory: how long those of a stream wait between two of their moments: nodes that send, nodes
// that receive, pairs. Events of one time are one moment. Bounded: nodes and pairs that were
// inactive longest are forgotten.
#pragma once

#include <cstdint>

#include "graph/event_batch.h"
#include "operators/link/pair_records.h"

namespace weft::operators::link {

inline constexpr int kLastWaits = 3;
// How fast a moving average goes towards each wait: after about 2 and 10 of them.
inline constexpr int kWaitRates = 2;
inline constexpr double kWaitRateSteps[kWaitRates] = {0.5, 0.1};

// Logarithms are of seconds.
struct WaitRecord {
  std::int64_t last_us = 0;
  std::uint32_t moments = 0;
  std::uint32_t count = 0;  // of waits
  double seconds = 0.0;     // sum over all waits, as the next two are
  double log = 0.0;
  double log_square = 0.0;
  double last[kLastWaits] = {};  // logarithms, latest first
  double average[kWaitRates] = {};
};

// Columns of a record, in this order.
enum WaitColumn : std::int32_t {
  kWaitMoments,    // log1p
  kWaitAge,        // log1p(seconds since the last moment); of the whole stream + 1 for never
  kWaitMean,       // of the logarithms, as if one wait of the mean of all had come before
  kWaitDeviation,  // of the logarithms, likewise
  kWaitLastFirst,  // kLastWaits, kWaitMean where there is none
  kWaitAverageFirst = kWaitLastFirst + kLastWaits,  // kWaitRates, likewise
  kWaitRecordColumns = kWaitAverageFirst + kWaitRates,
};
// Of each RecordOwner, in that order.
inline constexpr std::int32_t kWaitColumns =
    static_cast<std::int32_t>(RecordOwner::kCount) * kWaitRecordColumns;

// Mean and variance of logarithms.
struct LogWait {
  double mean;
  double variance;
};

// Thread-compatible.
class WaitHistory {
 public:
  // A node takes 176 bytes, a pair 112.
  explicit WaitHistory(const PairRecordsOptions& options) : records_(options) {}

  // kWaitColumns of a pair at `time_us`, no earlier than any event so far.
  void Read(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us,
            float* columns) const;
  // Events in order of time.
  void Observe(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us);

  // An empty record where nothing is remembered. Valid until the next Observe.
  const WaitRecord& Of(RecordOwner owner, graph::NodeId source, graph::NodeId target) const {
    return records_.Of(owner, source, target);
  }
  // The waits of all that are of the owner's kind: senders, receivers or pairs.
  const WaitRecord& AllOf(RecordOwner owner) const;

 private:
  PairRecords<WaitRecord> records_;
  WaitRecord all_sent_;
  WaitRecord all_received_;
  WaitRecord all_pairs_;
  graph::TimeUs first_us_ = 0;
  bool empty_ = true;
};

// As if `prior` waits that are like all waits had come before.
double SmoothedMeanSeconds(const WaitRecord& record, const WaitRecord& all, double prior);
LogWait SmoothedLogWait(const WaitRecord& record, const WaitRecord& all, double prior);

}  // namespace weft::operators::link
