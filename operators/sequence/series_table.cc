#include "operators/sequence/series_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
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

std::vector<std::size_t> SeriesTable::OrderOf(std::span<const graph::NodeId> series) const {
  std::vector<std::size_t> order(series.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::unordered_map<graph::NodeId, std::size_t> last;
  std::int64_t new_count = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (last.insert_or_assign(series[i], i).second && followed_.Find(series[i]) == nullptr)
      ++new_count;
  }
  if (followed_.size() + new_count > options_.most_series) return order;
  // By who comes last, because that is the order in which series give way later.
  std::vector<std::size_t> last_of(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) last_of[i] = last.at(series[i]);
  std::ranges::stable_sort(order, {}, [&last_of](std::size_t i) { return last_of[i]; });
  return order;
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
