#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "graph/check.h"
#include "graph/state.h"
#include "storage/data_directory.h"
#include "storage/test_directory.h"

namespace weft::storage {
namespace {

using graph::LogAppend;
using graph::LogPosition;
using graph::LogRecord;
using ::testing::HasSubstr;

std::unique_ptr<DataDirectory> OpenOrDie(DataDirectory::Options options) {
  auto directory = DataDirectory::Open(std::move(options));
  EXPECT_TRUE(directory.ok()) << directory.status();
  return *std::move(directory);
}

std::vector<LogRecord> ReadAll(const graph::EventLog& log, LogPosition from) {
  std::vector<LogRecord> records;
  const absl::Status status = log.Read(from, [&](const LogRecord& record) {
    records.push_back(record);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return records;
}

absl::Status ReadStatus(const graph::EventLog& log, LogPosition from) {
  return log.Read(from, [](const LogRecord&) { return absl::OkStatus(); });
}

TEST(EventLogTest, IsEmptyAtFirst) {
  const TestDirectory place;
  const auto directory = OpenOrDie({.path = place.path()});
  EXPECT_EQ(directory->log().End(1), (LogPosition{0, 1, 0}));
  EXPECT_TRUE(ReadAll(directory->log(), {0, 1, 0}).empty());
  EXPECT_TRUE(directory->log().Producers(1)->empty());
}

TEST(EventLogTest, GivesBackWhatWasAppendedAfterAReopen) {
  const TestDirectory place;
  const std::vector<LogRecord> written = {MakeRecord(1, 0, 3), MakeRecord(1, 3, 2),
                                          MakeRecord(2, 0, 1)};
  {
    const auto directory = OpenOrDie({.path = place.path()});
    const std::vector<LogAppend> group = {MakeAppend(written[0]), MakeAppend(written[1]),
                                          MakeAppend(written[2])};
    ASSERT_TRUE(directory->log().Append(group).ok());
  }
  const auto directory = OpenOrDie({.path = place.path()});
  EXPECT_EQ(directory->log().End(1).offset, 5u);
  EXPECT_EQ(directory->log().End(2).offset, 1u);
  EXPECT_EQ(ReadAll(directory->log(), {0, 1, 0}), (std::vector{written[0], written[1]}));
  EXPECT_EQ(ReadAll(directory->log(), {0, 2, 0}), (std::vector{written[2]}));
  const auto producers = directory->log().Producers(1);
  ASSERT_TRUE(producers.ok());
  ASSERT_EQ(producers->size(), 1u);
  const graph::ProducerState& producer = producers->front();
  EXPECT_EQ(producer.producer, 7u);
  EXPECT_EQ(producer.next_seq, 5u);
  EXPECT_EQ(producer.epoch, 3u);
  EXPECT_EQ(producer.digest, 99u);
  EXPECT_EQ(producer.owner, "token");
  EXPECT_EQ(producer.name, "producer seven");
}

TEST(EventLogTest, ReadsFromTheRecordThatHoldsTheOffset) {
  const TestDirectory place;
  const auto directory = OpenOrDie({.path = place.path()});
  const std::vector<LogRecord> written = {MakeRecord(1, 0, 3), MakeRecord(1, 3, 2)};
  ASSERT_TRUE(
      directory->log().Append(std::vector{MakeAppend(written[0]), MakeAppend(written[1])}).ok());
  EXPECT_EQ(ReadAll(directory->log(), {0, 1, 2}), written);
  EXPECT_EQ(ReadAll(directory->log(), {0, 1, 3}), (std::vector{written[1]}));
  EXPECT_EQ(ReadAll(directory->log(), {0, 1, 4}), (std::vector{written[1]}));
  EXPECT_TRUE(ReadAll(directory->log(), {0, 1, 5}).empty());
  EXPECT_EQ(ReadStatus(directory->log(), {0, 1, 6}).code(), absl::StatusCode::kOutOfRange);
}

TEST(EventLogTest, AnErrorOfTheVisitorEndsTheReading) {
  const TestDirectory place;
  const auto directory = OpenOrDie({.path = place.path()});
  ASSERT_TRUE(
      directory->log()
          .Append(std::vector{MakeAppend(MakeRecord(1, 0, 1)), MakeAppend(MakeRecord(1, 1, 1))})
          .ok());
  int visited = 0;
  const absl::Status status = directory->log().Read({0, 1, 0}, [&](const LogRecord&) {
    ++visited;
    return absl::CancelledError("enough");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(visited, 1);
}

TEST(EventLogTest, RefusesPositionsWithAHole) {
  const TestDirectory place;
  const auto directory = OpenOrDie({.path = place.path()});
  ASSERT_TRUE(directory->log().Append(std::vector{MakeAppend(MakeRecord(1, 0, 3))}).ok());
  for (const std::uint64_t offset : {0u, 2u, 4u}) {
    const absl::Status status =
        directory->log().Append(std::vector{MakeAppend(MakeRecord(1, offset, 1))});
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  }
  // A group is refused whole.
  EXPECT_FALSE(
      directory->log()
          .Append(std::vector{MakeAppend(MakeRecord(1, 3, 1)), MakeAppend(MakeRecord(1, 9, 1))})
          .ok());
  EXPECT_EQ(directory->log().End(1).offset, 3u);
  EXPECT_TRUE(directory->log().Append(std::vector{MakeAppend(MakeRecord(1, 3, 1))}).ok());
}

TEST(EventLogTest, KeepsNodesWithTheRecordThatBringsThem) {
  const TestDirectory place;
  {
    const auto directory = OpenOrDie({.path = place.path()});
    LogAppend append = MakeAppend(MakeRecord(1, 0, 1));
    append.new_nodes = {{0, "anna"}, {1, std::string("b\0b", 3)}};
    ASSERT_TRUE(directory->log().Append(std::vector{append}).ok());
    LogAppend hole = MakeAppend(MakeRecord(1, 1, 1));
    hole.new_nodes = {{3, "dora"}};
    EXPECT_EQ(directory->log().Append(std::vector{hole}).code(),
              absl::StatusCode::kFailedPrecondition);
  }
  const auto directory = OpenOrDie({.path = place.path()});
  std::vector<std::string> keys;
  ASSERT_TRUE(directory->dictionary()
                  .ReadNodes([&](graph::NodeId node, std::string_view key) {
                    EXPECT_EQ(node, keys.size());
                    keys.emplace_back(key);
                  })
                  .ok());
  EXPECT_EQ(keys, (std::vector<std::string>{"anna", std::string("b\0b", 3)}));
  EXPECT_EQ(*directory->dictionary().Key(0), "anna");
  EXPECT_EQ(directory->dictionary().Key(2).status().code(), absl::StatusCode::kNotFound);
  LogAppend next = MakeAppend(MakeRecord(1, 1, 1));
  next.new_nodes = {{2, "carl"}};
  EXPECT_TRUE(directory->log().Append(std::vector{next}).ok());
}

TEST(EventLogTest, TrimsWholeRecords) {
  const TestDirectory place;
  {
    const auto directory = OpenOrDie({.path = place.path()});
    ASSERT_TRUE(
        directory->log()
            .Append(std::vector{MakeAppend(MakeRecord(1, 0, 3)), MakeAppend(MakeRecord(1, 3, 2)),
                                MakeAppend(MakeRecord(1, 5, 2))})
            .ok());
    ASSERT_TRUE(directory->TrimLog({0, 1, 4}).ok());
  }
  const auto directory = OpenOrDie({.path = place.path()});
  EXPECT_EQ(directory->LogBegin(1)->offset, 3u);
  EXPECT_EQ(directory->log().End(1).offset, 7u);
  EXPECT_EQ(ReadAll(directory->log(), {0, 1, 3}).size(), 2u);
  const absl::Status status = ReadStatus(directory->log(), {0, 1, 0});
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), HasSubstr("begins at 3"));
  ASSERT_TRUE(directory->TrimLog({0, 1, 7}).ok());
  EXPECT_EQ(directory->LogBegin(1)->offset, 5u);
}

// A file system that while it is told to has room for half of what is written and then no space.
class FullFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FullFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, const std::atomic<bool>* full)
      : FSWritableFileOwnerWrapper(std::move(file)), full_(full) {}
  using FSWritableFileOwnerWrapper::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* context) override {
    if (*full_) {
      const rocksdb::Slice half(data.data(), data.size() / 2);
      const rocksdb::IOStatus written = FSWritableFileOwnerWrapper::Append(half, options, context);
      return written.ok() ? rocksdb::IOStatus::NoSpace("test") : written;
    }
    return FSWritableFileOwnerWrapper::Append(data, options, context);
  }

