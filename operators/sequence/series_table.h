// SeriesTable: a model for each of many series, those that came lately.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "graph/event_batch.h"
#include "operators/sequence/latest_series.h"
#include "operators/sequence/series_model.h"
#include "operators/sequence/series_settings.h"

namespace weft::operators::sequence {

struct SeriesTableOptions {
  SeriesSettings settings;  // of series that were given none of their own
  std::int64_t most_series = 1000;
};

// Thread-compatible. Exact.
class SeriesTable {
 public:
  struct Followed {
    graph::TimeUs time_us = 0;  // of the latest record
    double value = 0.0;         // latest of the first field that was not missing
    std::unique_ptr<SeriesModel> model;
  };

  explicit SeriesTable(SeriesTableOptions options)
      : options_(std::move(options)), followed_(options_.most_series) {}

  // How a series is followed.
  const SeriesSettings& SettingsOf(graph::NodeId series) const;
  // The next record of a series, one value a field of its settings. The series that was quiet
  // longest gives way if there is no room.
  RecordVerdict Next(graph::NodeId series, graph::TimeUs time_us, std::span<const double> values);

  // Places of records, given by their series, in an order in which those of a series follow each
  // other: its state then comes from memory once, not with every record. Taken in this order they
  // leave what they leave in their own, which it is where one series would give way to another.
  std::vector<std::size_t> OrderOf(std::span<const graph::NodeId> series) const;

  // Gives a series settings of its own; it begins anew. False if as many series as may be followed
  // have some already.
  bool Create(graph::NodeId series, SeriesSettings settings);
  // A series begins anew, with its settings or, if they are to be forgotten, those of all.
  void Reset(graph::NodeId series, bool forgets_settings);

  bool HasSettings(graph::NodeId series) const { return settings_of_.contains(series); }
  const LatestSeries<Followed>& followed() const { return followed_; }
  std::size_t bytes() const;

  // State to save, and to load into a table with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    VisitSettings(self, archive);
    const auto visit = [](auto& one, Archive& to) {
      to.Value(one.time_us);
      to.Value(one.value);
      if constexpr (Archive::kLoads) {
        one.model->Load(to);
      } else {
        one.model->Save(to);
      }
    };
    if constexpr (Archive::kLoads) {
      self.followed_.Load(
          archive, [&self](graph::NodeId series) { return self.Make(series); }, visit);
    } else {
      self.followed_.Save(archive, visit);
    }
  }

 private:
  template <class Self, class Archive>
  static void VisitSettings(Self& self, Archive& archive) {
    std::uint64_t count = self.settings_of_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= static_cast<std::uint64_t>(self.options_.most_series),
                    "settings of as many series as may be");
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

  SeriesTableOptions options_;
  std::map<graph::NodeId, SeriesSettings> settings_of_;
  LatestSeries<Followed> followed_;
};

}  // namespace weft::operators::sequence
