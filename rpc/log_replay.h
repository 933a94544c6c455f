// LogReplay: the log of a data directory, whole, through a graph of the caller's; what `weft run
// --log` does. Records enter the graph through Feeder, as they do in a server that starts, so that
// the state afterwards is the server's.
//
// Thread rule: one thread, except for Key() and node_count(), which any thread may call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/graph.h"
#include "rpc/interner.h"
#include "storage/data_directory.h"

namespace weft::rpc {

class LogReplay {
 public:
  // Takes an existing data directory, which no server may have open meanwhile. What
  // storage::DataDirectory::Open says, NOT_FOUND if there is none.
  static absl::StatusOr<std::unique_ptr<LogReplay>> Open(const std::string& data_dir);

  // Features of an event of the feed: the most that one has, as a feed's schema only grows. Reads
  // the whole log; errors as for Run.
  absl::StatusOr<std::int32_t> FeatureCount(std::string_view feed) const;

  // Pushes the log of each input's feed, from its first record to its last, and waits until the
  // graph has applied it. The graph has been built and not started.
  // `applied` is called with each of (entries applied, entries of the log), one call at a time; it
  // must be short, and is not called after Run has returned. NOT_FOUND for an input of which the
  // directory has no feed, OUT_OF_RANGE for a log whose beginning is no longer kept, DATA_LOSS for
  // a damaged one, else what the graph fails with. After an error the graph is closed. Once.
  absl::Status Run(graph::Graph& graph, std::function<void(std::uint64_t, std::uint64_t)> applied);

  // The key of a node; empty for an unknown one. Valid as long as the replay.
  std::string_view Key(graph::NodeId node) const { return interner_.Key(node); }
  std::uint64_t node_count() const { return interner_.size(); }
  // Events that Run has pushed.
  std::uint64_t event_count() const { return event_count_; }

 private:
  explicit LogReplay(std::unique_ptr<storage::DataDirectory> directory)
      : directory_(std::move(directory)) {}
  absl::StatusOr<std::uint32_t> FindFeed(std::string_view name) const;

  const std::unique_ptr<storage::DataDirectory> directory_;
  Interner interner_{graph::kNoNode};
  std::uint64_t event_count_ = 0;
};

}  // namespace weft::rpc