 private:
  const std::atomic<bool>* const full_;
};

class FullFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  FullFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FullFileSystem"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, context);
    if (status.ok()) *file = std::make_unique<FullFile>(std::move(*file), &full);
    return status;
  }
  std::atomic<bool> full = false;
};

TEST(EventLogTest, SurvivesAFullDisk) {
  const TestDirectory place;
  const auto file_system = std::make_shared<FullFileSystem>();
  const auto environment = rocksdb::NewCompositeEnv(file_system);
  {
    const auto directory = OpenOrDie(
        {.path = place.path(),
         .min_free_bytes = 1,
         .environment = environment.get(),
         .free_bytes = [&] { return file_system->full ? std::uint64_t{1} : ~std::uint64_t{0}; }});
    ASSERT_TRUE(directory->log().Append(std::vector{MakeAppend(MakeRecord(1, 0, 2))}).ok());
    file_system->full = true;
    for (int i = 0; i < 3; ++i) {
      const absl::Status status =
          directory->log().Append(std::vector{MakeAppend(MakeRecord(1, 2, 2))});
      EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
    }
    EXPECT_EQ(directory->log().End(1).offset, 2u);
    EXPECT_EQ(ReadAll(directory->log(), {0, 1, 0}).size(), 1u);
    file_system->full = false;
    const absl::Status status =
        directory->log().Append(std::vector{MakeAppend(MakeRecord(1, 2, 5))});
    EXPECT_TRUE(status.ok()) << status;
  }
  const auto directory = OpenOrDie({.path = place.path()});
  EXPECT_EQ(ReadAll(directory->log(), {0, 1, 0}),
            (std::vector{MakeRecord(1, 0, 2), MakeRecord(1, 2, 5)}));
}

