#include "tests/harness/test_operators.h"

#include <gtest/gtest.h>

namespace weft::tests {
namespace {

TEST(TestOperators, SliceTakesRowsOfEveryColumn) {
  graph::EventBatch events;
  events.source = {1, 2, 3};
  events.target = {4, 5, 6};
  events.time_us = {7, 8, 9};
  events.feature = {10, 11, 12, 13, 14, 15};
  events.feature_count = 2;
  const auto slice = Slice(events, 1, 3);
  EXPECT_EQ(slice->target, (std::vector<graph::NodeId>{5, 6}));
  EXPECT_EQ(slice->feature, (std::vector<float>{12, 13, 14, 15}));
  EXPECT_TRUE(slice->label.empty());
}

}  // namespace
}  // namespace weft::tests
