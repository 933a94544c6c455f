// PastTargets: the latest distinct targets of each source, in bounded memory.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "cache/row_index.h"
#include "graph/event_batch.h"
#include "graph/state.h"

namespace weft::operators::link {

// Thread-compatible. Memory grows with the sources that there are: 230 bytes each, and 4 for each
// node id. Depends on the order of Add alone.
class PastTargets {
 public:
  static constexpr std::uint32_t kTargets = 50;  // of a source, the latest ones

  // Beyond `max_sources` the source that was silent longest is forgotten.
  explicit PastTargets(std::int64_t max_sources);

  // An event, in log order.
  void Add(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us);

  struct Past {
    // Targets of the source's latest time, and those before it, each the latest first. A target is
    // in one of them only.
    std::span<const graph::NodeId> at_latest;
    std::span<const graph::NodeId> before;
    graph::TimeUs latest_us = graph::kBeforeAllTime;
  };
  // Valid until the next Add. Empty for a source that is not known.
  Past Of(graph::NodeId source) const;

  absl::Status Save(std::string_view section, graph::CheckpointSink& sink) const;
  // DATA_LOSS for what does not fit; it is then unusable.
  absl::Status Load(std::string_view section, graph::CheckpointSource& source);

 private:
  // Of a source. The events of its latest time are at the front of its targets.
  struct Row {
    graph::TimeUs latest_us = graph::kBeforeAllTime;
    std::uint32_t count = 0;
    std::uint32_t at_latest = 0;
  };

  cache::RowIndex sources_;
  std::vector<Row> rows_;              // by row of sources_
  std::vector<graph::NodeId> target_;  // kTargets a row, the latest first, then kNoNode
};

}  // namespace weft::operators::link
