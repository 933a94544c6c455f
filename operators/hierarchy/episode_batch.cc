#include "operators/hierarchy/episode_batch.h"

#include "cache/episode_view.h"
#include "cache/pair_list.h"

namespace weft::operators::hierarchy {
namespace {

EpisodeRow::Kind KindOf(cache::EpisodeChange::Kind kind) {
  switch (kind) {
    case cache::EpisodeChange::kOpened:
      return EpisodeRow::kOpened;
    case cache::EpisodeChange::kClosed:
      return EpisodeRow::kClosed;
    default:
      return EpisodeRow::kFinal;
  }
}

}  // namespace

void EpisodeBatch::AppendRow(const EpisodeBatch& from, std::size_t row) {
  const auto pairs = from.PairsOf(row);
  words.insert(words.end(), pairs.begin(), pairs.end());
  rows.push_back(from.rows[row]);
  rows.back().pairs_end = words.size();
}

void AppendChange(const cache::EpisodeTree& tree, const cache::EpisodeChange& change,
                  EpisodeBatch& batch) {
  const cache::EpisodeRing& closed = tree.closed(change.level);
  EpisodeRow row;
  row.kind = KindOf(change.kind);
  row.level = change.level;
  row.number = change.number;
  if (row.kind == EpisodeRow::kOpened) {
    // Its end, if it has come to one by now, was another change.
    row.episode.begin_us = change.number == 0 ? tree.begin_us() : closed[change.number - 1].end_us;
    row.episode.begin = change.number == 0 ? 0 : closed[change.number - 1].end;
  } else {
    row.episode = closed[change.number];
    const auto pairs = closed.PairsOf(row.episode);
    batch.words.insert(batch.words.end(), pairs.begin(), pairs.end());
    row.episode.pairs_begin = 0;
    if (row.kind == EpisodeRow::kClosed) {
      row.episode.parent = cache::Episode::kUndecided;
      row.episode.salience = 0;
    } else {
      row.parent_begin = tree.closed(change.level + 1)[row.episode.parent].begin;
    }
  }
  row.pairs_end = batch.words.size();
  batch.rows.push_back(row);
}

void AppendGrowing(const cache::EpisodeTree& tree, std::int64_t latest_score, EpisodeBatch& batch) {
  const cache::EpisodeView view(tree);
  for (std::int32_t level = 1; level <= view.level_count(); ++level) {
    const std::int64_t open = view.Closed(level).end;
    if (view.All(level).end == open) continue;
    EpisodeRow row;
    row.kind = EpisodeRow::kGrown;
    row.level = level;
    row.number = open;
    row.latest_score = latest_score;
    cache::Episode& episode = row.episode;
    episode.begin = view.Begin(level, open);
    episode.end = tree.snapshot_count();
    episode.begin_us = view.BeginUs(level, open);
    episode.end_us = tree.end_us();
    episode.score = view.Score(level, open);
    const cache::EpisodeRange children = view.Children(level, open);
    episode.first_child = level == 1 ? episode.begin : children.begin;
    episode.child_count = level == 1 ? episode.end - episode.begin : children.end - children.begin;
    const cache::EpisodeSums sums = view.Sums(level, open);
    sums.Summarise(episode);
    cache::AppendPairs(sums.pair_count(), batch.words);
    row.pairs_end = batch.words.size();
    batch.rows.push_back(row);
  }
}

}  // namespace weft::operators::hierarchy