// Sometimes with nothing in memory, which RocksDB itself does not survive.
TEST(EventLogTest, SurvivesDisksThatAreFullAgainAndAgain) {
  const TestDirectory place;
  const auto file_system = std::make_shared<FullFileSystem>();
  const auto environment = rocksdb::NewCompositeEnv(file_system);
  std::vector<LogRecord> written;
  {
    const auto directory = OpenOrDie({.path = place.path(), .environment = environment.get()});
    for (std::uint64_t round = 0; round < 6; ++round) {
      const LogRecord record = MakeRecord(1, 2 * round, 2);
      file_system->full = true;
      for (std::uint64_t i = 0; i <= round % 3; ++i)
        EXPECT_TRUE(
            absl::IsResourceExhausted(directory->log().Append(std::vector{MakeAppend(record)})));
      file_system->full = false;
      const absl::Status status = directory->log().Append(std::vector{MakeAppend(record)});
      ASSERT_TRUE(status.ok()) << status;
      written.push_back(record);
      // What a killed process leaves behind.
      const TestDirectory killed;
      std::filesystem::copy(place.path(), killed.path(), std::filesystem::copy_options::recursive);
      EXPECT_EQ(ReadAll(OpenOrDie({.path = killed.path()})->log(), {0, 1, 0}), written);
    }
  }
  const auto directory = OpenOrDie({.path = place.path()});
  EXPECT_EQ(ReadAll(directory->log(), {0, 1, 0}), written);
}

absl::Status CutCheckpoint(DataDirectory& directory) {
  WEFT_ASSIGN(const auto writer, directory.checkpoints().Begin());
  const std::string state(1 << 20, 'x');
  WEFT_TRY(writer->Operator("nat").Write("state", std::as_bytes(std::span(state))));
  return writer->Commit({});
}

