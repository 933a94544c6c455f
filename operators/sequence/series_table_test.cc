#include "operators/sequence/series_table.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "graph/bytes_state.h"
#include "graph/cold_store.h"

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

class Table {
 public:
  explicit Table(std::int64_t most_series, std::int64_t most_stored = 1000)
      : table_({}, {.most = most_series, .most_stored = most_stored, .cold = &cold_}) {}

  // The record that is the `at`-th.
  double Take(const Record& record, std::size_t at) {
    const auto said =
        table_.Next(record.series, {.offset = at}, static_cast<graph::TimeUs>(at) * 1'000'000,
                    std::span(&record.value, 1));
    EXPECT_TRUE(said.ok()) << said.status();
    return said.ok() ? said->score : -1.0;
  }
  SeriesTable& operator*() { return table_; }
  SeriesTable* operator->() { return &table_; }
  graph::MemoryColdStore& cold() { return cold_; }

 private:
  graph::MemoryColdStore cold_;
  SeriesTable table_;
};

// Batches of records in the order that a table asks for, beside a table that takes them one by one.
void ExpectTheSame(const std::vector<Record>& records, std::int64_t most_series) {
  Table plain(most_series), table(most_series);
  constexpr std::size_t kBatch = 37;
  for (std::size_t begin = 0; begin < records.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, records.size() - begin);
    std::vector<graph::NodeId> series;
    for (std::size_t i = 0; i < count; ++i) series.push_back(records[begin + i].series);
    std::vector<double> score(count);
    for (const std::size_t i : table->kept().OrderOf(series))
      score[i] = table.Take(records[begin + i], begin + i);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(plain.Take(records[begin + i], begin + i), score[i]);
    ASSERT_EQ(plain->kept().latest().evicted_count(), table->kept().latest().evicted_count());
    // Who gives way next is the same as well.
    std::vector<graph::NodeId> kept, kept_by_plain;
    for (const auto& [one, followed] : table->kept().latest().entries()) kept.push_back(one);
    for (const auto& [one, followed] : plain->kept().latest().entries())
      kept_by_plain.push_back(one);
    ASSERT_EQ(kept, kept_by_plain);
  }
}

TEST(SeriesTable, TakesBatchesSeriesBySeriesWithTheSameOutcome) {
  ExpectTheSame(MakeRecords(3000, 12), /*most_series=*/12);
}

TEST(SeriesTable, TakesBatchesWithTheSameOutcomeWhereSeriesGiveWay) {
  ExpectTheSame(MakeRecords(3000, 12), /*most_series=*/5);
}

TEST(SeriesTable, GoesOnWithSeriesThatGaveWayAsIfTheyHadStayed) {
  const std::vector<Record> records = MakeRecords(3000, 12);
  Table all(12), few(3);
  for (std::size_t i = 0; i < records.size(); ++i)
    ASSERT_EQ(all.Take(records[i], i), few.Take(records[i], i)) << i;
  EXPECT_GT(few->kept().latest().evicted_count(), 500);
  EXPECT_EQ(few->kept().size(), 3);
  EXPECT_EQ(few->kept().stored_count(), 9);
  for (graph::NodeId series = 0; series < 12; ++series) {
    const auto count = [](const SeriesTable& table, graph::NodeId of) {
      std::int64_t records_of = -1;
      EXPECT_TRUE(table.kept()
                      .Look(of,
                            [&records_of](const SeriesTable::Followed& followed) {
                              records_of = followed.model->record_count();
                              return absl::OkStatus();
                            })
                      .value_or(absl::NotFoundError("unknown"))
                      .ok());
      return records_of;
    };
    EXPECT_EQ(count(*all, series), count(*few, series));
  }
  EXPECT_FALSE(few->kept().Look(12, [](const auto&) { return absl::OkStatus(); }).has_value());
}

TEST(SeriesTable, GoesOnAfterSaveAndLoadWithWhatIsOutsideOfIt) {
  const std::vector<Record> records = MakeRecords(2000, 12);
  Table table(3);
  SeriesTable restored({}, {.most = 3, .cold = &table.cold()});
  for (std::size_t i = 0; i < 1000; ++i) table.Take(records[i], i);
  graph::BytesSink sink;
  ASSERT_TRUE(graph::SaveState("table", *table, sink).ok());
  const std::string bytes = sink.Take();
  graph::BytesSource source(bytes);
  ASSERT_TRUE(graph::LoadState("table", restored, source).ok());
  EXPECT_EQ(restored.kept().stored_count(), table->kept().stored_count());
  // Both take from the same store, so one after the other.
  std::vector<double> scores;
  for (graph::NodeId series = 0; series < 12; ++series)
    for (SeriesTable* const one : {&*table, &restored})
      one->kept()
          .Look(series,
                [&scores](const SeriesTable::Followed& followed) {
                  scores.push_back(followed.value);
                  return absl::OkStatus();
                })
          .value_or(absl::OkStatus())
          .IgnoreError();
  ASSERT_EQ(scores.size(), 24u);
  for (std::size_t i = 0; i < scores.size(); i += 2) EXPECT_EQ(scores[i], scores[i + 1]);
}

TEST(SeriesTable, ForgetsTheSeriesThatGaveWayFirstIfThereAreTooMany) {
  Table table(2, /*most_stored=*/3);
  for (graph::NodeId series = 0; series < 9; ++series) table.Take({series, 1.0}, series);
  EXPECT_EQ(table->kept().stored_count(), 3);
  EXPECT_EQ(table->kept().forgotten_count(), 4);
  EXPECT_FALSE(table.cold().Get("3/3").ok());
  EXPECT_TRUE(table.cold().Get("4/4").ok());
  table->Reset(4, false, {.offset = 20});
  EXPECT_FALSE(table.cold().Get("4/4").ok());
}

// One damaged series is no reason to stop all others.
TEST(SeriesTable, BeginsASeriesAnewIfWhatIsStoredOfItIsGoneOrDamaged) {
  Table table(1);
  for (graph::NodeId series = 1; series <= 3; ++series) table.Take({series, 1.0}, series);
  table.cold().Forget("1/0", {});
  table.cold().Put("2/1", "no state");
  for (graph::NodeId series = 1; series <= 2; ++series) {
    const auto looked = table->kept().Look(series, [](const auto&) { return absl::OkStatus(); });
    ASSERT_TRUE(looked.has_value());
    EXPECT_TRUE(absl::IsDataLoss(*looked)) << *looked;
    table.Take({series, 1.0}, 3 + series);
    EXPECT_EQ(table->kept().lost_count(), static_cast<std::int64_t>(series));
    EXPECT_EQ(table->kept().latest().entries().front().second.model->record_count(), 1);
  }
  table.Take({3, 1.0}, 6);
  EXPECT_EQ(table->kept().latest().entries().front().second.model->record_count(), 2);
  EXPECT_EQ(table->kept().lost_count(), 2);
}

TEST(SeriesTable, OrdersRecordsBySeriesThatComesLast) {
  const SeriesTable table({}, {.most = 3});
  const std::vector<graph::NodeId> series = {7, 8, 7, 9, 8};
  EXPECT_EQ(table.kept().OrderOf(series), (std::vector<std::size_t>{0, 2, 3, 1, 4}));
  const std::vector<graph::NodeId> too_many = {7, 8, 9, 6, 7};
  EXPECT_EQ(table.kept().OrderOf(too_many), (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace weft::operators::sequence
