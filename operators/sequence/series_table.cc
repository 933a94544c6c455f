#include "operators/sequence/series_table.h"

#include <iterator>
#include <utility>

namespace weft::operators::sequence {

const SeriesSettings& SeriesTable::SettingsOf(graph::NodeId series) const {
  const auto found = settings_of_.find(series);
  return found == settings_of_.end() ? options_.settings : found->second;
}

SeriesTable::Place SeriesTable::Add(graph::NodeId series) {
  if (size() >= options_.most_series) {
    Remove(by_age_.front().series);
    ++evicted_count_;
  }
  by_age_.push_back({series, 0, MakeSeriesModel(SettingsOf(series))});
  const Place place = std::prev(by_age_.end());
  by_series_[series] = place;
  return place;
}

void SeriesTable::Remove(graph::NodeId series) {
  const auto found = by_series_.find(series);
  if (found == by_series_.end()) return;
  by_age_.erase(found->second);
  by_series_.erase(found);
}

RecordVerdict SeriesTable::Next(graph::NodeId series, graph::TimeUs time_us,
                                std::span<const double> values) {
  const auto found = by_series_.find(series);
  const Place place = found == by_series_.end() ? Add(series) : found->second;
  by_age_.splice(by_age_.end(), by_age_, place);
  place->time_us = time_us;
  return place->model->Next(time_us, values);
}

bool SeriesTable::Create(graph::NodeId series, SeriesSettings settings) {
  const auto most = static_cast<std::size_t>(options_.most_series);
  if (!settings_of_.contains(series) && settings_of_.size() >= most) return false;
  settings_of_[series] = std::move(settings);
  Remove(series);
  return true;
}

void SeriesTable::Reset(graph::NodeId series, bool forgets_settings) {
  if (forgets_settings) settings_of_.erase(series);
  Remove(series);
}

const SeriesTable::Entry* SeriesTable::Find(graph::NodeId series) const {
  const auto found = by_series_.find(series);
  return found == by_series_.end() ? nullptr : &*found->second;
}

std::size_t SeriesTable::bytes() const {
  std::size_t bytes = 0;
  for (const Entry& entry : by_age_) bytes += entry.model->bytes();
  return bytes;
}

}  // namespace weft::operators::sequence
