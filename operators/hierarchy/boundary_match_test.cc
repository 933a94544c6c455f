#include "operators/hierarchy/boundary_match.h"

#include <gtest/gtest.h>

namespace weft::operators::hierarchy {
namespace {

TEST(MatchBoundaries, PairsEachOnceAndAsManyAsPossible) {
  const std::vector<std::int64_t> found = {10, 12, 30, 55}, truth = {11, 14, 33, 90};
  const BoundaryFigures figures = MatchBoundaries(found, truth, 3);
  EXPECT_EQ(figures.matched, 3);
  EXPECT_DOUBLE_EQ(figures.precision, 0.75);
  EXPECT_DOUBLE_EQ(figures.recall, 0.75);
  EXPECT_DOUBLE_EQ(figures.f1, 0.75);
  EXPECT_EQ(MatchBoundaries({}, truth, 3).f1, 0.0);
  EXPECT_EQ(MatchBoundaries({}, {}, 3).f1, 0.0);
}

}  // namespace
}  // namespace weft::operators::hierarchy
