#include "storage/history.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "storage/data_directory.h"
#include "storage/database.h"
#include "storage/disk_space.h"
#include "storage/history_block.h"
#include "storage/test_directory.h"

namespace weft::storage {
namespace {

using graph::LogPosition;
using graph::NodeId;
using graph::TimeUs;
using ::testing::HasSubstr;

constexpr std::uint32_t kFeed = 1;
constexpr std::int64_t kAll = 1 << 30;

// A stream that is nearly in order, between few nodes, of which some meet themselves; every seventh
// record is an idle mark. What every node had of it is kept in a plain map.
class Stream {
 public:
  explicit Stream(int node_count, std::size_t record_events = 20)
      : node_count_(node_count), record_events_(record_events) {}

  void Append(DataDirectory& directory, int record_count) {
    for (int r = 0; r < record_count; ++r) {
      graph::LogRecord record;
      record.position = {0, kFeed, end_};
      record.producer = 7;
      record.first_seq = seq_;
      if (++record_number_ % 7 == 0) {
        record.kind = graph::RecordKind::kIdle;
        record.producer = 0;
      } else {
        AddEvents(record.events);
      }
      record.seq_count = static_cast<std::uint64_t>(record.events.size());
      record.watermark_us = watermark_us_ = std::max(watermark_us_, newest_us_ - kLatenessUs);
      seq_ += record.seq_count;
      end_ += record.entry_count();
      graph::LogAppend append = MakeAppend(record);
      if (record.kind == graph::RecordKind::kIdle) append.producer.reset();
      ASSERT_TRUE(directory.log().Append(std::vector{append}).ok());
    }
  }

  LogPosition end() const { return {0, kFeed, end_}; }
  TimeUs newest_us() const { return newest_us_; }
  std::vector<NodeId> Nodes() const {
    std::vector<NodeId> nodes;
    for (int n = 0; n < node_count_; ++n) nodes.push_back(static_cast<NodeId>(n));
    return nodes;
  }

  std::vector<HistoryEntry> Expected(NodeId node, const History::Query& query) const {
    std::vector<HistoryEntry> entries;
    const auto past = pasts_.find(node);
    if (past == pasts_.end()) return entries;
    for (auto entry = past->second.rbegin(); entry != past->second.rend(); ++entry) {
      if (static_cast<std::int64_t>(entries.size()) == query.limit) break;
      if (entry->time_us < query.before_us && entry->offset < query.before_offset)
        entries.push_back(*entry);
    }
    return entries;
  }

 private:
  static constexpr TimeUs kLatenessUs = 500;

  void AddEvents(graph::EventBatch& events) {
    const std::size_t count = 1 + random_() % record_events_;
    for (std::size_t i = 0; i < count; ++i) {
      newest_us_ += static_cast<TimeUs>(random_() % 100);
      const TimeUs late_us = random_() % 5 == 0 ? static_cast<TimeUs>(random_() % kLatenessUs) : 0;
      const auto source = static_cast<NodeId>(random_() % node_count_);
      const auto target = static_cast<NodeId>(random_() % node_count_);
      const TimeUs time_us = std::max(watermark_us_, newest_us_ - late_us);
      events.source.push_back(source);
      events.target.push_back(target);
      events.time_us.push_back(time_us);
      const std::uint64_t offset = end_ + i;
      pasts_[source].push_back({time_us, target, true, offset});
      if (source != target) pasts_[target].push_back({time_us, source, false, offset});
    }
  }

