#include "operators/sequence/series_table.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft::operators::sequence {
namespace {

struct Record {
  graph::NodeId series = 0;
  double value = 0.0;
};

// Records of `series` series in any order, some much oftener than others.
std::vector<Record> MakeRecords(std::size_t count, graph::NodeId series) {
  std::mt19937_64 random(5);
  std::vector<Record> records;
  for (std::size_t i = 0; i < count; ++i) {
    const auto of = static_cast<graph::NodeId>(random() % (1 + random() % series));
    records.push_back({of, std::sin(static_cast<double>(i) * 0.1) + static_cast<double>(of)});
  }
  return records;
}

// Batches of records in the order that a table asks for, beside a table that takes them one by one.
void ExpectTheSame(const std::vector<Record>& records, std::int64_t most_series) {
  SeriesTable plain({.settings = {}, .most_series = most_series}),
      table({.settings = {}, .most_series = most_series});
  constexpr std::size_t kBatch = 37;
  for (std::size_t begin = 0; begin < records.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, records.size() - begin);
    std::vector<graph::NodeId> series;
    for (std::size_t i = 0; i < count; ++i) series.push_back(records[begin + i].series);
    const auto take = [&](SeriesTable& to, std::size_t i) {
      const auto time_us = static_cast<graph::TimeUs>(begin + i) * 1'000'000;
      return to.Next(series[i], time_us, std::span(&records[begin + i].value, 1));
    };
    std::vector<double> score(count);
    for (const std::size_t i : table.OrderOf(series)) score[i] = take(table, i).score;
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(take(plain, i).score, score[i]);
    ASSERT_EQ(plain.followed().evicted_count(), table.followed().evicted_count());
    // Who gives way next is the same as well.
    std::vector<graph::NodeId> kept, kept_by_plain;
    for (const auto& [one, followed] : table.followed().entries()) kept.push_back(one);
    for (const auto& [one, followed] : plain.followed().entries()) kept_by_plain.push_back(one);
    ASSERT_EQ(kept, kept_by_plain);
  }
}

TEST(SeriesTable, TakesBatchesSeriesBySeriesWithTheSameOutcome) {
  ExpectTheSame(MakeRecords(3000, 12), /*most_series=*/12);
}

TEST(SeriesTable, TakesBatchesWithTheSameOutcomeWhereSeriesGiveWay) {
  ExpectTheSame(MakeRecords(3000, 12), /*most_series=*/5);
}

TEST(SeriesTable, OrdersRecordsBySeriesThatComesLast) {
  const SeriesTable table({.settings = {}, .most_series = 3});
  const std::vector<graph::NodeId> series = {7, 8, 7, 9, 8};
  EXPECT_EQ(table.OrderOf(series), (std::vector<std::size_t>{0, 2, 3, 1, 4}));
  const std::vector<graph::NodeId> too_many = {7, 8, 9, 6, 7};
  EXPECT_EQ(table.OrderOf(too_many), (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace weft::operators::sequence
