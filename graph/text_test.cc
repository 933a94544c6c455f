#include "graph/text.h"

#include <limits>

#include <gtest/gtest.h>

namespace weft::graph {
namespace {

TEST(Text, ConcatTakesEveryKindOfPiece) {
  const std::string text = "d";
  EXPECT_EQ(Concat("a", 'b', std::string_view("c"), text, -1, 2u, 0.5), "abcd-120.5");
  EXPECT_EQ(Concat(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(Concat(), "");
}

TEST(Text, HexadecimalHasSixteenDigits) {
  EXPECT_EQ(Hexadecimal(0), "0000000000000000");
  EXPECT_EQ(Hexadecimal(0x0123456789abcdefULL), "0123456789abcdef");
}

TEST(Text, JoinNamesPutsTheSeparatorBetween) {
  EXPECT_EQ(JoinNames(std::vector<std::string>{"a", "b"}, ", "), "a, b");
  EXPECT_EQ(JoinNames(std::vector<std::string_view>{}, ", ", "none"), "none");
}

}  // namespace
}  // namespace weft::graph
