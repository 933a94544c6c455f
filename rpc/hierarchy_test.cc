// HierarchyService through a server, against the tree that the same events make without one.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/hierarchy/hierarchy_reader.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "rpc/test_hierarchy.h"

namespace weft::rpc {
namespace {

using operators::hierarchy::EpisodeStream;
using ::testing::HasSubstr;

TEST_F(HierarchyServerTest, IsTheHierarchyOfItsEvents) {
  const std::size_t half = events_.source.size() / 2;
  Ingest(0, half);
  const EpisodeStream first = TreeOf(half);
  ExpectTree(cache::EpisodeView(first.tree()));
  // After a restart, from a checkpoint and the log.
  const auto admin = AdminClient::Open(server_->address());
  ASSERT_TRUE(admin->Checkpoint().ok());
  Ingest(half, events_.source.size());
  const EpisodeStream whole = TreeOf(events_.source.size());
  ExpectTree(cache::EpisodeView(whole.tree()));
  const std::string hash = admin->GetStateHash()->state_hash();
  Start();
  ExpectTree(cache::EpisodeView(whole.tree()));
  EXPECT_EQ(AdminClient::Open(server_->address())->GetStateHash()->state_hash(), hash);
  // As of the time when half of it was known.
  const std::int64_t as_of_us = first.tree().end_us();
  ExpectTree(cache::EpisodeView(whole.tree(), as_of_us), as_of_us);
  EXPECT_EQ(Level(1, as_of_us).size(), static_cast<std::size_t>(first.tree().closed(1).end()) + 1);
}

TEST_F(HierarchyServerTest, AnswersAboutOneEpisode) {
  Ingest(0, events_.source.size());
  const std::vector<v1::Episode> leaves = Level(1), above = Level(2);
  v1::AncestorsRequest ancestors;
  ancestors.set_id(leaves[3].id());
  const auto parents = hierarchy_->Ancestors(ancestors);
  ASSERT_TRUE(parents.ok()) << parents.status();
  ASSERT_EQ(parents->episode_size(), parents->tree().level_count() - 1);
  EXPECT_EQ(parents->episode(0).id(), leaves[3].parent_id());
  v1::DescendantsRequest descendants;
  descendants.set_id(above[0].id());
  const auto children = hierarchy_->Descendants(descendants);
  ASSERT_EQ(children->episode_size(), above[0].child_count());
  for (int i = 0; i < children->episode_size(); ++i)
    EXPECT_EQ(children->episode(i).id(), leaves[static_cast<std::size_t>(i)].id());
  descendants.set_limit(2);
  EXPECT_TRUE(hierarchy_->Descendants(descendants)->more());
  v1::AtRequest at;
  at.set_time_us(leaves[5].begin_us() + 1);
  const auto moment = hierarchy_->At(at);
  ASSERT_EQ(moment->episode_size(), moment->tree().level_count());
  EXPECT_EQ(moment->episode(0).id(), leaves[5].id());
  v1::GetEpisodeRequest unknown;
  unknown.set_id(1234);
  EXPECT_TRUE(absl::IsNotFound(hierarchy_->GetEpisode(unknown).status()));
  unknown.set_id(leaves[0].id());
  unknown.mutable_tree()->set_node("snapshots");
  EXPECT_THAT(std::string(hierarchy_->GetEpisode(unknown).status().message()),
              HasSubstr("\"snapshots\" keeps no hierarchy; these do: episodes"));
}

TEST_F(HierarchyServerTest, FollowsEntitiesAndComparesEpisodes) {
  Ingest(0, events_.source.size());
  const std::vector<v1::Episode> leaves = Level(1);
  v1::FollowEntityRequest follow;
  follow.set_entity(Key(events_.source[0]));
  const auto followed = hierarchy_->FollowEntity(follow);
  ASSERT_TRUE(followed.ok()) << followed.status();
  EXPECT_TRUE(followed->known());
  EXPECT_FALSE(followed->cut());
  std::map<std::uint64_t, std::pair<std::int64_t, std::int64_t>> expected;  // sent, received
  for (std::size_t i = 0; i < events_.source.size(); ++i) {
    for (const v1::Episode& leaf : leaves) {
      if (events_.time_us[i] < leaf.begin_us() || events_.time_us[i] >= leaf.end_us()) continue;
      auto& [sent, received] = expected[leaf.id()];
      sent += events_.source[i] == events_.source[0] ? 1 : 0;
      received += events_.target[i] == events_.source[0] ? 1 : 0;
    }
  }
  std::erase_if(expected, [](const auto& one) {
    return one.second == std::pair<std::int64_t, std::int64_t>();
  });
  ASSERT_EQ(static_cast<std::size_t>(followed->item_size()), expected.size());
  for (const v1::FollowedEpisode& item : followed->item()) {
    EXPECT_EQ(item.sent_count(), expected[item.episode().id()].first);
    EXPECT_EQ(item.received_count(), expected[item.episode().id()].second);
  }
  v1::CompareRequest compare;
  compare.set_id(leaves[3].id());
  compare.set_other_id(leaves[4].id());
  const auto compared = hierarchy_->Compare(compare);
  ASSERT_TRUE(compared.ok()) << compared.status();
  ASSERT_GT(compared->pair_size(), 3);
  EXPECT_GT(compared->nats(), 50.0);
  double named = 0.0;
  for (const v1::PairDifference& pair : compared->pair()) named += pair.nats();
  EXPECT_LE(named, compared->nats());
  compare.set_other_id(leaves[3].id());
  const auto same = hierarchy_->Compare(compare);
  EXPECT_NEAR(same->nats(), 0.0, 1e-6);
  EXPECT_NEAR(same->affinity(), 1.0, 1e-6);
  v1::SimilarRequest similar;
  similar.set_id(leaves[3].id());
  similar.set_top_k(4);
  const auto alike = hierarchy_->Similar(similar);
  ASSERT_TRUE(alike.ok()) << alike.status();
  EXPECT_EQ(alike->compared_count(), static_cast<std::int64_t>(leaves.size()) - 2);
  for (const v1::SimilarEpisode& item : alike->item()) {
    compare.set_other_id(item.episode().id());
    EXPECT_NEAR(hierarchy_->Compare(compare)->affinity(), item.affinity(), 1e-5);
  }
}

TEST_F(HierarchyServerTest, ForetellsTheEndOfWhatIsOpen) {
  v1::PredictNextRequest request;
  EXPECT_TRUE(absl::IsFailedPrecondition(hierarchy_->PredictNext(request).status()));
  Ingest(0, events_.source.size());
  const auto foretold = hierarchy_->PredictNext(request);
  ASSERT_TRUE(foretold.ok()) << foretold.status();
  const std::vector<v1::Episode> leaves = Level(1);
  EXPECT_EQ(foretold->episode().id(), leaves.back().id());
  EXPECT_LE(foretold->end_p10_us(), foretold->end_p50_us());
  EXPECT_LE(foretold->end_p50_us(), foretold->end_p90_us());
  EXPECT_GT(foretold->end_p10_us(), foretold->episode().begin_us());
  EXPECT_TRUE(foretold->ends_within() > 0.0 && foretold->ends_within() < 1.0);
  ASSERT_EQ(foretold->precedent_size(), 5);
  for (const v1::EpisodePrecedent& precedent : foretold->precedent())
    EXPECT_EQ(precedent.next().begin_us(), precedent.episode().end_us());
  EXPECT_EQ(foretold->next_entity_size(), 3);
  request.set_level(16);
  EXPECT_THAT(std::string(hierarchy_->PredictNext(request).status().message()),
              HasSubstr("no episode of level 16 is open"));
}

TEST_F(HierarchyServerTest, TellsHowFarItIs) {
  v1::StatsRequest stats;
  auto told = hierarchy_->Stats(stats);
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->tree().level_count(), 0);
  EXPECT_EQ(told->tree().snapshot_count(), 0);
  v1::TimelineRequest timeline;
  EXPECT_EQ(hierarchy_->Timeline(timeline)->item_size(), 0);
  Ingest(0, events_.source.size());
  told = hierarchy_->Stats(stats);
  ASSERT_GE(told->level_size(), 2);
  EXPECT_NEAR(told->level(0).mean_seconds() * static_cast<double>(told->level(0).kept_count()),
              2900.0, 100.0);
  // Never further than the log, whatever rows the packets on the way have.
  const auto position = DecodePosition(told->tree().position());
  ASSERT_TRUE(position.ok());
  EXPECT_LE(position->offset, events_.source.size());
  EXPECT_GT(position->offset, events_.source.size() - 2000);
  stats.mutable_tree()->set_as_of_us(100 * kSecond);
  EXPECT_LE(hierarchy_->Stats(stats)->tree().known_until_us(), 100 * kSecond);
}

TEST_F(HierarchyServerTest, RefusesWhatMakesNoSense) {
  v1::TimelineRequest timeline;
  timeline.set_level(17);
  EXPECT_THAT(std::string(hierarchy_->Timeline(timeline).status().message()),
              HasSubstr("level: expected 1 to 16, got 17"));
  timeline.set_level(0);
  timeline.set_max_items(10'001);
  EXPECT_THAT(std::string(hierarchy_->Timeline(timeline).status().message()),
              HasSubstr("max_items: expected 1 to 10000, got 10001"));
  v1::StatsRequest stats;
  stats.mutable_tree()->set_as_of_us(5);
  *stats.mutable_tree()->mutable_min_position() = EncodePosition({0, 1, 0});
  EXPECT_TRUE(absl::IsInvalidArgument(hierarchy_->Stats(stats).status()));
  v1::SubscribeRequest subscribe;
  subscribe.set_output("nothing");
  const absl::Status status = hierarchy_->Subscribe(
      subscribe, [](const v1::SubscribeResponse&) { return false; }, nullptr);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("there is no output \"nothing\" of episodes; the graph has: episodes"));
}

}  // namespace
}  // namespace weft::rpc
