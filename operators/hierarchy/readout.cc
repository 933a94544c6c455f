#include "operators/hierarchy/readout.h"

#include <algorithm>
#include <utility>

#include "operators/hierarchy/log_scale.h"

namespace weft::operators::hierarchy {
namespace {

LevelReadout ReadLevel(const EpisodeRow& row) {
  const cache::Episode& open = row.episode;
  LevelReadout level;
  level.level = row.level;
  level.begin = open.begin;
  level.begin_us = open.begin_us;
  level.columns = {Log1p(graph::Seconds(open.end_us - open.begin_us)),
                   Log1p(static_cast<double>(open.child_count)),
                   Log1p(static_cast<double>(open.interactions))};
  return level;
}

}  // namespace

void ReadoutBuilder::Take(const EpisodeBatch& batch, std::vector<Readout>& readouts) {
  for (std::size_t at = 0; at < batch.rows.size(); ++at) {
    const EpisodeRow& row = batch.rows[at];
    if (row.kind == EpisodeRow::kGrown) {
      std::size_t end = at + 1;
      while (end < batch.rows.size() && batch.rows[end].kind == EpisodeRow::kGrown &&
             batch.rows[end].level > batch.rows[end - 1].level)
        ++end;
      readouts.push_back(Make(batch, at, end));
      at = end - 1;
    } else if (row.kind == EpisodeRow::kClosed) {
      closed_since_.AppendRow(batch, at);
      if (row.level == 1) closed_interactions_ += row.episode.interactions;
      if (row.level > kReadoutLevels) continue;
      std::deque<EpisodeVertex>& closed = closed_[static_cast<std::size_t>(row.level) - 1];
      closed.push_back(MakeVertex(row.level, row.episode, batch.PairsOf(at), /*open=*/false));
      if (closed.size() > kReadoutClosed) closed.pop_front();
    }
  }
}

std::array<float, 4> ReadoutBuilder::NextWindows(double score, double interactions) {
  constexpr double kFading = 0.1;
  mean_score_ += kFading * (score - mean_score_);
  mean_interactions_ += kFading * (interactions - mean_interactions_);
  const std::array<float, 4> windows = {static_cast<float>(score), static_cast<float>(last_score_),
                                        static_cast<float>(mean_score_),
                                        Log1p(interactions) - Log1p(mean_interactions_)};
  last_score_ = score;
  return windows;
}

Readout ReadoutBuilder::Make(const EpisodeBatch& batch, std::size_t begin, std::size_t end) {
  const EpisodeRow& leaf = batch.rows[begin];
  Readout readout;
  readout.snapshot = leaf.episode.end;
  readout.now_us = leaf.episode.end_us;
  const std::uint64_t interactions = closed_interactions_ + leaf.episode.interactions;
  readout.windows = NextWindows(cache::BoundaryStrength(1, leaf.latest_score),
                                static_cast<double>(interactions - interactions_));
  interactions_ = interactions;
  readout.episodes = std::move(closed_since_);
  closed_since_ = {};
  for (std::size_t at = begin; at < end; ++at) readout.episodes.AppendRow(batch, at);
  std::vector<EpisodeVertex> vertices;
  for (std::size_t at = begin; at < end; ++at) {
    const EpisodeRow& row = batch.rows[at];
    readout.levels.push_back(ReadLevel(row));
    if (row.level > kReadoutLevels) continue;
    const auto& closed = closed_[static_cast<std::size_t>(row.level) - 1];
    vertices.insert(vertices.end(), closed.begin(), closed.end());
    vertices.push_back(MakeVertex(row.level, row.episode, batch.PairsOf(at), /*open=*/true));
    readout.graph.group_size.push_back(static_cast<std::int32_t>(closed.size()) + 1);
  }
  readout.graph.group_size.resize(kReadoutLevels);
  readout.graph.columns = static_cast<std::int64_t>(kVertexColumns);
  for (const EpisodeVertex& vertex : vertices)
    readout.graph.features.insert(readout.graph.features.end(), vertex.columns.begin(),
                                  vertex.columns.end());
  readout.graph.edges = EdgesBetween(vertices);
  return readout;
}

}  // namespace weft::operators::hierarchy
