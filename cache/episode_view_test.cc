#include "cache/episode_view.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "cache/episode_queries.h"
#include "cache/mix_affinity.h"
#include "cache/test_snapshots.h"

namespace weft::cache {
namespace {

GrowingTree Grown(std::uint64_t seed, std::size_t snapshots) {
  GrowingTree growing;
  const Snapshots all = ChangingSnapshots(seed, snapshots);
  growing.Push(all, 0, all.size());
  return growing;
}

std::vector<std::int64_t> NumbersOf(EpisodeRange range) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t number = range.begin; number < range.end; ++number) numbers.push_back(number);
  return numbers;
}

// What every view keeps: levels cover what is known, children cover their parents, and there is one
// open episode of each level, at the end.
void ExpectWhole(const EpisodeView& view) {
  for (std::int32_t level = 1; level <= view.level_count(); ++level) {
    std::int64_t end_us = view.tree().begin_us();
    for (const std::int64_t number : NumbersOf(view.All(level))) {
      const Episode episode = view.Get(level, number);
      EXPECT_EQ(episode.begin_us, end_us);
      end_us = episode.end_us;
      EXPECT_EQ(view.StateOf(level, number) == EpisodeState::kOpen,
                number + 1 == view.All(level).end);
      EXPECT_GE(episode.salience, 0);
      if (level < view.level_count()) {
        const EpisodeRange siblings = view.Children(level + 1, episode.parent);
        EXPECT_TRUE(siblings.begin <= number && number < siblings.end);
      }
      EXPECT_EQ(view.Find(EpisodeId({level, episode.begin})),
                (EpisodeRange{level, number, number + 1}));
      if (level == 1 || view.is_past()) continue;
      std::uint64_t interactions = 0;
      for (const std::int64_t child : NumbersOf(view.Children(level, number)))
        interactions += view.Get(level - 1, child).interactions;
      EXPECT_EQ(interactions, episode.interactions);
    }
    EXPECT_EQ(end_us, view.known_until_us());
  }
}

TEST(EpisodeView, CoversWhatIsKnown) {
  const GrowingTree growing = Grown(1, 6000);
  const EpisodeView now(growing.tree());
  EXPECT_GE(now.level_count(), 3);
  EXPECT_EQ(now.known_until_us(), 6000 * kSnapshotUs);
  ExpectWhole(now);
  std::uint64_t interactions = 0;
  for (const auto& snapshot : ChangingSnapshots(1, 6000)) interactions += snapshot.size();
  const std::int32_t top = now.level_count();
  std::uint64_t in_top = 0;
  for (const std::int64_t number : NumbersOf(now.All(top)))
    in_top += now.Get(top, number).interactions;
  EXPECT_EQ(in_top, interactions);
  EXPECT_EQ(EpisodeView(growing.tree(), 0).level_count(), 0);
  EXPECT_EQ(EpisodeView(GrowingTree().tree()).level_count(), 0);
}

// A view of the past is what a tree of then is.
TEST(EpisodeView, OfThePastIsWhatWasKnownThen) {
  const Snapshots snapshots = ChangingSnapshots(2, 4000);
  GrowingTree growing, whole;
  whole.Push(snapshots, 0, snapshots.size());
  for (std::size_t end = 1; end <= snapshots.size(); ++end) {
    growing.Push(snapshots[end - 1]);
    if (end % 97 != 0 && end > 40) continue;
    const EpisodeView then(growing.tree());
    const EpisodeView past(whole.tree(), static_cast<std::int64_t>(end) * kSnapshotUs);
    ASSERT_EQ(past.level_count(), then.level_count()) << end;
    ExpectWhole(past);
    for (std::int32_t level = 1; level <= then.level_count(); ++level) {
      ASSERT_EQ(past.All(level), then.All(level));
      EXPECT_EQ(past.Final(level), then.Final(level));
      for (const std::int64_t number : NumbersOf(then.Final(level)))
        EXPECT_EQ(past.Get(level, number).salience, then.Get(level, number).salience);
      const Episode open = then.Get(level, then.Closed(level).end);
      const Episode known = past.Get(level, past.Closed(level).end);
      EXPECT_EQ(known.begin, open.begin);
      EXPECT_EQ(known.score, open.score);
      EXPECT_LE(known.interactions, open.interactions);
    }
  }
}

