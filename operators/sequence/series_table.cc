#include "operators/sequence/series_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "graph/bytes_state.h"
#include "graph/check.h"
#include "graph/text.h"

namespace weft::operators::sequence {

const SeriesSettings& SeriesTable::SettingsOf(graph::NodeId series) const {
  const auto found = settings_of_.find(series);
  return found == settings_of_.end() ? options_.settings : found->second;
}

SeriesTable::Followed SeriesTable::Make(graph::NodeId series) const {
  return {0, 0.0, MakeSeriesModel(SettingsOf(series))};
}

// The same for the same bytes only: whatever is replayed, a series that gives way at a record has
// the same past.
std::string SeriesTable::NameOf(graph::NodeId series, graph::LogPosition stored_at) const {
  return graph::Concat(options_.name, "/", series, "/", stored_at.feed, "/", stored_at.offset);
}

absl::StatusOr<SeriesTable::Followed> SeriesTable::Stored(graph::NodeId series) const {
  const std::string name = NameOf(series, *stored_.Find(series));
  const absl::StatusOr<std::string> bytes = options_.cold->Get(name);
  if (!bytes.ok())
    return absl::DataLossError(
        graph::Concat("a series that was quiet is gone: ", name, ": ", bytes.status().message()));
  Followed followed = Make(series);
  graph::BytesSource source(*bytes);
  WEFT_TRY(graph::LoadState(name, followed, source));
  return followed;
}

void SeriesTable::StoreOldest(graph::LogPosition position) {
  WEFT_CHECK(options_.cold != nullptr);
  const auto& [series, followed] = followed_.entries().front();
  graph::BytesSink sink;
  // Memory always takes it.
  WEFT_CHECK(graph::SaveState("series", followed, sink).ok());
  if (stored_.size() >= options_.most_stored) {
    const auto& [oldest, stored_at] = stored_.entries().front();
    options_.cold->Forget(NameOf(oldest, stored_at), position);
  }
  options_.cold->Put(NameOf(series, position), sink.Take());
  stored_.Latest(series, [] { return graph::LogPosition(); }) = position;
}

// From the record at `position` on.
void SeriesTable::Forget(graph::NodeId series, graph::LogPosition position) {
  const graph::LogPosition* const stored_at = stored_.Find(series);
  if (stored_at == nullptr) return;
  ++position.offset;
  options_.cold->Forget(NameOf(series, *stored_at), position);
  stored_.Remove(series);
}

absl::StatusOr<RecordVerdict> SeriesTable::Next(graph::NodeId series, graph::LogPosition position,
                                                graph::TimeUs time_us,
                                                std::span<const double> values) {
  std::optional<Followed> back;
  if (followed_.Find(series) == nullptr) {
    if (stored_.Find(series) != nullptr) {
      WEFT_ASSIGN(back, Stored(series));
      Forget(series, position);
    }
    if (followed_.size() >= options_.most_series) StoreOldest(position);
  }
  Followed& followed =
      followed_.Latest(series, [&] { return back ? std::move(*back) : Make(series); });
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

bool SeriesTable::Create(graph::NodeId series, SeriesSettings settings,
                         graph::LogPosition position) {
  const auto most = static_cast<std::size_t>(options_.most_series);
  if (!settings_of_.contains(series) && settings_of_.size() >= most) return false;
  Reset(series, false, position);
  settings_of_[series] = std::move(settings);
  return true;
}

void SeriesTable::Reset(graph::NodeId series, bool forgets_settings, graph::LogPosition position) {
  if (forgets_settings) settings_of_.erase(series);
  followed_.Remove(series);
  Forget(series, position);
}

std::size_t SeriesTable::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [series, followed] : followed_.entries()) bytes += followed.model->bytes();
  return bytes;
}

}  // namespace weft::operators::sequence
