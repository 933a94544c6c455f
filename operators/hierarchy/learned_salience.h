// LearnedSalience: how much each final episode says about those around it, learned while episodes
// come (learn/vertex_infomax.h), beside the salience that is counted.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "cache/episode_tree.h"
#include "gpu/exec.h"
#include "operators/hierarchy/episode_batch.h"
#include "operators/hierarchy/episode_vertex.h"
#include "operators/learn/vertex_infomax.h"

namespace weft::operators::hierarchy {

struct SalienceOptions {
  std::int64_t window = 256;      // episodes in the graph, the latest final ones
  std::int64_t learn_every = 64;  // final episodes
  std::int32_t steps = 8;         // of a round of learning
  std::uint64_t seed = 0;
  std::int64_t most_scores = 1 << 16;  // of each level
};

// A score in (0, 1), and how many steps of learning were behind it; after none it means nothing.
struct SalienceScore {
  float score = 0;
  std::uint32_t model_version = 0;
  bool operator==(const SalienceScore&) const = default;
};

struct SalienceRow {
  std::int32_t level = 1;
  std::int64_t number = 0;
  std::int64_t begin = 0;  // first snapshot
  SalienceScore score;
  bool operator==(const SalienceRow&) const = default;
};

// Each episode is scored once, when it becomes final, so that a score never changes. Exact: depends
// on the episodes and their order alone. Thread-compatible.
class LearnedSalience {
 public:
  LearnedSalience(const SalienceOptions& options, const gpu::Exec& exec);

  // Appends the scores of the rows of final episodes.
  void Take(const EpisodeBatch& batch, std::vector<SalienceRow>& scores);

  // None for an episode that is not final, or whose score is no longer kept.
  std::optional<SalienceScore> Find(std::int32_t level, std::int64_t number) const;

  // Of the latest step, ln 2 where nothing was learned; none before the first.
  std::optional<double> loss() const;
  std::int64_t step_count() const { return model_.step_count(); }

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    std::vector<EpisodeVertex> window(self.window_.begin(), self.window_.end());
    archive.Array(window, static_cast<std::uint64_t>(self.options_.window));
    archive.Value(self.since_learned_);
    archive.Value(self.loss_);
    for (auto& level : self.levels_) {
      archive.Value(level.first);
      std::vector<SalienceScore> scores(level.scores.begin(), level.scores.end());
      archive.Array(scores, static_cast<std::uint64_t>(self.options_.most_scores));
      if constexpr (Archive::kLoads) level.scores.assign(scores.begin(), scores.end());
    }
    archive.Fixed(self.model_.weights());
    archive.Fixed(self.model_.adam().moments().span());
    archive.Value(self.model_.adam().powers());
    if constexpr (Archive::kLoads) {
      archive.Check(std::ranges::all_of(window, IsVertex), "episodes of levels that there are");
      self.window_.assign(window.begin(), window.end());
    }
  }

 private:
  struct Level {
    std::int64_t first = 0;  // number of the first score
    std::deque<SalienceScore> scores;
  };

  void ScoreGroup(std::span<const EpisodeRow> rows, std::span<const EpisodeVertex> group,
                  std::vector<SalienceRow>& scores);
  void Keep(const SalienceRow& row);
  learn::VertexGraph GraphOfWindow() const;

  SalienceOptions options_;
  learn::VertexInfomax model_;
  std::deque<EpisodeVertex> window_;
  std::int64_t since_learned_ = 0;
  double loss_ = 0.0;
  std::array<Level, cache::kMostLevels> levels_;
};

}  // namespace weft::operators::hierarchy