TEST(EventLogTest, LetsCheckpointsSurviveAFullDisk) {
  const TestDirectory place;
  const auto file_system = std::make_shared<FullFileSystem>();
  const auto environment = rocksdb::NewCompositeEnv(file_system);
  const auto directory = OpenOrDie({.path = place.path(), .environment = environment.get()});
  file_system->full = true;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(absl::IsResourceExhausted(CutCheckpoint(*directory)));
  file_system->full = false;
  // Nothing is appended that would make the database writable again.
  const absl::Status status = CutCheckpoint(*directory);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(directory->checkpoints().List()->size(), 1u);
}

// The database is opened anew, which forgets the pages that were not flushed.
TEST(EventLogTest, RefusesACheckpointThatSpansAFullDisk) {
  const TestDirectory place;
  const auto file_system = std::make_shared<FullFileSystem>();
  const auto environment = rocksdb::NewCompositeEnv(file_system);
  const auto directory = OpenOrDie({.path = place.path(), .environment = environment.get()});
  const std::vector appends{MakeAppend(MakeRecord(1, 0, 2))};
  {
    const auto writer = directory->checkpoints().Begin();
    ASSERT_TRUE(writer.ok());
    const std::string state(3 << 20, 'x');
    ASSERT_TRUE((*writer)->Operator("nat").Write("state", std::as_bytes(std::span(state))).ok());
    file_system->full = true;
    EXPECT_TRUE(absl::IsResourceExhausted(directory->log().Append(appends)));
    file_system->full = false;
    EXPECT_TRUE(directory->log().Append(appends).ok());
    EXPECT_TRUE(absl::IsResourceExhausted((*writer)->Commit({})));
  }
  EXPECT_EQ(directory->checkpoints().List()->size(), 0u);
  EXPECT_TRUE(CutCheckpoint(*directory).ok());
}

TEST(EventLogTest, StaysOpenForAReaderAfterAFullDisk) {
  const TestDirectory place;
  const auto file_system = std::make_shared<FullFileSystem>();
  const auto environment = rocksdb::NewCompositeEnv(file_system);
  const auto directory = OpenOrDie({.path = place.path(), .environment = environment.get()});
  graph::EventLog& log = directory->log();
  ASSERT_TRUE(log.Append(std::vector{MakeAppend(MakeRecord(1, 0, 2))}).ok());
  const std::vector appends{MakeAppend(MakeRecord(1, 2, 2))};
  const absl::Status read = log.Read({0, 1, 0}, [&](const LogRecord&) {
    file_system->full = true;
    EXPECT_TRUE(absl::IsResourceExhausted(log.Append(appends)));
    file_system->full = false;
    EXPECT_TRUE(absl::IsResourceExhausted(log.Append(appends)));
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_TRUE(log.Append(appends).ok());
}

TEST(EventLogTest, KeepsTheFreeBytesThatItWasTold) {
  const TestDirectory place;
  constexpr std::uint64_t kReserve = std::uint64_t{1} << 30;
  std::uint64_t free_bytes = kReserve - 1;
  const auto directory = OpenOrDie(
      {.path = place.path(), .min_free_bytes = kReserve, .free_bytes = [&] { return free_bytes; }});
  const absl::Status status = directory->log().Append(std::vector{MakeAppend(MakeRecord(1, 0, 2))});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  free_bytes = kReserve;
  EXPECT_TRUE(directory->log().Append(std::vector{MakeAppend(MakeRecord(1, 0, 2))}).ok());
}

TEST(EventLogThreadsTest, ReadsBesideAppendsSeeWholeRecords) {
  const TestDirectory place;
  const auto directory = OpenOrDie({.path = place.path()});
  constexpr int kRecords = 60;
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      const std::uint64_t end = directory->log().End(1).offset;
      std::uint64_t entries = 0;
      for (const LogRecord& record : ReadAll(directory->log(), {0, 1, 0})) {
        EXPECT_EQ(record, MakeRecord(1, entries, 3));
        entries += record.entry_count();
      }
      EXPECT_GE(entries, end);
    }
  });
  for (int i = 0; i < kRecords; ++i) {
    ASSERT_TRUE(directory->log()
                    .Append(std::vector{MakeAppend(MakeRecord(1, std::uint64_t(i) * 3, 3))})
                    .ok());
  }
  stop = true;
  reader.join();
  EXPECT_EQ(directory->log().End(1).offset, kRecords * 3u);
}

}  // namespace
}  // namespace weft::storage
