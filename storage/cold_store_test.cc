#include "storage/cold_store.h"

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
  graph::ColdStore& cold() { return directory_->cold(); }
  // A checkpoint that has the log of feed 1 up to an offset.
  void Checkpoint(std::uint64_t offset) {
    auto writer = directory_->checkpoints().Begin();
    ASSERT_TRUE(writer.ok()) << writer.status();
    graph::CheckpointManifest manifest;
    manifest.applied = {{0, 1, offset}, {0, 2, 1000}};
    ASSERT_TRUE((*writer)->Commit(manifest).ok());
  }

  TestDirectory place_;
  std::unique_ptr<DataDirectory> directory_;
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

using ColdStoreThreads = ColdStoreTest;

// As operators do on their threads while checkpoints are cut.
TEST_F(ColdStoreThreads, PutGetAndForgetWhileCheckpointsAreCut) {
  constexpr int kThreads = 3, kNames = 60;
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([this, t] {
      for (int i = 0; i < kNames; ++i) {
        const std::string name = std::to_string(t) + "/" + std::to_string(i);
        cold().Put(name, std::string(10'000, static_cast<char>('a' + t)));
        EXPECT_EQ(cold().Get(name).value().front(), 'a' + t);
        if (i % 2 == 0) cold().Forget(name, {0, 1, 1});
      }
    });
  for (std::uint64_t offset = 1; offset <= 6; ++offset) Checkpoint(offset);
  threads.clear();
  Checkpoint(7);
  for (int t = 0; t < kThreads; ++t)
    for (int i = 0; i < kNames; ++i) {
      const std::string name = std::to_string(t) + "/" + std::to_string(i);
      EXPECT_EQ(cold().Get(name).ok(), i % 2 == 1) << name;
    }
}

}  // namespace
}  // namespace weft::storage
