// SeriesTable: a model for each of many series, those that came lately.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "graph/event_batch.h"
#include "operators/sequence/anomaly_ensemble.h"
#include "operators/sequence/sequence_forecaster.h"

namespace weft::operators::sequence {

struct SeriesSettings {
  ForecasterSettings forecaster;
  std::int64_t most_series = 1000;
};

// What is said when a record comes.
struct RecordVerdict {
  AnomalyVerdict anomaly;
  Forecast forecast;  // of the value a horizon later
};

// Thread-compatible. Exact.
class SeriesTable {
 public:
  explicit SeriesTable(const SeriesSettings& settings) : settings_(settings) {}

  // The next record of a series.
  RecordVerdict Next(graph::NodeId series, graph::TimeUs time_us, double value);

  std::int64_t size() const { return static_cast<std::int64_t>(by_series_.size()); }
  // Series that gave way.
  std::int64_t evicted_count() const { return evicted_count_; }
  std::size_t bytes() const;

  // State to save, and to load into a table with the same settings.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.evicted_count_);
    std::uint64_t count = self.by_age_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= static_cast<std::uint64_t>(self.settings_.most_series),
                    "as many series as may be");
      for (std::uint64_t i = 0; i < count && archive.ok(); ++i) {
        graph::NodeId series = 0;
        archive.Value(series);
        if (archive.ok()) VisitModel(*self.Add(series), archive);
      }
    } else {
      for (const Entry& entry : self.by_age_) {
        archive.Value(entry.series);
        VisitModel(entry, archive);
      }
    }
  }

 private:
  struct Entry {
    Entry(graph::NodeId of, const ForecasterSettings& settings)
        : series(of), forecaster(settings) {}
    graph::NodeId series;
    AnomalyEnsemble anomaly;
    SequenceForecaster forecaster;
  };
  using Place = std::list<Entry>::iterator;

  template <class Of, class Archive>
  static void VisitModel(Of& entry, Archive& archive) {
    AnomalyEnsemble::VisitState(entry.anomaly, archive);
    SequenceForecaster::VisitState(entry.forecaster, archive);
  }
  Place Add(graph::NodeId series);

  SeriesSettings settings_;
  std::list<Entry> by_age_;  // the one that was quiet longest first
  std::unordered_map<graph::NodeId, Place> by_series_;
  std::int64_t evicted_count_ = 0;
};

}  // namespace weft::operators::sequence
