// SeriesTable: a model for each of many series, those that came lately.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>

#include "graph/event_batch.h"
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
  struct Entry {
    graph::NodeId series = 0;
    graph::TimeUs time_us = 0;  // of the latest record
    std::unique_ptr<SeriesModel> model;
  };

  explicit SeriesTable(SeriesTableOptions options) : options_(std::move(options)) {}

  // How a series is followed.
  const SeriesSettings& SettingsOf(graph::NodeId series) const;
  // The next record of a series, one value a field of its settings. The series that was quiet
  // longest gives way if there is no room.
  RecordVerdict Next(graph::NodeId series, graph::TimeUs time_us, std::span<const double> values);

  // Gives a series settings of its own; it begins anew. False if as many series as may be followed
  // have some already.
  bool Create(graph::NodeId series, SeriesSettings settings);
  // A series begins anew, with its settings or, if they are to be forgotten, those of all.
  void Reset(graph::NodeId series, bool forgets_settings);

  // Null for a series that is not followed now.
  const Entry* Find(graph::NodeId series) const;
  bool HasSettings(graph::NodeId series) const { return settings_of_.contains(series); }
  // The one that was quiet longest first.
  const std::list<Entry>& entries() const { return by_age_; }
  std::int64_t size() const { return static_cast<std::int64_t>(by_series_.size()); }
  // Series that gave way.
  std::int64_t evicted_count() const { return evicted_count_; }
  std::size_t bytes() const;

  // State to save, and to load into a table with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.evicted_count_);
    VisitSettings(self, archive);
    std::uint64_t count = self.by_age_.size();
    archive.Value(count);
    if constexpr (Archive::kLoads) {
      archive.Check(count <= static_cast<std::uint64_t>(self.options_.most_series),
                    "as many series as may be");
      for (std::uint64_t i = 0; i < count && archive.ok(); ++i) {
        graph::NodeId series = 0;
        archive.Value(series);
        if (!archive.ok()) return;
        Entry& entry = *self.Add(series);
        archive.Value(entry.time_us);
        entry.model->Load(archive);
      }
    } else {
      for (const Entry& entry : self.by_age_) {
        archive.Value(entry.series);
        archive.Value(entry.time_us);
        entry.model->Save(archive);
      }
    }
  }

 private:
  using Place = std::list<Entry>::iterator;

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
  Place Add(graph::NodeId series);
  void Remove(graph::NodeId series);

  SeriesTableOptions options_;
  std::map<graph::NodeId, SeriesSettings> settings_of_;
  std::list<Entry> by_age_;
  std::unordered_map<graph::NodeId, Place> by_series_;
  std::int64_t evicted_count_ = 0;
};

}  // namespace weft::operators::sequence
