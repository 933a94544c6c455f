// LabelHistory: what is remembered of labels that were yes or no: of all events, of those that each
// node sent and received, and of each pair. Bounded: nodes and pairs that were inactive longest are
// forgotten.
#pragma once

#include <cstdint>

#include "graph/event_batch.h"
#include "operators/link/pair_records.h"

namespace weft::operators::link {

// How fast a rate moves towards each label: after about 2, 10 and 100 of them.
inline constexpr int kLabelRates = 3;
inline constexpr float kLabelRateSteps[kLabelRates] = {0.5f, 0.1f, 0.01f};

// Of some events.
struct LabelRecord {
  std::uint32_t count = 0;
  std::uint32_t positives = 0;
  std::uint32_t last_positive = 0;  // its place in the stream, from 1; 0: never
  float rate[kLabelRates] = {};     // average of "yes", from the rate of all events on
  bool last = false;
};

// Columns of a record, in this order.
enum LabelColumn : std::int32_t {
  kLabelCount,      // log1p
  kLabelPositives,  // log1p
  kLabelLogOdds,    // of the share of yes, with one event of the rate of all
  kLabelLast,       // 1 yes, -1 no, 0 no event yet
  kLabelSince,      // log1p(events of the stream since the last yes); log1p(all) + 1 for never
  kLabelRateFirst,  // kLabelRates
  kLabelRecordColumns = kLabelRateFirst + kLabelRates,
};
// Of each RecordOwner, in that order, and of all events.
inline constexpr std::int32_t kLabelColumns =
    (static_cast<std::int32_t>(RecordOwner::kCount) + 1) * kLabelRecordColumns;

// Thread-compatible.
class LabelHistory {
 public:
  // A node takes 72 bytes, a pair 60.
  explicit LabelHistory(const PairRecordsOptions& options) : records_(options) {}

  // kLabelColumns of a pair, as of now.
  void Read(graph::NodeId source, graph::NodeId target, float* columns) const;
  // Takes the label of an event in.
  void Observe(graph::NodeId source, graph::NodeId target, bool positive);

  // An empty record where nothing is remembered. Valid until the next Observe.
  const LabelRecord& Of(RecordOwner owner, graph::NodeId source, graph::NodeId target) const {
    return records_.Of(owner, source, target);
  }
  // Of all events.
  const LabelRecord& all() const { return all_; }
  // The share of yes of all events, with one yes and one no more.
  float base_rate() const;

 private:
  PairRecords<LabelRecord> records_;
  LabelRecord all_;
};

// (positives + prior x base_rate) / (count + prior): as if `prior` events of the base rate had come
// before.
float SmoothedRate(const LabelRecord& record, float base_rate, float prior);

}  // namespace weft::operators::link
