#include "operators/hierarchy/learned_salience.h"

#include <map>

#include <gtest/gtest.h>

#include "operators/hierarchy/planted_hierarchy.h"
#include "operators/hierarchy/test_streams.h"

namespace weft::operators::hierarchy {
namespace {

std::vector<EpisodeBatch> PlantedChanges() {
  PlantedHierarchyOptions options;
  options.snapshots = 30'000;
  options.interactions = 6.0;
  return ToldBySecond(MakePlantedHierarchy(options).events, 1 << 30);
}

TEST(LearnedSalience, ScoresEachFinalEpisodeOnceAndLearns) {
  LearnedSalience salience({}, gpu::HostExec());
  std::vector<SalienceRow> scores;
  std::map<std::int32_t, std::int64_t> final_count;
  for (const EpisodeBatch& batch : PlantedChanges()) {
    for (const EpisodeRow& row : batch.rows)
      if (row.kind == EpisodeRow::kFinal) {
        EXPECT_EQ(row.number, final_count[row.level]++);
      }
    salience.Take(batch, scores);
  }
  std::int64_t all = 0;
  for (const auto& [level, count] : final_count) all += count;
  EXPECT_EQ(static_cast<std::int64_t>(scores.size()), all);
  ASSERT_GT(final_count[1], 300);
  for (const SalienceRow& row : scores) {
    EXPECT_GT(row.score.score, 0.0f);
    EXPECT_LT(row.score.score, 1.0f);
    EXPECT_EQ(salience.Find(row.level, row.number), row.score);
  }
  EXPECT_EQ(scores.front().score.model_version, 0u);
  EXPECT_GE(scores.back().score.model_version, 16u);
  EXPECT_LT(salience.loss().value(), 0.68);  // ln 2 says nothing
  EXPECT_FALSE(salience.Find(1, final_count[1]));
  EXPECT_FALSE(salience.Find(9, 0));
}

TEST(LearnedSalience, DoesNotDependOnHowChangesArePacked) {
  LearnedSalience one({}, gpu::HostExec()), other({}, gpu::HostExec());
  std::vector<SalienceRow> scores, packed;
  EpisodeBatch gathered;
  for (const EpisodeBatch& batch : PlantedChanges()) {
    one.Take(batch, scores);
    for (std::size_t row = 0; row < batch.rows.size(); ++row) gathered.AppendRow(batch, row);
    if (gathered.rows.size() < 100) continue;
    other.Take(gathered, packed);
    gathered = {};
  }
  other.Take(gathered, packed);
  EXPECT_EQ(scores, packed);
}

TEST(LearnedSalience, KeepsTheLatestScores) {
  SalienceOptions options;
  options.most_scores = 64;
  LearnedSalience salience(options, gpu::HostExec());
  std::vector<SalienceRow> scores;
  for (const EpisodeBatch& batch : PlantedChanges()) salience.Take(batch, scores);
  std::int64_t last = 0;
  for (const SalienceRow& row : scores)
    if (row.level == 1) last = row.number;
  EXPECT_TRUE(salience.Find(1, last));
  EXPECT_TRUE(salience.Find(1, last - 63));
  EXPECT_FALSE(salience.Find(1, last - 64));
}

}  // namespace
}  // namespace weft::operators::hierarchy
