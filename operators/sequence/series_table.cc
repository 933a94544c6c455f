#include "operators/sequence/series_table.h"

#include <cmath>
#include <utility>

namespace weft::operators::sequence {

const SeriesSettings& SeriesTable::SettingsOf(graph::NodeId series) const {
  const auto found = settings_of_.find(series);
  return found == settings_of_.end() ? options_.settings : found->second;
}

SeriesTable::Followed SeriesTable::Make(graph::NodeId series) const {
  return {0, 0.0, MakeSeriesModel(SettingsOf(series))};
}

RecordVerdict SeriesTable::Next(graph::NodeId series, graph::TimeUs time_us,
                                std::span<const double> values) {
  Followed& followed = followed_.Latest(series, [&] { return Make(series); });
  followed.time_us = time_us;
  if (std::isfinite(values.front())) followed.value = values.front();
  return followed.model->Next(time_us, values);
}

bool SeriesTable::Create(graph::NodeId series, SeriesSettings settings) {
  const auto most = static_cast<std::size_t>(options_.most_series);
  if (!settings_of_.contains(series) && settings_of_.size() >= most) return false;
  settings_of_[series] = std::move(settings);
  followed_.Remove(series);
  return true;
}

void SeriesTable::Reset(graph::NodeId series, bool forgets_settings) {
  if (forgets_settings) settings_of_.erase(series);
  followed_.Remove(series);
}

std::size_t SeriesTable::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [series, followed] : followed_.entries()) bytes += followed.model->bytes();
  return bytes;
}

}  // namespace weft::operators::sequence
