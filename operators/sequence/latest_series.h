// LatestSeries: something that is kept for each of many series, those that came lately.
#pragma once

#include <cstdint>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

#include "graph/event_batch.h"

namespace weft::operators::sequence {

// What an operator's option max_series may be at most, and what it is if left out, of an operator
// with a large machine for each series and of others; the same of max_stored_series.
inline constexpr std::int64_t kMostSeries = 1 << 20, kUsualMachines = 100, kUsualSeries = 1000;
inline constexpr std::int64_t kMostStoredSeries = 1 << 28, kUsualStoredSeries = 1 << 20;

// Thread-compatible. Exact.
template <class Kept>
class LatestSeries {
 public:
  using Entry = std::pair<graph::NodeId, Kept>;

  explicit LatestSeries(std::int64_t most) : most_(most) {}

  // What is kept of a series that comes now; make() if nothing is. The one that was quiet longest
  // gives way if there is no room.
  template <class Make>
  Kept& Latest(graph::NodeId series, Make make) {
    const auto found = by_series_.find(series);
    if (found != by_series_.end()) {
      by_age_.splice(by_age_.end(), by_age_, found->second);
      return found->second->second;
    }
    if (size() >= most_) {
      Remove(by_age_.front().first);
      ++evicted_count_;
    }
    by_age_.emplace_back(series, make());
    by_series_[series] = std::prev(by_age_.end());
    return by_age_.back().second;
  }
  void Remove(graph::NodeId series) {
    const auto found = by_series_.find(series);
    if (found == by_series_.end()) return;
    by_age_.erase(found->second);
    by_series_.erase(found);
  }

  // Null for a series of which nothing is kept.
  const Kept* Find(graph::NodeId series) const {
    const auto found = by_series_.find(series);
    return found == by_series_.end() ? nullptr : &found->second->second;
  }
  // The one that was quiet longest first.
  const std::list<Entry>& entries() const { return by_age_; }
  std::int64_t size() const { return static_cast<std::int64_t>(by_series_.size()); }
  // Series that gave way.
  std::int64_t evicted_count() const { return evicted_count_; }

  // State to save, and to load into an empty one with room for as many: what visit(kept, archive)
  // does, of what make(series) made.
  template <class Archive, class Visit>
  void Save(Archive& archive, Visit visit) const {
    archive.Value(evicted_count_);
    const auto count = static_cast<std::uint64_t>(by_age_.size());
    archive.Value(count);
    for (const auto& [series, kept] : by_age_) {
      archive.Value(series);
      visit(kept, archive);
    }
  }
  template <class Archive, class Make, class Visit>
  void Load(Archive& archive, Make make, Visit visit) {
    archive.Value(evicted_count_);
    std::uint64_t count = 0;
    archive.Value(count);
    archive.Check(count <= static_cast<std::uint64_t>(most_), "as many series as may be");
    for (std::uint64_t i = 0; i < count && archive.ok(); ++i) {
      graph::NodeId series = 0;
      archive.Value(series);
      if (archive.ok()) visit(Latest(series, [&] { return make(series); }), archive);
    }
  }

 private:
  std::int64_t most_;
  std::list<Entry> by_age_;
  std::unordered_map<graph::NodeId, typename std::list<Entry>::iterator> by_series_;
  std::int64_t evicted_count_ = 0;
};

}  // namespace weft::operators::sequence
