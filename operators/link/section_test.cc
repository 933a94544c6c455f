#include "operators/link/section.h"

#include <string>

#include <gtest/gtest.h>

#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

using cache::HashedRowIndex;

HashedRowIndex IndexOfFour() {
  HashedRowIndex index(4);
  for (std::uint64_t key = 0; key < 7; ++key) index.Admit(key << 40);
  return index;
}

TEST(Section, ARowIndexComesBack) {
  const HashedRowIndex index = IndexOfFour();
  MemoryCheckpoint checkpoint;
  ASSERT_TRUE(WriteRowIndex("keys", index, checkpoint).ok());
  HashedRowIndex loaded(4);
  MemoryCheckpointReader reader(checkpoint);
  ASSERT_TRUE(ReadRowIndex("keys", loaded, reader).ok());
  EXPECT_EQ(loaded.KeysByRow(), index.KeysByRow());
  EXPECT_EQ(loaded.RowsOldestFirst(), index.RowsOldestFirst());
  EXPECT_EQ(loaded.eviction_count(), 3);
  EXPECT_EQ(reader.Remaining("keys"), 0u);
}

TEST(Section, ARowIndexOfAnotherSizeIsRefused) {
  MemoryCheckpoint checkpoint;
  ASSERT_TRUE(WriteRowIndex("keys", IndexOfFour(), checkpoint).ok());
  HashedRowIndex larger(5);
  larger.Admit(1);
  MemoryCheckpointReader reader(checkpoint);
  EXPECT_EQ(ReadRowIndex("keys", larger, reader),
            absl::DataLossError("section keys: expected an index of 5 rows, got one of 4"));
  EXPECT_EQ(larger.size(), 0);
}

// Any single broken byte is noticed or only changes a key, the order or the eviction count.
TEST(Section, ADamagedRowIndexIsRefusedOrWhole) {
  MemoryCheckpoint checkpoint;
  ASSERT_TRUE(WriteRowIndex("keys", IndexOfFour(), checkpoint).ok());
  const std::string bytes = checkpoint.sections().find("keys")->second;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0x41);
    MemoryCheckpoint damaged;
    ASSERT_TRUE(damaged.Write("keys", std::as_bytes(std::span(broken.data(), broken.size()))).ok());
    HashedRowIndex loaded(4);
    MemoryCheckpointReader reader(damaged);
    const absl::Status status = ReadRowIndex("keys", loaded, reader);
    EXPECT_EQ(loaded.MostRecent(9).size(), status.ok() ? 4u : 0u) << i;
  }
}

}  // namespace
}  // namespace weft::operators::link
