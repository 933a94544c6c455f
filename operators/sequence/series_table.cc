#include "operators/sequence/series_table.h"

#include <iterator>

namespace weft::operators::sequence {

SeriesTable::Place SeriesTable::Add(graph::NodeId series) {
  if (static_cast<std::int64_t>(by_age_.size()) >= settings_.most_series) {
    by_series_.erase(by_age_.front().series);
    by_age_.pop_front();
    ++evicted_count_;
  }
  by_age_.emplace_back(series, settings_.forecaster);
  const Place place = std::prev(by_age_.end());
  by_series_[series] = place;
  return place;
}

RecordVerdict SeriesTable::Next(graph::NodeId series, graph::TimeUs time_us, double value) {
  const auto found = by_series_.find(series);
  const Place place = found == by_series_.end() ? Add(series) : found->second;
  by_age_.splice(by_age_.end(), by_age_, place);
  return {place->anomaly.Next(time_us, value), place->forecaster.Next(time_us, value)};
}

std::size_t SeriesTable::bytes() const {
  std::size_t bytes = 0;
  for (const Entry& entry : by_age_) bytes += entry.anomaly.bytes() + entry.forecaster.bytes();
  return bytes;
}

}  // namespace weft::operators::sequence