TEST(EpisodeView, FindsWhatOverlaps) {
  const GrowingTree growing = Grown(3, 3000);
  const EpisodeView view(growing.tree());
  for (std::int32_t level = 1; level <= view.level_count(); ++level) {
    for (std::int64_t from_us = -3000; from_us < 3'010'000; from_us += 37'777) {
      for (const std::int64_t length_us : {-1, 0, 1, 2500, 400'000}) {
        std::vector<std::int64_t> expected;
        for (const std::int64_t number : NumbersOf(view.All(level))) {
          const Episode episode = view.Get(level, number);
          if (length_us > 0 && episode.end_us > from_us && episode.begin_us < from_us + length_us)
            expected.push_back(number);
        }
        EXPECT_EQ(NumbersOf(view.Overlapping(level, from_us, from_us + length_us)), expected)
            << level << " " << from_us << " " << length_us;
      }
    }
  }
}

TEST(EpisodeQueries, HighestAndClearestAgreeWithALoop) {
  const GrowingTree growing = Grown(4, 5000);
  for (const std::int64_t as_of : {5'000'000, 3'333'000}) {
    const EpisodeView view(growing.tree(), as_of);
    for (std::int32_t level = 1; level <= view.level_count(); ++level) {
      const EpisodeRange all = view.All(level);
      const EpisodeRange part = {level, all.begin + (all.end - all.begin) / 5, all.end};
      for (const EpisodeOrder order : {EpisodeOrder::kSalience, EpisodeOrder::kBoundary}) {
        std::vector<std::int64_t> expected = NumbersOf(part);
        const auto value = [&](std::int64_t number) {
          return order == EpisodeOrder::kSalience ? view.Salience(level, number)
                                                  : view.Score(level, number);
        };
        std::ranges::stable_sort(
            expected, [&](std::int64_t a, std::int64_t b) { return value(a) > value(b); });
        expected.resize(std::min<std::size_t>(expected.size(), 9));
        std::int64_t visited = 0;
        EXPECT_EQ(Highest(view, part, order, 9, visited), expected);
      }
      const std::int64_t least = view.Score(level, all.begin + (all.end - all.begin) / 2);
      std::vector<std::int64_t> expected;
      for (const std::int64_t number : NumbersOf(part))
        if (number > 0 && view.Score(level, number) >= least) expected.push_back(number);
      std::int64_t visited = 0;
      EXPECT_EQ(ClearBoundaries(view, part, least, 1000, visited), expected);
      expected.resize(std::min<std::size_t>(expected.size(), 2));
      EXPECT_EQ(ClearBoundaries(view, part, least, 2, visited), expected);
    }
  }
}

TEST(EpisodeQueries, TimelineShowsTheMostSalientOfEachShare) {
  const GrowingTree growing = Grown(5, 20'000);
  const EpisodeView view(growing.tree());
  const std::int64_t from_us = 1'234'567, to_us = 18'000'001;
  for (const std::int64_t most : {1, 7, 40, 10'000}) {
    const Timeline timeline = DecimatedTimeline(
        view, {.from_us = from_us, .to_us = to_us, .most_items = most, .level = 1});
    EXPECT_LE(static_cast<std::int64_t>(timeline.items.size()), most);
    std::int64_t shown = 0;
    for (const auto& [number, hidden] : timeline.items) shown += 1 + hidden;
    EXPECT_EQ(shown, timeline.episodes);
    const EpisodeRange all = view.Overlapping(1, from_us, to_us);
    EXPECT_EQ(timeline.episodes, all.end - all.begin);
    if (timeline.episodes <= most) continue;
    std::map<std::int64_t, std::int64_t> best;  // by share
    for (const std::int64_t number : NumbersOf(all)) {
      const std::int64_t begin_us = std::max(view.BeginUs(1, number), from_us);
      std::int64_t share = 0;
      while (begin_us >= from_us + (to_us - from_us) * (share + 1) / most) ++share;
      const auto found = best.find(share);
      if (found == best.end() || view.Salience(1, number) > view.Salience(1, found->second))
        best[share] = number;
    }
    std::vector<std::int64_t> expected, items;
    for (const auto& [share, number] : best) expected.push_back(number);
    for (const auto& [number, hidden] : timeline.items) items.push_back(number);
    EXPECT_EQ(items, expected);
  }
}

TEST(EpisodeQueries, TimelineChoosesTheFinestLevelThatFits) {
  const GrowingTree growing = Grown(6, 20'000);
  const EpisodeView view(growing.tree());
  const auto count = [&](std::int32_t level) {
    const EpisodeRange range = view.Overlapping(level, 0, 20'000'000);
    return range.end - range.begin;
  };
  for (std::int32_t level = 1; level <= view.level_count(); ++level) {
    const Timeline timeline =
        DecimatedTimeline(view, {.from_us = 0, .to_us = 20'000'000, .most_items = count(level)});
    EXPECT_EQ(timeline.level, level);
    EXPECT_EQ(static_cast<std::int64_t>(timeline.items.size()), count(level));
  }
  EXPECT_EQ(DecimatedTimeline(view, {.from_us = 5, .to_us = 5}).items.size(), 0u);
}

// A few places for each item, not all episodes.
TEST(EpisodeQueries, TimelineVisitsFewPlaces) {
  const GrowingTree growing = Grown(7, 60'000);
  const EpisodeView view(growing.tree());
  const EpisodeRange all = view.All(1);
  const Timeline timeline =
      DecimatedTimeline(view, {.from_us = 0, .to_us = 60'000'000, .most_items = 100, .level = 1});
  const double levels = std::log2(static_cast<double>(all.end - all.begin));
  EXPECT_LE(static_cast<double>(timeline.visited), 5.0 * 100.0 * levels);
}

TEST(MixAffinityThreads, AgreesWithTheDefinition) {
  const GrowingTree growing = Grown(8, 8000);
  const EpisodeView view(growing.tree());
  const EpisodeRange closed = view.Closed(1);
  const EpisodeSums wanted = view.Sums(1, 3);
  std::vector<float> affinity(static_cast<std::size_t>(closed.end - closed.begin));
  const MixAffinity mix(wanted.pair_count(), gpu::HostExec{.grain = 1});
  mix.Of(growing.tree().closed(1), closed.begin, affinity);
  for (std::int64_t number = closed.begin; number < closed.end; ++number) {
    const EpisodeSums own = view.Sums(1, number);
    double expected = 0.0;
    for (std::size_t slot = 0; slot < kPairSlots; ++slot)
      expected += std::sqrt(static_cast<double>(own.pair_count()[slot]) *
                            static_cast<double>(wanted.pair_count()[slot]));
    expected /= std::sqrt(static_cast<double>(own.interactions()) *
                          static_cast<double>(wanted.interactions()));
    EXPECT_NEAR(affinity[static_cast<std::size_t>(number - closed.begin)], expected, 1e-5);
  }
  EXPECT_NEAR(affinity[3], 1.0f, 1e-5f);
}

}  // namespace
}  // namespace weft::cache
