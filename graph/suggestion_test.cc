#include "graph/suggestion.h"

#include <gtest/gtest.h>

namespace weft::graph {
namespace {

TEST(Suggestion, EditDistanceCountsSingleChanges) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("abc", "abc"), 0);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(EditDistance("nat", "nta"), 1);
  EXPECT_EQ(EditDistance("nmae", "name"), 1);
}

TEST(Suggestion, NamesTheNearest) {
  EXPECT_EQ(DidYouMean("evnts", {"scores", "events"}), "; did you mean \"events\"?");
  EXPECT_EQ(DidYouMean("events", {"EVENTS"}), "; did you mean \"EVENTS\"?");
}

TEST(Suggestion, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(DidYouMean("video", {"scores", "events"}), "");
  EXPECT_EQ(DidYouMean("", {"a"}), "");
  EXPECT_EQ(DidYouMean(std::string(100, 'a'), {"a"}), "");
}

}  // namespace
}  // namespace weft::graph
