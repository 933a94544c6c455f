// What is learned of a hierarchy, through a server.
#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/test_hierarchy.h"

namespace weft::rpc {
namespace {

using ::testing::HasSubstr;

class LearnedHierarchyTest : public HierarchyServerTest {};

TEST_F(LearnedHierarchyTest, OrdersAndCompressesByWhatWasLearned) {
  Ingest(0, events_.source.size());
  v1::TopSalientRequest top;
  top.set_order(v1::EPISODE_ORDER_LEARNED);
  top.set_top_k(1000);
  const auto best = hierarchy_->TopSalient(top);
  ASSERT_TRUE(best.ok()) << best.status();
  ASSERT_GT(best->episode_size(), 20);
  std::set<std::uint64_t> final_ids;
  for (const v1::Episode& leaf : Level(1))
    if (leaf.state() == v1::EPISODE_STATE_FINAL) final_ids.insert(leaf.id());
  EXPECT_EQ(static_cast<std::size_t>(best->episode_size()), final_ids.size());
  double before = 1.0;
  for (const v1::Episode& episode : best->episode()) {
    EXPECT_TRUE(final_ids.contains(episode.id()));
    EXPECT_LE(episode.learned_salience(), before);
    before = episode.learned_salience();
    v1::GetEpisodeRequest one;
    one.set_id(episode.id());
    const auto same = hierarchy_->GetEpisode(one);
    ASSERT_TRUE(same.ok()) << same.status();
    EXPECT_EQ(same->episode().learned_salience(), episode.learned_salience());
    EXPECT_EQ(same->episode().model_version(), episode.model_version());
  }
  // The children of a closed episode, and half of them.
  const std::vector<v1::Episode> parents = Level(2);
  ASSERT_GT(parents.size(), 2u);
  v1::DescendantsRequest request;
  request.set_id(parents[1].id());
  const auto all = hierarchy_->Descendants(request);
  request.set_keep_share(0.5);
  const auto half = hierarchy_->Descendants(request);
  ASSERT_TRUE(all.ok() && half.ok()) << half.status();
  EXPECT_EQ(half->episode_size(), all->episode_size() / 2);
  double least = 1.0;
  std::set<std::uint64_t> kept;
  for (const v1::Episode& episode : half->episode()) {
    kept.insert(episode.id());
    least = std::min(least, episode.learned_salience());
  }
  request.set_keep_share(1.0);
  const auto scored = hierarchy_->Descendants(request);
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->episode_size(), all->episode_size());
  for (const v1::Episode& episode : scored->episode())
    if (!kept.contains(episode.id())) {
      EXPECT_LE(episode.learned_salience(), least);
    }
  request.set_keep_share(1.5);
  EXPECT_THAT(std::string(hierarchy_->Descendants(request).status().message()),
              HasSubstr("keep_share: expected 0 to 1, got 1.5"));
}

TEST_F(LearnedHierarchyTest, ScoresAreTheSameAfterARestart) {
  Ingest(0, events_.source.size());
  v1::TopSalientRequest top;
  top.set_order(v1::EPISODE_ORDER_LEARNED);
  const auto before = hierarchy_->TopSalient(top);
  ASSERT_TRUE(before.ok()) << before.status();
  Start();
  const auto after = hierarchy_->TopSalient(top);
  ASSERT_TRUE(after.ok()) << after.status();
  ASSERT_EQ(after->episode_size(), before->episode_size());
  for (int i = 0; i < after->episode_size(); ++i)
    EXPECT_EQ(after->episode(i).SerializeAsString(), before->episode(i).SerializeAsString());
}

TEST_F(LearnedHierarchyTest, SendsForecastsToThoseWhoSubscribe) {
  std::mutex mutex;
  std::condition_variable changed;
  bool subscribed = false;
  std::vector<v1::EpisodeForecast> forecasts;
  std::thread subscriber([&] {
    v1::SubscribeForecastsRequest request;
    request.add_level(1);
    const absl::Status status = hierarchy_->SubscribeForecasts(
        request,
        [&](const v1::SubscribeForecastsResponse& response) {
          forecasts.insert(forecasts.end(), response.forecast().begin(), response.forecast().end());
          return forecasts.size() < 50;
        },
        [&] {
          const std::scoped_lock lock(mutex);
          subscribed = true;
          changed.notify_all();
        });
    EXPECT_TRUE(status.ok()) << status;
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return subscribed; });
  }
  Ingest(0, events_.source.size());
  subscriber.join();
  ASSERT_GE(forecasts.size(), 50u);
  for (const v1::EpisodeForecast& forecast : forecasts) {
    EXPECT_EQ(forecast.level(), 1);
    EXPECT_LE(forecast.end_p10_us(), forecast.end_p50_us());
    EXPECT_LE(forecast.end_p50_us(), forecast.end_p90_us());
    EXPECT_GT(forecast.now_us(), forecast.begin_us());
    EXPECT_GT(forecast.ends_within(), 0.0);
    EXPECT_LT(forecast.ends_within(), 1.0);
  }
  EXPECT_GT(forecasts.back().next_entity_size(), 0);
  v1::SubscribeForecastsRequest wrong;
  wrong.add_level(99);
  const absl::Status refused = hierarchy_->SubscribeForecasts(
      wrong, [](const v1::SubscribeForecastsResponse&) { return false; }, nullptr);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("level: expected 1 to 16, got 99"));
}

TEST_F(LearnedHierarchyTest, SaysThatNothingIsLearned) {
  server_.reset();
  std::string& text = options_.graph_text;
  const std::size_t at = text.find("node { name: \"salience\"");
  text.erase(at, text.find("node { name: \"readout\"") - at);
  options_.config.set_data_dir(options_.config.data_dir() + "/other");
  Start();
  v1::TopSalientRequest top;
  top.set_order(v1::EPISODE_ORDER_LEARNED);
  EXPECT_THAT(std::string(hierarchy_->TopSalient(top).status().message()),
              HasSubstr("no operator salience follows \"episodes\""));
}

}  // namespace
}  // namespace weft::rpc
