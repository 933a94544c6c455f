// RunSource: where `weft run` takes its events from. There are two kinds: files (--input,
// run_files.cc) and the log of a data directory (--log, run_log.cc).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "deploy/weft/input_flags.h"
#include "graph/graph.h"
#include "graph/packet.h"

namespace weft::deploy {

// Thread rule: one thread, except for AppendJson.
class RunSource {
 public:
  virtual ~RunSource() = default;

  // Opens what the flags name, for a graph with these inputs. Once, before anything else.
  virtual absl::Status Open(const std::vector<std::string>& inputs) = 0;
  // Features of an event: the most that one has, or that files begin with.
  virtual std::int32_t feature_count() const = 0;
  // Starts the graph, pushes everything into it and waits until it has been applied. Once.
  virtual absl::Status PushAll(graph::Graph& graph) = 0;
  // Appends the lines of a packet, with the keys of its nodes. Any thread.
  virtual absl::Status AppendJson(const graph::Packet& packet, std::string& lines) = 0;
  virtual std::uint64_t event_count() const = 0;
  virtual std::uint64_t node_count() = 0;
  // Says on stderr what has to be said of the files that were read, after an error as well.
  virtual void PrintNotes() const {}
};

// `inputs` are NAME=FILE; `record_events` go into one packet. `flags` outlives the source.
std::unique_ptr<RunSource> MakeFileSource(std::vector<std::string> inputs,
                                          std::int32_t record_events, const InputFlags& flags);
std::unique_ptr<RunSource> MakeLogSource(std::string data_dir);

// NAME and FILE of NAME=FILE; `flag` is what an error calls it.
absl::StatusOr<std::pair<std::string, std::string>> SplitNamedFile(const std::string& flag,
                                                                   const std::string& text);

}  // namespace weft::deploy
