#include "graph/state_hash.h"

#include <gtest/gtest.h>

namespace weft::graph {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::uint64_t HashOf(const std::vector<std::pair<std::string, std::string>>& writes) {
  StateHasher hasher;
  for (const auto& [section, bytes] : writes) hasher.Add(section, Bytes(bytes));
  return hasher.Finish();
}

TEST(StateHash, DoesNotDependOnPieces) {
  EXPECT_EQ(HashOf({{"a", "xyz"}, {"b", "1"}}), HashOf({{"a", "x"}, {"a", "yz"}, {"b", "1"}}));
}

TEST(StateHash, DependsOnNamesOrderAndBorders) {
  const std::uint64_t hash = HashOf({{"a", "xyz"}, {"b", "1"}});
  EXPECT_NE(hash, HashOf({{"a", "xy"}, {"b", "z1"}}));
  EXPECT_NE(hash, HashOf({{"c", "xyz"}, {"b", "1"}}));
  EXPECT_NE(hash, HashOf({{"b", "1"}, {"a", "xyz"}}));
  EXPECT_NE(HashOf({{"a", ""}}), HashOf({}));
}

TEST(StateHash, AbsentSourceHasNothing) {
  HashingSource source(nullptr);
  EXPECT_EQ(source.Remaining("a"), 0u);
  std::byte byte{};
  EXPECT_EQ(source.Read("a", std::span(&byte, 1)).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace weft::graph
