#include "operators/hierarchy/learned_salience.h"

#include <algorithm>

namespace weft::operators::hierarchy {
namespace {

// Fewer have no graph worth learning from.
constexpr std::size_t kFewestVertices = 32;

learn::VertexInfomaxOptions ModelOptions(const SalienceOptions& options) {
  return {.columns = static_cast<std::int64_t>(kVertexColumns),
          .seed = options.seed,
          .max_vertices = options.window};
}

}  // namespace

LearnedSalience::LearnedSalience(const SalienceOptions& options, const gpu::Exec& exec)
    : options_(options), model_(ModelOptions(options), exec) {}

std::optional<double> LearnedSalience::loss() const {
  return model_.step_count() == 0 ? std::nullopt : std::optional(loss_);
}

// Children of one parent become final together and see each other. A group of more than half of a
// window is scored piece by piece.
void LearnedSalience::Take(const EpisodeBatch& batch, std::vector<SalienceRow>& scores) {
  const auto most = static_cast<std::size_t>(options_.window / 2);
  std::size_t begin = 0;
  while (begin < batch.rows.size()) {
    const EpisodeRow& first = batch.rows[begin];
    if (first.kind != EpisodeRow::kFinal) {
      ++begin;
      continue;
    }
    std::vector<EpisodeVertex> group;
    std::size_t end = begin;
    for (; end < batch.rows.size() && group.size() < most; ++end) {
      const EpisodeRow& row = batch.rows[end];
      if (row.kind != EpisodeRow::kFinal || row.level != first.level ||
          row.parent_begin != first.parent_begin)
        break;
      group.push_back(MakeVertex(row.level, row.episode, batch.PairsOf(end), /*open=*/false));
    }
    ScoreGroup(std::span(batch.rows).subspan(begin, end - begin), group, scores);
    begin = end;
  }
}

learn::VertexGraph LearnedSalience::GraphOfWindow() const {
  const std::vector<EpisodeVertex> vertices(window_.begin(), window_.end());
  std::vector<learn::RelationalGraphs::Edge> all;
  for (const auto& kind : EdgesBetween(vertices)) all.insert(all.end(), kind.begin(), kind.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  learn::VertexGraph graph;
  graph.columns = static_cast<std::int64_t>(kVertexColumns);
  graph.begin = {0};
  auto edge = all.begin();
  for (std::uint32_t v = 0; v < vertices.size(); ++v) {
    graph.features.insert(graph.features.end(), vertices[v].columns.begin(),
                          vertices[v].columns.end());
    for (; edge != all.end() && edge->from == v; ++edge) graph.neighbor.push_back(edge->to);
    graph.begin.push_back(static_cast<std::int32_t>(graph.neighbor.size()));
  }
  graph.Normalize();
  return graph;
}

void LearnedSalience::ScoreGroup(std::span<const EpisodeRow> rows,
                                 std::span<const EpisodeVertex> group,
                                 std::vector<SalienceRow>& scores) {
  window_.insert(window_.end(), group.begin(), group.end());
  while (static_cast<std::int64_t>(window_.size()) > options_.window) window_.pop_front();
  const learn::VertexGraph graph = GraphOfWindow();
  std::vector<float> score(window_.size());
  model_.Scores(graph, score);
  const std::size_t before = window_.size() - group.size();
  for (std::size_t i = 0; i < group.size(); ++i) {
    const SalienceRow row = {rows[i].level,
                             rows[i].number,
                             rows[i].episode.begin,
                             {score[before + i], static_cast<std::uint32_t>(model_.step_count())}};
    Keep(row);
    scores.push_back(row);
  }
  since_learned_ += static_cast<std::int64_t>(group.size());
  if (since_learned_ < options_.learn_every || window_.size() < kFewestVertices) return;
  since_learned_ = 0;
  for (std::int32_t step = 0; step < options_.steps; ++step) loss_ = model_.Learn(graph);
}

void LearnedSalience::Keep(const SalienceRow& row) {
  Level& level = levels_[static_cast<std::size_t>(row.level) - 1];
  if (level.scores.empty()) level.first = row.number;
  level.scores.push_back(row.score);
  if (static_cast<std::int64_t>(level.scores.size()) > options_.most_scores) {
    level.scores.pop_front();
    ++level.first;
  }
}

std::optional<SalienceScore> LearnedSalience::Find(std::int32_t level, std::int64_t number) const {
  const Level& here = levels_[static_cast<std::size_t>(level) - 1];
  const std::int64_t place = number - here.first;
  if (place < 0 || place >= static_cast<std::int64_t>(here.scores.size())) return std::nullopt;
  return here.scores[static_cast<std::size_t>(place)];
}

}  // namespace weft::operators::hierarchy