  const int node_count_;
  const std::size_t record_events_;
  std::mt19937 random_{11};
  std::map<NodeId, std::vector<HistoryEntry>> pasts_;
  std::uint64_t end_ = 0;
  std::uint64_t seq_ = 0;
  int record_number_ = 0;
  TimeUs newest_us_ = 1000;
  TimeUs watermark_us_ = 0;
};

std::unique_ptr<DataDirectory> OpenOrDie(const TestDirectory& place,
                                         const HistoryRetention& retention = {}) {
  auto directory = DataDirectory::Open({.path = place.path(), .history = retention});
  EXPECT_TRUE(directory.ok()) << directory.status();
  return *std::move(directory);
}

void ExpectEverything(DataDirectory& directory, const Stream& stream) {
  const std::vector<NodeId> nodes = stream.Nodes();
  for (const TimeUs before_us : {graph::kAfterAllTime, stream.newest_us() / 2, TimeUs{1}}) {
    for (const std::uint64_t before_offset : {~std::uint64_t{0}, stream.end().offset / 3}) {
      for (const std::int64_t limit : {std::int64_t{3}, std::int64_t{200}, kAll}) {
        const History::Query query{kFeed, nodes, before_us, before_offset, limit};
        const auto pasts = directory.history().Latest(query);
        ASSERT_TRUE(pasts.ok()) << pasts.status();
        for (std::size_t i = 0; i < nodes.size(); ++i) {
          const auto expected = stream.Expected(nodes[i], query);
          ASSERT_TRUE((*pasts)[i].entries == expected)
              << "node " << nodes[i] << " before " << before_us << " limit " << limit;
          History::Query all = query;
          all.limit = kAll;
          EXPECT_EQ((*pasts)[i].more, stream.Expected(nodes[i], all).size() > expected.size());
          EXPECT_FALSE((*pasts)[i].kept_from_us);
        }
      }
    }
  }
}

TEST(HistoryTest, IsWhatAPlainMapHolds) {
  const TestDirectory place;
  const auto directory = OpenOrDie(place);
  Stream stream(9);
  ExpectEverything(*directory, stream);
  stream.Append(*directory, 100);
  ExpectEverything(*directory, stream);  // from the log alone
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  ExpectEverything(*directory, stream);  // from blocks alone
  for (int round = 0; round < 5; ++round) {
    stream.Append(*directory, 40);
    ExpectEverything(*directory, stream);
    ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  }
  stream.Append(*directory, 10);
  ExpectEverything(*directory, stream);
  const auto unknown = directory->history().Latest(
      {.feed = kFeed, .nodes = std::vector{NodeId{99}, graph::kNoNode}, .limit = kAll});
  ASSERT_TRUE(unknown.ok());
  EXPECT_TRUE((*unknown)[0].entries.empty());
  EXPECT_TRUE((*unknown)[1].entries.empty());
}

TEST(HistoryTest, TakesInEachEventOnceHoweverOftenItIsAsked) {
  const TestDirectory place;
  Stream stream(9);
  {
    const auto directory = OpenOrDie(place);
    stream.Append(*directory, 60);
    const LogPosition half = stream.end();
    stream.Append(*directory, 60);
    ASSERT_TRUE(directory->history().TakeIn(half).ok());
    ASSERT_TRUE(directory->history().TakeIn(half).ok());
    ExpectEverything(*directory, stream);
  }
  const auto directory = OpenOrDie(place);
  ExpectEverything(*directory, stream);
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  ExpectEverything(*directory, stream);
}

TEST(HistoryTest, TakesALongLogInPieces) {
  const TestDirectory place;
  Stream stream(200, 60'000);
  const auto directory = OpenOrDie(place);
  stream.Append(*directory, 35);  // some 900,000 events
  ASSERT_GT(stream.end().offset, 600'000u);
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  ExpectEverything(*directory, stream);
}

std::set<std::filesystem::path> FilesUnder(const std::string& path) {
  std::set<std::filesystem::path> files;
  std::error_code gone;  // one that RocksDB deletes meanwhile
  for (std::filesystem::recursive_directory_iterator file(path, gone), end; !gone && file != end;
       file.increment(gone))
    files.insert(file->path());
  return files;
}

// The files as they lie at one moment: again if any came or went meanwhile, as RocksDB deletes what
// it no longer needs in the background.
void CopyAsOfNow(const std::string& from, const std::string& to) {
  while (true) {
    std::filesystem::remove_all(to);
    const std::set<std::filesystem::path> before = FilesUnder(from);
    std::error_code error;
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
    if (!error && FilesUnder(from) == before) return;
  }
}

TEST(HistoryTest, ACrashLosesAPieceOrNothing) {
  const TestDirectory place;
  const TestDirectory copies;
  Stream stream(9);
  const auto directory = OpenOrDie(place);
  std::filesystem::create_directories(copies.path());
  for (int crash = 0; crash < 6; ++crash) {
    stream.Append(*directory, 30);
    // What a crash leaves after the records and before the history's end is the files as they are.
    if (crash % 2 == 0) {
      ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
    }
    const std::string copy = copies.path() + "/" + std::to_string(crash);
    CopyAsOfNow(place.path(), copy);
    auto after = DataDirectory::Open({.path = copy});
    ASSERT_TRUE(after.ok()) << after.status();
    ExpectEverything(**after, stream);
    ASSERT_TRUE((*after)->history().TakeIn(stream.end()).ok());
    ExpectEverything(**after, stream);
  }
}

// Runs `change` on the closed directory's database.
template <class Change>
void ChangeFamily(const TestDirectory& place, const Change& change) {
  const DiskSpace space(0, [] { return ~std::uint64_t{0}; });
  const auto database = Database::Open(place.path() + "/db", nullptr, &space);
  ASSERT_TRUE(database.ok()) << database.status();
  rocksdb::WriteBatch batch;
  change(**database, batch);
  ASSERT_TRUE((*database)->Write(batch, Durability::kSynced).ok());
}

TEST(HistoryTest, BlocksAheadOfTheMarkAreNotTakenTwice) {
  const TestDirectory place;
  Stream stream(9);
  {
    const auto directory = OpenOrDie(place);
    stream.Append(*directory, 60);
    const LogPosition half = stream.end();
    ASSERT_TRUE(directory->history().TakeIn(half).ok());
    stream.Append(*directory, 300);
  }
  std::string mark;
  ChangeFamily(place, [&](const Database& database, rocksdb::WriteBatch&) {
    mark = *database.Get(Family::kHistory, FeedPrefix(kFeed));
  });
  ASSERT_TRUE(OpenOrDie(place)->history().TakeIn(stream.end()).ok());
  ChangeFamily(place, [&](const Database& database, rocksdb::WriteBatch& batch) {
    batch.Put(database.handle(Family::kHistory), FeedPrefix(kFeed), mark);
  });
  const auto directory = OpenOrDie(place);
  EXPECT_LT(directory->history().Extent(kFeed)->end, stream.end().offset);
  ExpectEverything(*directory, stream);
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  ExpectEverything(*directory, stream);
}

TEST(HistoryTest, KeepsTheLatestEventsOfANode) {
  const TestDirectory place;
  Stream stream(3);
  std::size_t had = 0;
  const auto retained = [&](DataDirectory& directory) {
    const std::vector<NodeId> nodes = {0};
    const auto pasts = directory.history().Latest({.feed = kFeed, .nodes = nodes, .limit = kAll});
    EXPECT_TRUE(pasts.ok()) << pasts.status();
    const History::Past& past = pasts->front();
    const auto all = stream.Expected(0, {.limit = kAll});
    had = all.size();
    EXPECT_TRUE(std::equal(past.entries.begin(), past.entries.end(), all.begin()));
    EXPECT_TRUE(past.kept_from_us);
    EXPECT_FALSE(past.more);
    return past.entries.size();
  };
  {
    const auto directory = OpenOrDie(place, {.events_per_node = 300});
    for (int round = 0; round < 4; ++round) {
      stream.Append(*directory, 60);
      ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
    }
    const std::size_t left = retained(*directory);
    EXPECT_GE(left, 300u);
    EXPECT_LE(left, 300u + 2 * HistoryBlock::kEntriesMax);
    EXPECT_GT(had, left);
  }
  // A retention that was lowered takes effect with the next events.
  const auto directory = OpenOrDie(place, {.events_per_node = 1});
  stream.Append(*directory, 1);
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  EXPECT_LE(retained(*directory), 2 * HistoryBlock::kEntriesMax);
}

TEST(HistoryTest, ForgetsWhatIsTooOld) {
  const TestDirectory place;
  Stream stream(9);
  const auto directory = OpenOrDie(place, {.max_age_us = 10'000});
  for (int round = 0; round < 10; ++round) {
    stream.Append(*directory, 50);
    ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  }
  const auto extent = directory->history().Extent(kFeed);
  ASSERT_TRUE(extent.ok());
  ASSERT_TRUE(extent->complete_from_us);
  EXPECT_GT(*extent->complete_from_us, stream.newest_us() - 20'000);
  const std::vector<NodeId> nodes = stream.Nodes();
  const auto pasts = directory->history().Latest({.feed = kFeed, .nodes = nodes, .limit = kAll});
  ASSERT_TRUE(pasts.ok()) << pasts.status();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto all = stream.Expected(nodes[i], {.limit = kAll});
    const auto recent = std::count_if(all.begin(), all.end(), [&](const HistoryEntry& entry) {
      return entry.time_us >= *extent->complete_from_us;
    });
    const auto& left = (*pasts)[i].entries;
    EXPECT_TRUE(std::equal(left.begin(), left.end(), all.begin()));
    EXPECT_GE(left.size(), static_cast<std::size_t>(recent));
    EXPECT_LT(left.size(), all.size());
  }
}

TEST(HistoryTest, BeginsWhereTheLogDoes) {
  const TestDirectory place;
  Stream stream(9);
  const auto directory = OpenOrDie(place);
  stream.Append(*directory, 50);
  const LogPosition middle = stream.end();
  stream.Append(*directory, 50);
  ASSERT_TRUE(directory->TrimLog(middle).ok());
  EXPECT_EQ(directory->history().Extent(kFeed)->begin, middle.offset);
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  EXPECT_EQ(*directory->history().NeededFrom(kFeed), stream.end().offset);
  const std::vector<NodeId> nodes = {4};
  auto pasts = directory->history().Latest({.feed = kFeed, .nodes = nodes, .limit = kAll});
  ASSERT_TRUE(pasts.ok());
  EXPECT_GE(pasts->front().entries.back().offset, middle.offset);
  EXPECT_TRUE(directory->history().Extent(kFeed)->complete_from_us);
  // Where the log lacks what would come next, there is no history with a hole, but a new one.
  stream.Append(*directory, 50);
  const LogPosition later = stream.end();
  stream.Append(*directory, 50);
  ASSERT_TRUE(directory->TrimLog(later).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(directory->history().Extent(kFeed)->begin, later.offset);
    pasts = directory->history().Latest({.feed = kFeed, .nodes = nodes, .limit = kAll});
    ASSERT_TRUE(pasts.ok()) << pasts.status();
    EXPECT_GE(pasts->front().entries.back().offset, later.offset);
    ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  }
}

TEST(HistoryTest, ADamagedBlockIsDataLoss) {
  const TestDirectory place;
  Stream stream(3);
  {
    const auto directory = OpenOrDie(place);
    stream.Append(*directory, 60);
    ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  }
  ChangeFamily(place, [](const Database& database, rocksdb::WriteBatch& batch) {
    const std::string key = HistoryKey{kFeed, 1, 0}.Encode();
    std::string bytes = *database.Get(Family::kHistory, key);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    batch.Put(database.handle(Family::kHistory), key, bytes);
  });
  const auto directory = OpenOrDie(place);
  const auto status = [&](NodeId node) {
    const std::vector<NodeId> nodes = {node};
    return directory->history().Latest({.feed = kFeed, .nodes = nodes, .limit = kAll}).status();
  };
  EXPECT_TRUE(status(0).ok());
  EXPECT_TRUE(absl::IsDataLoss(status(1))) << status(1);
  EXPECT_THAT(std::string(status(1).message()), HasSubstr("history of node 1 in feed 1"));
}

TEST(HistoryTest, IsAddedToADirectoryThatHasNone) {
  const TestDirectory place;
  Stream stream(5);
  {
    const auto directory = OpenOrDie(place);
    stream.Append(*directory, 40);
  }
  {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, place.path() + "/db", &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names)
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* database = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, place.path() + "/db", families, &handles, &database).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      if (handle->GetName() == "history") {
        ASSERT_TRUE(database->DropColumnFamily(handle).ok());
      }
      ASSERT_TRUE(database->DestroyColumnFamilyHandle(handle).ok());
    }
    delete database;
    std::ofstream(place.path() + "/FORMAT") << "weft data directory, format 1\n";
  }
  const auto directory = OpenOrDie(place);
  std::string format;
  std::getline(std::ifstream(place.path() + "/FORMAT"), format);
  EXPECT_EQ(format, "weft data directory, format 3");
  ASSERT_TRUE(directory->history().TakeIn(stream.end()).ok());
  ExpectEverything(*directory, stream);
}

TEST(HistoryTest, BlocksComeBackAsTheyWere) {
  std::mt19937_64 random(3);
  HistoryBlock block{.number = 5, .entries = {}};
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < HistoryBlock::kEntriesMax; ++i) {
    offset += 1 + random() % 1000;
    const auto time_us = static_cast<TimeUs>(random());  // of either sign
    block.entries.push_back({time_us, static_cast<NodeId>(random()), i % 3 == 0, offset});
  }
  const HistoryKey key{kFeed, 7, 5};
  const std::string bytes = EncodeHistoryBlock(block);
  const auto decoded = DecodeHistoryBlock(key, bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->number, 5u);
  EXPECT_TRUE(decoded->entries == block.entries);
  for (std::size_t at = 0; at < bytes.size(); at += 5) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_TRUE(absl::IsDataLoss(DecodeHistoryBlock(key, damaged).status()));
    EXPECT_TRUE(absl::IsDataLoss(DecodeHistoryBlock(key, bytes.substr(0, at)).status()));
  }
  const absl::Status misplaced = DecodeHistoryBlock({kFeed, 7, 6}, bytes).status();
  EXPECT_TRUE(absl::IsDataLoss(misplaced));
  EXPECT_THAT(std::string(misplaced.message()), HasSubstr("history of node 7 in feed 1"));
}

}  // namespace
}  // namespace weft::storage
