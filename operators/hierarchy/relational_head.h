// RelationalHead: how likely the open episodes are to end soon, from the graph of the episodes
// around them (readout.h), learned as episodes end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "graph/time.h"
#include "operators/hierarchy/readout.h"
#include "operators/learn/relational_network.h"

namespace weft::operators::hierarchy {

// Thread-compatible. Exact: depends on the readouts and ends alone.
class RelationalHead {
 public:
  // Of a level, the latest and evenly thinned before: what an open episode's end teaches at most.
  static constexpr std::size_t kMostPending = 256;

  RelationalHead(std::uint64_t seed, graph::TimeUs horizon_us, const gpu::Exec& exec);

  // Probabilities that the open episode of each level ends within the horizon; of levels that are
  // not there 0. Remembers the readout until they have ended.
  std::array<float, kReadoutLevels> Forecast(const Readout& readout);
  // The open episode of the level ended at `end_us`.
  void Learn(std::int32_t level, graph::TimeUs end_us);

  std::int64_t step_count() const { return network_.step_count(); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& pending : self.pending_) archive.Array(pending, kMostPending);
    std::vector<std::int64_t> moments;
    for (const auto& [moment, remembered] : self.remembered_) moments.push_back(moment);
    archive.Array(moments, kReadoutLevels * kMostPending);
    for (const std::int64_t moment : moments) {
      if constexpr (Archive::kLoads) {
        VisitRemembered(self.remembered_[moment], archive);
      } else {
        VisitRemembered(self.remembered_.at(moment), archive);
      }
    }
    archive.Fixed(self.network_.weights());
    archive.Fixed(self.network_.adam().moments().span());
    archive.Value(self.network_.adam().powers());
    auto& perceptron = self.network_.perceptron();
    archive.Fixed(perceptron.weights());
    archive.Fixed(perceptron.scale());
    archive.Value(perceptron.scale_rows());
    archive.Fixed(perceptron.adam().moments().span());
    archive.Value(perceptron.adam().powers());
    if constexpr (Archive::kLoads) archive.Check(self.IsWhole(), "moments that are remembered");
  }

 private:
  struct Pending {
    std::int64_t moment = 0;
    graph::TimeUs now_us = 0;
  };
  // A readout's graph, and for how many levels it is.
  struct Remembered {
    learn::RelationalGraphs graph;
    std::int64_t uses = 0;
  };
  static constexpr std::uint64_t kMostVertices = kReadoutLevels * (kReadoutClosed + 1);
  static constexpr std::int64_t kMostGraphs = 32;  // of a step

  template <class Kept, class Archive>
  static void VisitRemembered(Kept& remembered, Archive& archive) {
    archive.Value(remembered.uses);
    archive.Value(remembered.graph.columns);
    archive.Array(remembered.graph.features, kMostVertices * kVertexColumns);
    archive.Array(remembered.graph.group_size, kReadoutLevels);
    if constexpr (Archive::kLoads) remembered.graph.edges.resize(kEpisodeEdges);
    for (auto& edges : remembered.graph.edges) archive.Array(edges, kMostVertices * kMostVertices);
  }
  bool IsWhole() const;
  void Forget(std::int64_t moment);
  void Thin(std::vector<Pending>& pending);

  graph::TimeUs horizon_us_;
  learn::RelationalNetwork network_;
  std::array<std::vector<Pending>, kReadoutLevels> pending_;
  std::map<std::int64_t, Remembered> remembered_;  // by moment: how many snapshots there were
};

}  // namespace weft::operators::hierarchy
