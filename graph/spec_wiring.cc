// The checks of SpecResolver that look at the graph as a whole.
#include <algorithm>
#include <set>
#include <vector>

#include "graph/spec_resolver.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

// Depth-first search for cycles over nodes; each cycle is reported once, as its nodes in order.
class CycleSearch {
 public:
  explicit CycleSearch(std::vector<std::vector<int>> next)
      : next_(std::move(next)), mark_(next_.size(), Mark::kNew) {}

  std::vector<std::vector<int>> Find() {
    for (int i = 0; i < static_cast<int>(next_.size()); ++i) {
      if (mark(i) == Mark::kNew) Visit(i);
    }
    return cycles_;
  }

 private:
  enum class Mark { kNew, kOnPath, kDone };

  // The depth is bounded by kSpecNodesMax.
  void Visit(int node) {
    mark(node) = Mark::kOnPath;
    path_.push_back(node);
    for (const int to : next_[static_cast<std::size_t>(node)]) {
      if (mark(to) == Mark::kNew) {
        Visit(to);
      } else if (mark(to) == Mark::kOnPath) {
        cycles_.emplace_back(std::find(path_.begin(), path_.end(), to), path_.end());
      }
    }
    path_.pop_back();
    mark(node) = Mark::kDone;
  }

  Mark& mark(int node) { return mark_[static_cast<std::size_t>(node)]; }

  std::vector<std::vector<int>> next_;
  std::vector<Mark> mark_;
  std::vector<int> path_;
  std::vector<std::vector<int>> cycles_;
};

}  // namespace

void SpecResolver::CheckCycles() {
  std::vector<std::vector<int>> next(spec_.nodes_.size());
  for (int i = 0; i < static_cast<int>(spec_.nodes_.size()); ++i) {
    for (const ParsedSpec::Connection& input : spec_.nodes_[static_cast<std::size_t>(i)].inputs) {
      const int from = spec_.streams_[static_cast<std::size_t>(input.stream)].node;
      if (from >= 0) next[static_cast<std::size_t>(from)].push_back(i);
    }
  }
  for (std::vector<int> cycle : CycleSearch(std::move(next)).Find()) {
    const auto& first = spec_.nodes_[static_cast<std::size_t>(cycle.front())];
    cycle.push_back(cycle.front());
    std::vector<std::string_view> names;
    names.reserve(cycle.size());
    for (const int node : cycle) names.push_back(spec_.nodes_[static_cast<std::size_t>(node)].name);
    Error(first.location, Concat("the graph has a cycle: ", JoinNames(names, " -> ")));
  }
}

void SpecResolver::CheckDangling() {
  for (std::size_t i = 0; i < spec_.streams_.size(); ++i) {
    if (use_count_[i] > 0) continue;
    const ParsedSpec::Stream& stream = spec_.streams_[i];
    if (stream.node < 0) {
      Error(stream.location, Concat("input \"", stream.name, "\" is not used by any node"));
    } else {
      Error(stream.location,
            Concat("stream \"", stream.name,
                   "\" is neither consumed nor an output; leave the port unconnected if it "
                   "is not wanted"));
    }
  }
}

}  // namespace weft::graph
