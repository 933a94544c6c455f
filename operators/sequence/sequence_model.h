// `sequence_model`: records of many series -> how unusual each is, and what comes next. See
// sequence_model.md.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/event_batch.h"
#include "graph/mark_batch.h"
#include "graph/metrics.h"
#include "graph/operator.h"
#include "operators/sequence/sequence_reader.h"
#include "operators/sequence/sequence_row.h"
#include "operators/sequence/series_options.h"

namespace weft::operators::sequence {

class SequenceModel final : public graph::Operator, public SequenceReader {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<SequenceBatch> kSequence{"SEQUENCE"};
  static constexpr graph::Out<graph::MarkBatch> kMarks{"MARKS"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  // A weft.operators.sequence.v1.SequenceCommand.
  absl::Status OnCommand(std::string_view body, graph::LogPosition position) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

  const SeriesTable& table() const override { return *table_; }
  const RecentRows& recent() const override { return recent_; }
  double alarm() const override { return alarm_; }

 private:
  absl::StatusOr<SequenceRow> Take(const graph::EventBatch& events, std::size_t row,
                                   graph::LogPosition end);
  // The rows at hand.
  absl::StatusOr<std::vector<SequenceRow>> TakeAll(graph::ProcessContext& context);

  std::optional<SeriesTable> table_;
  RecentRows recent_;
  double alarm_ = AnomalyEnsemble::kAlarm;
  std::vector<double> values_;  // of the record at hand
  std::optional<SeriesGauges> gauges_;
  graph::Counter* records_ = nullptr;
  graph::Counter* alarms_ = nullptr;
  graph::Counter* evicted_ = nullptr;
};

}  // namespace weft::operators::sequence
