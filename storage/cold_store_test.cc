#include "storage/cold_store.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "storage/data_directory.h"
#include "storage/test_directory.h"

namespace weft::storage {
namespace {

class ColdStoreTest : public ::testing::Test {
 protected:
  ColdStoreTest() { Reopen(); }
  void Reopen() {
    directory_.reset();
    auto opened = DataDirectory::Open({.path = place_.path()});
    ASSERT_TRUE(opened.ok()) << opened.status();
    directory_ = *std::move(opened);
  }
  // Of the node of checkpoints.
  graph::NodeColdStore& cold() {
    cold_.emplace(&directory_->cold(), graph::ColdPrefix("spec", "node", 2));
    return *cold_;
  }
  // A checkpoint of a graph that has the log of feed 1 up to an offset, and one node.
  void Checkpoint(std::uint64_t offset, std::string spec_digest = "spec") {
    auto writer = directory_->checkpoints().Begin();
    ASSERT_TRUE(writer.ok()) << writer.status();
    graph::CheckpointManifest manifest;
    manifest.spec_digest = std::move(spec_digest);
    manifest.applied = {{0, 1, offset}, {0, 2, 1000}};
    manifest.operators = {{"node", "operator", 2, 0, 0}};
    (*writer)->Operator("node");
    ASSERT_TRUE((*writer)->Commit(manifest).ok());
  }

  TestDirectory place_;
  std::unique_ptr<DataDirectory> directory_;
  std::optional<graph::NodeColdStore> cold_;
};

TEST_F(ColdStoreTest, GivesBackWhatWasPut) {
  cold().Put("a/1", "one");
  cold().Put("a/2", std::string(300'000, 'x'));
  EXPECT_EQ(cold().Get("a/1").value(), "one");
  EXPECT_TRUE(absl::IsNotFound(cold().Get("a").status()));
  Checkpoint(5);
  EXPECT_EQ(cold().Get("a/1").value(), "one");
  EXPECT_EQ(cold().Get("a/2").value(), std::string(300'000, 'x'));
}

// What a checkpoint refers to is there after a restart; what came later comes again by replay.
TEST_F(ColdStoreTest, IsDurableWithACheckpoint) {
  cold().Put("a", "one");
  Checkpoint(5);
  cold().Put("b", "two");
  Reopen();
  EXPECT_EQ(cold().Get("a").value(), "one");
  EXPECT_TRUE(absl::IsNotFound(cold().Get("b").status()));
}

TEST_F(ColdStoreTest, WritesByItselfWhenMuchWaits) {
  const std::string bytes(RocksColdStore::kWaitingBytes / 4, 'y');
  for (const char* const name : {"a", "b", "c", "d", "e"}) cold().Put(name, bytes);
  Reopen();
  EXPECT_EQ(cold().Get("a").value(), bytes);
  EXPECT_TRUE(absl::IsNotFound(cold().Get("e").status()));
}

TEST_F(ColdStoreTest, KeepsWhatIsForgottenUntilNoCheckpointNeedsIt) {
  cold().Put("a", "one");
  Checkpoint(5);
  cold().Forget("a", {0, 1, 10});
  Checkpoint(10);
  EXPECT_TRUE(cold().Get("a").ok());  // the first checkpoint is still there
  Reopen();
  EXPECT_TRUE(cold().Get("a").ok());
  Checkpoint(20);
  EXPECT_TRUE(absl::IsNotFound(cold().Get("a").status()));
}

TEST_F(ColdStoreTest, OtherFeedsSayNothingOfWhatIsNeeded) {
  cold().Put("a", "one");
  cold().Forget("a", {0, 1, 100});
  Checkpoint(5);
  Checkpoint(6);
  EXPECT_TRUE(cold().Get("a").ok());
}

// A graph that was changed, or a node whose state has another form, has names of its own, and what
// was stored before goes with the last checkpoint that needs it.
TEST_F(ColdStoreTest, LetsGoOfWhatNoCheckpointsNodeHas) {
  graph::NodeColdStore other(&directory_->cold(), graph::ColdPrefix("other", "node", 2));
  graph::NodeColdStore older(&directory_->cold(), graph::ColdPrefix("spec", "node", 1));
  other.Put("1/0", "other");
  older.Put("1/0", "older");
  Checkpoint(5, "other");
  cold().Put("1/0", "one");
  Checkpoint(6);
  EXPECT_EQ(cold().Get("1/0").value(), "one");
  EXPECT_EQ(other.Get("1/0").value(), "other");
  EXPECT_TRUE(absl::IsNotFound(older.Get("1/0").status()));
  Checkpoint(7);
  EXPECT_EQ(cold().Get("1/0").value(), "one");
  EXPECT_TRUE(absl::IsNotFound(other.Get("1/0").status()));
}

// Names of nodes may have slashes.
TEST_F(ColdStoreTest, KeepsWhatANodeWithSlashesInItsNameHas) {
  graph::NodeColdStore sub(&directory_->cold(), graph::ColdPrefix("spec", "a/b/c", 2));
  sub.Put("1/0", "one");
  auto writer = directory_->checkpoints().Begin();
  ASSERT_TRUE(writer.ok()) << writer.status();
  graph::CheckpointManifest manifest;
  manifest.spec_digest = "spec";
  manifest.applied = {{0, 1, 5}};
  manifest.operators = {{"a/b/c", "operator", 2, 0, 0}};
  (*writer)->Operator("a/b/c");
  ASSERT_TRUE((*writer)->Commit(manifest).ok());
  EXPECT_EQ(sub.Get("1/0").value_or("gone"), "one");
}

// After a graph was changed its log is replayed from the beginning, while checkpoints of the graph
// before have more of it.
TEST_F(ColdStoreTest, CheckpointsOfOtherGraphsSayNothingOfWhatIsNeeded) {
  Checkpoint(100, "other");
  cold().Put("1/0", "one");
  Checkpoint(5);
  cold().Forget("1/0", {0, 1, 10});
  Checkpoint(20);
  EXPECT_TRUE(cold().Get("1/0").ok());  // for the one at 5
  Checkpoint(30);
  EXPECT_TRUE(absl::IsNotFound(cold().Get("1/0").status()));
}

class ColdStoreThreads : public ColdStoreTest {};

// As operators do on their threads while checkpoints are cut.
TEST_F(ColdStoreThreads, PutGetAndForgetWhileCheckpointsAreCut) {
  constexpr int kThreads = 3, kNames = 60;
  std::vector<std::jthread> threads;
  graph::NodeColdStore& store = cold();
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&store, t] {
      for (int i = 0; i < kNames; ++i) {
        const std::string name = std::to_string(t) + "/" + std::to_string(i);
        store.Put(name, std::string(10'000, static_cast<char>('a' + t)));
        EXPECT_EQ(store.Get(name).value().front(), 'a' + t);
        if (i % 2 == 0) store.Forget(name, {0, 1, 1});
      }
    });
  for (std::uint64_t offset = 1; offset <= 6; ++offset) Checkpoint(offset);
  threads.clear();
  Checkpoint(7);
  for (int t = 0; t < kThreads; ++t)
    for (int i = 0; i < kNames; ++i) {
      const std::string name = std::to_string(t) + "/" + std::to_string(i);
      EXPECT_EQ(store.Get(name).ok(), i % 2 == 1) << name;
    }
}

}  // namespace
}  // namespace weft::storage
