// `sequence_model`: records of many series -> how unusual each is, and what comes next. See
// sequence_model.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "graph/event_batch.h"
#include "graph/mark_batch.h"
#include "graph/metrics.h"
#include "graph/operator.h"
#include "operators/sequence/series_table.h"

namespace weft::operators::sequence {

// A record with what was said of it and at it.
struct SequenceRow {
  graph::NodeId series = 0;
  graph::TimeUs time_us = 0;
  double value = 0.0;
  AnomalyVerdict anomaly;
  // Of the value a horizon later: its mean, and quantiles .1, .5 and .9; unless it is not known
  // yet.
  bool is_foretold = false;
  double mean = 0.0;
  std::array<double, 3> quantile = {};
};

// One row a record.
struct SequenceBatch {
  std::vector<SequenceRow> rows;
  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

class SequenceModel final : public graph::Operator {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<SequenceBatch> kSequence{"SEQUENCE"};
  static constexpr graph::Out<graph::MarkBatch> kMarks{"MARKS"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

 private:
  double ValueOf(const graph::EventBatch& events, std::int64_t row) const;

  std::optional<SeriesTable> table_;
  std::int32_t field_ = 0;
  double alarm_ = AnomalyEnsemble::kAlarm;
  graph::Gauge* series_ = nullptr;
  graph::Counter* alarms_ = nullptr;
};

}  // namespace weft::operators::sequence

WEFT_PACKET_TYPE(weft::operators::sequence::SequenceBatch, "SequenceBatch");
