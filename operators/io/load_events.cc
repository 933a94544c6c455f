#include "operators/io/load_events.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"

namespace weft::operators::io {
namespace {

constexpr std::int64_t kRowsAtOnce = 8192;

template <class T>
void Reorder(const std::vector<std::size_t>& order, std::size_t width, std::vector<T>& column) {
  std::vector<T> reordered;
  reordered.reserve(column.size());
  for (const std::size_t row : order) {
    const auto begin = column.begin() + static_cast<std::ptrdiff_t>(row * width);
    reordered.insert(reordered.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  column = std::move(reordered);
}

void SortByTime(graph::EventBatch& events) {
  std::vector<std::size_t> order(events.time_us.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&events](std::size_t a, std::size_t b) {
    return events.time_us[a] < events.time_us[b];
  });
  Reorder(order, 1, events.source);
  Reorder(order, 1, events.target);
  Reorder(order, 1, events.time_us);
  if (!events.label.empty()) Reorder(order, 1, events.label);
  Reorder(order, static_cast<std::size_t>(events.feature_count), events.feature);
}

}  // namespace

absl::Status AppendRows(const EventRows& rows, NodeTable& nodes, graph::EventBatch& events) {
  for (std::size_t i = 0; i < rows.source.size(); ++i) {
    const graph::NodeId source = nodes.FindOrAdd(rows.source[i]);
    const graph::NodeId target = nodes.FindOrAdd(rows.target[i]);
    if (source == graph::kNoNode || target == graph::kNoNode) {
      return absl::ResourceExhaustedError(graph::Concat("line ", rows.line[i],
                                                        ": expected at most ", nodes.size(),
                                                        " nodes (max_nodes), got one more"));
    }
    events.source.push_back(source);
    events.target.push_back(target);
  }
  events.time_us.insert(events.time_us.end(), rows.time_us.begin(), rows.time_us.end());
  events.label.insert(events.label.end(), rows.label.begin(), rows.label.end());
  events.feature.insert(events.feature.end(), rows.feature.begin(), rows.feature.end());
  events.feature_count = rows.feature_count;
  return absl::OkStatus();
}

absl::StatusOr<EventFile> LoadEvents(const std::string& path, const ReadOptions& options) {
  WEFT_ASSIGN(const std::unique_ptr<EventReader> reader, EventReader::Open(path, options));
  EventFile file;
  for (;;) {
    WEFT_ASSIGN(const EventRows* rows, reader->Next(kRowsAtOnce));
    if (rows->size() == 0) break;
    WEFT_TRY(AppendRows(*rows, file.nodes, file.events));
  }
  file.report = reader->report();
  if (!file.report.has_label) file.events.label.clear();
  file.was_sorted = std::is_sorted(file.events.time_us.begin(), file.events.time_us.end());
  if (!file.was_sorted) SortByTime(file.events);
  return file;
}

}  // namespace weft::operators::io
