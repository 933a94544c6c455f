#include "operators/link/lru_index.h"

#include <list>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

std::vector<std::uint64_t> NewestFirst(const LruIndex& index) {
  std::vector<std::uint64_t> keys;
  for (std::uint32_t slot = index.newest(); slot != LruIndex::kNone; slot = index.older(slot)) {
    keys.push_back(index.key(slot));
  }
  return keys;
}

TEST(LruIndex, AgreesWithAList) {
  for (const std::int64_t capacity : {1, 2, 7, 64}) {
    LruIndex index(capacity);
    std::list<std::uint64_t> model;
    std::int64_t evicted = 0;
    std::mt19937_64 random(static_cast<std::uint64_t>(capacity));
    for (int step = 0; step < 5000; ++step) {
      const std::uint64_t key = random() % 100;
      const bool known = std::find(model.begin(), model.end(), key) != model.end();
      ASSERT_EQ(index.Find(key) != LruIndex::kNone, known);
      const LruIndex::Touched touched = index.Touch(key);
      ASSERT_EQ(touched.inserted, !known);
      ASSERT_EQ(index.Find(key), touched.slot);
      model.remove(key);
      model.push_front(key);
      if (static_cast<std::int64_t>(model.size()) > capacity) model.pop_back(), ++evicted;
      ASSERT_EQ(NewestFirst(index), std::vector<std::uint64_t>(model.begin(), model.end()));
      ASSERT_EQ(index.evicted_count(), evicted);
    }
  }
}

TEST(LruIndex, SlotsAreStableAndDense) {
  LruIndex index(3);
  EXPECT_EQ(index.Touch(10).slot, 0u);
  EXPECT_EQ(index.Touch(11).slot, 1u);
  EXPECT_EQ(index.Touch(12).slot, 2u);
  EXPECT_EQ(index.Touch(10).slot, 0u);
  EXPECT_EQ(index.Touch(13).slot, 1u);  // 11 was the oldest
  index.Clear();
  EXPECT_EQ(index.size(), 0);
  EXPECT_EQ(index.Find(10), LruIndex::kNone);
  EXPECT_EQ(index.Touch(99).slot, 0u);
}

TEST(LruIndex, SurvivesSaveAndLoad) {
  LruIndex index(20);
  std::mt19937_64 random(5);
  for (int step = 0; step < 200; ++step) index.Touch(random() % 50);
  MemoryCheckpoint checkpoint;
  ASSERT_TRUE(index.Save("keys", checkpoint).ok());
  LruIndex other(20);
  MemoryCheckpointReader reader(checkpoint);
  ASSERT_TRUE(other.Load("keys", reader).ok());
  for (int step = 0; step < 200; ++step) {
    const std::uint64_t key = random() % 50;
    ASSERT_EQ(other.Touch(key).slot, index.Touch(key).slot);
  }
  EXPECT_EQ(NewestFirst(other), NewestFirst(index));
  EXPECT_EQ(other.evicted_count(), index.evicted_count());
}

TEST(LruIndex, RefusesWhatIsNotItsOwn) {
  LruIndex index(4);
  for (std::uint64_t key = 0; key < 4; ++key) index.Touch(key);
  MemoryCheckpoint checkpoint;
  ASSERT_TRUE(index.Save("keys", checkpoint).ok());
  const std::string bytes = checkpoint.sections().find("keys")->second;
  LruIndex wrong_size(5);
  MemoryCheckpointReader reader(checkpoint);
  EXPECT_EQ(wrong_size.Load("keys", reader).code(), absl::StatusCode::kDataLoss);
  // Any single broken byte either is noticed or only changes a key or the eviction count.
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x41);
    MemoryCheckpoint damaged;
    ASSERT_TRUE(damaged.Write("keys", std::as_bytes(std::span(broken.data(), broken.size()))).ok());
    LruIndex loaded(4);
    MemoryCheckpointReader damaged_reader(damaged);
    if (loaded.Load("keys", damaged_reader).ok()) {
      EXPECT_EQ(NewestFirst(loaded).size(), 4u);
    }
  }
}

}  // namespace
}  // namespace weft::operators::link
