// A whole file of events in memory, in time order: what evaluation and training work on.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "operators/io/event_reader.h"
#include "operators/io/node_table.h"

namespace weft::operators::io {

struct EventFile {
  graph::EventBatch events;  // times never fall; ties keep the file's order
  NodeTable nodes;
  ReadReport report;
  bool was_sorted = true;  // whether the file was in time order already
};

// The file with its nodes numbered in order of first appearance in the file. `label` is empty when
// the file has none.
absl::StatusOr<EventFile> LoadEvents(const std::string& path, const ReadOptions& options);

// Appends the rows of a reader to a batch, keys turned into ids. RESOURCE_EXHAUSTED when the table
// is full.
absl::Status AppendRows(const EventRows& rows, NodeTable& nodes, graph::EventBatch& events);

}  // namespace weft::operators::io
