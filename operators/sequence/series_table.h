// SeriesTable: a model for each of many series, some with settings of their own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "graph/log_record.h"
#include "operators/sequence/kept_series.h"
#include "operators/sequence/series_model.h"
#include "operators/sequence/series_settings.h"

namespace weft::operators::sequence {

// Thread-compatible. Exact.
class SeriesTable {
 public:
  struct Followed {
    graph::TimeUs time_us = 0;  // of the latest record
    double value = 0.0;         // latest of the first field that was not missing
    std::unique_ptr<SeriesModel> model;

    template <class Self, class Archive>
    static void VisitState(Self& self, Archive& archive) {
      archive.Value(self.time_us);
      archive.Value(self.value);
      if constexpr (Archive::kLoads) {
        self.model->Load(archive);
      } else {
        self.model->Save(archive);
      }
    }
  };

  // `settings`: of series that were given none of their own, which at most `kept.most` are.
  SeriesTable(SeriesSettings settings, const KeptSeriesOptions& kept)
      : settings_(std::move(settings)),
        most_settings_(static_cast<std::uint64_t>(kept.most)),
        kept_(kept, [this](graph::NodeId series) { return Make(series); }) {}
  SeriesTable(const SeriesTable&) = delete;
  SeriesTable& operator=(const SeriesTable&) = delete;

  // How a series is followed.
  const SeriesSettings& SettingsOf(graph::NodeId series) const;
  // The next record of a series, one value a field of its settings; the log up to `end` has it. The
  // series that was quiet longest gives way if there is no room.
  absl::StatusOr<RecordVerdict> Next(graph::NodeId series, graph::LogPosition end,
                                     graph::TimeUs time_us, std::span<const double> values);

  // Gives a series settings of its own; it begins anew. False if as many series as may be followed
  // have some already.
  bool Create(graph::NodeId series, SeriesSettings settings, graph::LogPosition end);
  // A series begins anew, with its settings or, if they are to be forgotten, those of all.
  void Reset(graph::NodeId series, bool forgets_settings, graph::LogPosition end);

  bool HasSettings(graph::NodeId series) const { return settings_of_.contains(series); }
  const KeptSeries<Followed>& kept() const { return kept_; }
  std::size_t bytes() const;

  // State to save, and to load into a table with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    VisitSettings(self, archive);
    KeptSeries<Followed>::VisitState(self.kept_, archive);
  }

 private:
  template <class Self, class Archive>
  static void VisitSettings(Self& self, Archive& archive) {
    std::uint64_t count = self.settings_of_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= self.most_settings_, "settings of as many series as may be");
      for (std::uint64_t i = 0; i < count && archive.ok(); ++i) {
        graph::NodeId series = 0;
        archive.Value(series);
        SeriesSettings::VisitState(self.settings_of_[series], archive);
      }
    } else {
      for (const auto& [series, settings] : self.settings_of_) {
        archive.Value(series);
        SeriesSettings::VisitState(settings, archive);
      }
    }
  }
  Followed Make(graph::NodeId series) const;

  SeriesSettings settings_;
  std::uint64_t most_settings_;
  std::map<graph::NodeId, SeriesSettings> settings_of_;
  KeptSeries<Followed> kept_;
};

}  // namespace weft::operators::sequence
