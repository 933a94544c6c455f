#include "operators/sequence/series_table.h"

#include <cmath>
#include <utility>

#include "graph/check.h"

namespace weft::operators::sequence {

const SeriesSettings& SeriesTable::SettingsOf(graph::NodeId series) const {
  const auto found = settings_of_.find(series);
  return found == settings_of_.end() ? settings_ : found->second;
}

SeriesTable::Followed SeriesTable::Make(graph::NodeId series) const {
  return {0, 0.0, MakeSeriesModel(SettingsOf(series))};
}

absl::StatusOr<RecordVerdict> SeriesTable::Next(graph::NodeId series, graph::LogPosition end,
                                                graph::TimeUs time_us,
                                                std::span<const double> values) {
  WEFT_ASSIGN(Followed* const followed, kept_.Latest(series, end));
  followed->time_us = time_us;
  if (std::isfinite(values.front())) followed->value = values.front();
  return followed->model->Next(time_us, values);
}

bool SeriesTable::Create(graph::NodeId series, SeriesSettings settings, graph::LogPosition end) {
  if (!settings_of_.contains(series) && settings_of_.size() >= most_settings_) return false;
  Reset(series, false, end);
  settings_of_[series] = std::move(settings);
  return true;
}

void SeriesTable::Reset(graph::NodeId series, bool forgets_settings, graph::LogPosition end) {
  if (forgets_settings) settings_of_.erase(series);
  kept_.Remove(series, end);
}

std::size_t SeriesTable::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [series, followed] : kept_.latest().entries()) bytes += followed.model->bytes();
  return bytes;
}

}  // namespace weft::operators::sequence
