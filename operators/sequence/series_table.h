// SeriesTable: a model for each of many series: of those that came lately in memory, of those that
// gave way to them in a ColdStore, from which they come back when their next record does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/cold_store.h"
#include "graph/event_batch.h"
#include "graph/log_record.h"
#include "operators/sequence/latest_series.h"
#include "operators/sequence/series_model.h"
#include "operators/sequence/series_settings.h"

namespace weft::operators::sequence {

struct SeriesTableOptions {
  SeriesSettings settings;  // of series that were given none of their own
  std::int64_t most_series = 1000;
  // Outside of memory; the one that gave way first is forgotten then.
  std::int64_t most_stored = 1 << 20;
  // Outlives the table; may be null where no series ever gives way.
  graph::ColdStore* cold = nullptr;
  std::string name = {};  // with which names in it begin
};

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

  explicit SeriesTable(SeriesTableOptions options)
      : options_(std::move(options)),
        followed_(options_.most_series),
        stored_(options_.most_stored) {}

  // How a series is followed.
  const SeriesSettings& SettingsOf(graph::NodeId series) const;
  // The next record of a series, one value a field of its settings, which lies at `position` in the
  // log. The series that was quiet longest gives way if there is no room. DATA_LOSS if the series
  // gave way before and what was stored of it is gone or damaged.
  absl::StatusOr<RecordVerdict> Next(graph::NodeId series, graph::LogPosition position,
                                     graph::TimeUs time_us, std::span<const double> values);

  // Places of records, given by their series, in an order in which those of a series follow each
  // other: its state then comes from memory once, not with every record. Taken in this order they
  // leave what they leave in their own, which it is where one series would give way to another.
  std::vector<std::size_t> OrderOf(std::span<const graph::NodeId> series) const;

  // Gives a series settings of its own; it begins anew. False if as many series as may be followed
  // have some already.
  bool Create(graph::NodeId series, SeriesSettings settings, graph::LogPosition position);
  // A series begins anew, with its settings or, if they are to be forgotten, those of all.
  void Reset(graph::NodeId series, bool forgets_settings, graph::LogPosition position);

  bool HasSettings(graph::NodeId series) const { return settings_of_.contains(series); }
  // Calls read(followed) with what is known of a series, and returns what that returns; nothing for
  // a series of which nothing is known. DATA_LOSS as for Next.
  template <class Read>
  std::optional<absl::Status> Look(graph::NodeId series, Read read) const {
    if (const Followed* const found = followed_.Find(series)) return read(*found);
    if (stored_.Find(series) == nullptr) return std::nullopt;
    const absl::StatusOr<Followed> followed = Stored(series);
    return followed.ok() ? read(*followed) : followed.status();
  }
  // In memory.
  const LatestSeries<Followed>& followed() const { return followed_; }
  // Outside of it.
  std::int64_t stored_count() const { return stored_.size(); }
  std::int64_t forgotten_count() const { return stored_.evicted_count(); }
  std::size_t bytes() const;

  // State to save, and to load into a table with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    VisitSettings(self, archive);
    const auto visit = [](auto& one, Archive& to) {
      std::remove_cvref_t<decltype(one)>::VisitState(one, to);
    };
    // One by one: between them lie bytes that say nothing.
    const auto visit_place = [](auto& place, Archive& to) {
      to.Value(place.partition);
      to.Value(place.feed);
      to.Value(place.offset);
    };
    if constexpr (Archive::kLoads) {
      const auto make = [&self](graph::NodeId series) { return self.Make(series); };
      self.followed_.Load(archive, make, visit);
      self.stored_.Load(
          archive, [](graph::NodeId) { return graph::LogPosition(); }, visit_place);
    } else {
      self.followed_.Save(archive, visit);
      self.stored_.Save(archive, visit_place);
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
  std::string NameOf(graph::NodeId series, graph::LogPosition stored_at) const;
  absl::StatusOr<Followed> Stored(graph::NodeId series) const;
  void StoreOldest(graph::LogPosition position);
  void Forget(graph::NodeId series, graph::LogPosition position);

  SeriesTableOptions options_;
  std::map<graph::NodeId, SeriesSettings> settings_of_;
  LatestSeries<Followed> followed_;
  LatestSeries<graph::LogPosition> stored_;  // at which record each gave way
};

}  // namespace weft::operators::sequence
