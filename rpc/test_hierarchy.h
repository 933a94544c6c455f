// For tests: a server that keeps the hierarchy of planted events.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cache/episode_view.h"
#include "operators/catalog.h"
#include "operators/hierarchy/episode_stream.h"
#include "operators/hierarchy/planted_hierarchy.h"
#include "rpc/client.h"
#include "rpc/ingest_client.h"
#include "rpc/logging.h"
#include "rpc/test_predictor.h"

namespace weft::rpc {

inline constexpr const char* kHierarchyGraph = R"(
name: "hierarchy"
input { name: "events" type: "EventBatch" }
node { name: "snapshots" operator: "snapshot_builder" input: "EVENTS:events"
       output: "SNAPSHOTS:snapshots" }
node { name: "segmenter" operator: "episode_segmenter" input: "SNAPSHOTS:snapshots"
       output: "SEGMENTED:segmented" }
node { name: "episodes" operator: "episode_tree_build" input: "SEGMENTED:segmented"
       output: "EPISODES:episodes" options {
         [type.googleapis.com/weft.operators.hierarchy.v1.EpisodeTreeBuild] { report_every: 16 } } }
node { name: "salience" operator: "salience" input: "EPISODES:episodes" }
node { name: "readout" operator: "episode_readout" input: "EPISODES:episodes"
       output: "READOUT:readout" }
node { name: "predictor" operator: "episode_predictor" input: "READOUT:readout"
       output: "FORECASTS:forecasts" }
output { name: "episodes" stream: "episodes" }
output { name: "forecasts" stream: "forecasts" }
)";
inline constexpr graph::TimeUs kSecond = 1'000'000;

inline graph::EventBatch PlantedEvents() {
  operators::hierarchy::PlantedHierarchyOptions options;
  options.snapshots = 3000;
  options.interactions = 6.0;
  graph::EventBatch events = operators::hierarchy::MakePlantedHierarchy(options).events;
  // Numbered as a service numbers keys: in the order of their first appearance.
  std::map<graph::NodeId, graph::NodeId> numbers;
  const auto renumber = [&numbers](graph::NodeId& node) {
    node = numbers.try_emplace(node, static_cast<graph::NodeId>(numbers.size())).first->second;
  };
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    renumber(events.source[i]);
    renumber(events.target[i]);
  }
  return events;
}

class HierarchyServerTest : public ::testing::Test {
 protected:
  HierarchyServerTest() : events_(PlantedEvents()) {}

  void SetUp() override {
    SetLogLevel(LogLevel::kError);
    options_ = TestServerOptions(place_);
    options_.graph_text = kHierarchyGraph;
    options_.config.mutable_feed()->set_lateness_us(0);
    options_.catalog = &operators::OperatorCatalog();
    Start();
  }

  void Start() {
    server_.reset();
    auto server = Server::Start(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    hierarchy_ = HierarchyClient::Open(server_->address(), 30);
  }

  static std::string Key(graph::NodeId node) { return "n" + std::to_string(node); }

  void Ingest(std::size_t begin, std::size_t end) {
    auto client = IngestClient::Open({.address = server_->address(),
                                      .feed = "events",
                                      .producer = "p" + std::to_string(begin),
                                      .batch_events = 700});
    ASSERT_TRUE(client.ok()) << client.status();
    for (std::size_t i = begin; i < end; ++i)
      ASSERT_TRUE(
          (*client)
              ->Add(Key(events_.source[i]), Key(events_.target[i]), events_.time_us[i], {}, {})
              .ok());
    const absl::Status status = (*client)->Wait(IngestClient::Level::kApplied);
    ASSERT_TRUE(status.ok()) << status;
  }

  // What the events up to `end` make: the snapshots that are complete.
  operators::hierarchy::EpisodeStream TreeOf(std::size_t end) const {
    operators::hierarchy::EpisodeStream stream({}, {});
    std::vector<cache::EpisodeChange> changes;
    stream.Push(graph::EventSpan::Of(events_, 0, static_cast<std::int64_t>(end)), changes);
    return stream;
  }

  // All episodes of a level.
  std::vector<v1::Episode> Level(std::int32_t level, std::optional<std::int64_t> as_of_us = {}) {
    v1::OverlapsRequest request;
    request.set_level(level);
    request.set_limit(7);
    if (as_of_us) request.mutable_tree()->set_as_of_us(*as_of_us);
    std::vector<v1::Episode> episodes;
    for (bool more = true; more;) {
      const auto page = hierarchy_->Overlaps(request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return episodes;
      EXPECT_LE(page->episode_size(), 7);
      episodes.insert(episodes.end(), page->episode().begin(), page->episode().end());
      more = page->more();
      if (more) request.set_after_id(episodes.back().id());
    }
    return episodes;
  }

  void ExpectTree(const cache::EpisodeView& view, std::optional<std::int64_t> as_of_us = {}) {
    for (std::int32_t level = 1; level <= view.level_count(); ++level) {
      const std::vector<v1::Episode> episodes = Level(level, as_of_us);
      const cache::EpisodeRange all = view.All(level);
      ASSERT_EQ(static_cast<std::int64_t>(episodes.size()), all.end - all.begin) << level;
      for (std::int64_t number = all.begin; number < all.end; ++number) {
        const v1::Episode& found = episodes[static_cast<std::size_t>(number - all.begin)];
        const cache::Episode expected = view.Get(level, number);
        EXPECT_EQ(found.id(), cache::EpisodeId({level, expected.begin}));
        EXPECT_EQ(found.begin_us(), expected.begin_us);
        EXPECT_EQ(found.end_us(), expected.end_us);
        EXPECT_EQ(found.interactions(), expected.interactions);
        EXPECT_EQ(found.child_count(), expected.child_count);
        EXPECT_EQ(found.salience(), cache::SalienceNats(expected));
        EXPECT_EQ(found.boundary(), cache::BoundaryStrength(level, expected.score));
        if (found.entity_size() > 0) {
          EXPECT_EQ(found.entity(0).count(), expected.nodes[0].count);
        }
      }
    }
  }

  TestPlace place_;
  const graph::EventBatch events_;
  Server::Options options_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<HierarchyClient> hierarchy_;
};

}  // namespace weft::rpc
