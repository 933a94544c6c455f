#include "storage/data_directory.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/test_directory.h"

namespace weft::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

void Write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

TEST(DataDirectoryTest, IsMadeWithItsParents) {
  const TestDirectory place;
  const std::string path = place.path() + "/a/b";
  ASSERT_TRUE(DataDirectory::Open({.path = path}).ok());
  EXPECT_TRUE(fs::exists(path + "/FORMAT"));
  EXPECT_TRUE(DataDirectory::Open({.path = path}).ok());
}

TEST(DataDirectoryTest, IsNotMadeWhereItShouldBeThere) {
  const TestDirectory place;
  const DataDirectory::Options options{.path = place.path() + "/a", .create_if_missing = false};
  EXPECT_EQ(DataDirectory::Open(options).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(options.path));
  ASSERT_TRUE(DataDirectory::Open({.path = options.path}).ok());
  EXPECT_TRUE(DataDirectory::Open(options).ok());
}

TEST(DataDirectoryTest, IsRefusedWhileInUse) {
  const TestDirectory place;
  const auto first = DataDirectory::Open({.path = place.path()});
  ASSERT_TRUE(first.ok());
  const auto second = DataDirectory::Open({.path = place.path()});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(second.status()),
              HasSubstr("in use by process " + std::to_string(::getpid())));
}

TEST(DataDirectoryTest, IsRefusedWhileAnotherProcessHasIt) {
  const TestDirectory place;
  int ready[2];
  int finish[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(finish), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = DataDirectory::Open({.path = place.path()});
    char byte = held.ok() ? 'y' : 'n';
    // Then waits until it is killed.
    if (::write(ready[1], &byte, 1) != 1 || ::read(finish[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto refused = DataDirectory::Open({.path = place.path()});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(refused.status()), HasSubstr("process " + std::to_string(child)));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(DataDirectory::Open({.path = place.path()}).ok());
}

TEST(DataDirectoryTest, RefusesWhatItCannotUse) {
  const TestDirectory place;
  fs::create_directories(place.path());
  EXPECT_EQ(DataDirectory::Open({.path = ""}).status().code(), absl::StatusCode::kInvalidArgument);
  Write(place.path() + "/file", "x");
  EXPECT_FALSE(DataDirectory::Open({.path = place.path() + "/file/below"}).ok());
  const auto foreign = DataDirectory::Open({.path = place.path()});
  EXPECT_EQ(foreign.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(foreign.status()), HasSubstr("found other files"));
}

TEST(DataDirectoryTest, RefusesANewerFormat) {
  const TestDirectory place;
  ASSERT_TRUE(DataDirectory::Open({.path = place.path()}).ok());
  Write(place.path() + "/FORMAT", "weft data directory, format 4\n");
  const auto newer = DataDirectory::Open({.path = place.path()});
  EXPECT_EQ(newer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(newer.status()), HasSubstr("has format 4, this program reads up to 3"));
  Write(place.path() + "/FORMAT", "what is this");
  EXPECT_EQ(DataDirectory::Open({.path = place.path()}).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(DataDirectoryTest, IsRefusedWhereNothingMayBeWritten) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TestDirectory place;
  fs::create_directories(place.path());
  fs::permissions(place.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(DataDirectory::Open({.path = place.path()}).status().code(),
            absl::StatusCode::kPermissionDenied);
  fs::permissions(place.path(), fs::perms::owner_all);
}

TEST(DataDirectoryTest, IsRefusedWithoutRoomToOpenIt) {
  const TestDirectory place;
  std::uint64_t free_bytes = 1000;
  const DataDirectory::Options options{.path = place.path(),
                                       .free_bytes = [&] { return free_bytes; }};
  const absl::Status status = DataDirectory::Open(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(status), HasSubstr("the disk is full: 1000 bytes free"));
  free_bytes = std::uint64_t{1} << 30;
  EXPECT_TRUE(DataDirectory::Open(options).ok());
}

TEST(DataDirectoryTest, NumbersFeedsOnce) {
  const TestDirectory place;
  {
    const auto directory = DataDirectory::Open({.path = place.path()});
    ASSERT_TRUE(directory.ok());
    EXPECT_EQ(*(*directory)->dictionary().FeedNumber("events"), 1u);
    EXPECT_EQ(*(*directory)->dictionary().FeedNumber("clicks"), 2u);
    EXPECT_EQ(*(*directory)->dictionary().FeedNumber("events"), 1u);
    EXPECT_FALSE((*directory)->dictionary().FeedNumber("").ok());
  }
  const auto directory = DataDirectory::Open({.path = place.path()});
  ASSERT_TRUE(directory.ok());
  EXPECT_EQ(*(*directory)->dictionary().FeedNumber("clicks"), 2u);
  EXPECT_EQ(*(*directory)->dictionary().FeedNumber("more"), 3u);
  EXPECT_THAT((*directory)->dictionary().Feeds(), ElementsAre("events", "clicks", "more"));
}

std::vector<fs::path> DataFiles(const std::string& path, std::string_view extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path + "/db")) {
    if (entry.path().extension() == extension && entry.file_size() > 0) {
      files.push_back(entry.path());
    }
  }
  return files;
}

// Everything that a server does at start. Any status will do, as long as it is one.
absl::Status ReadEverything(const std::string& path) {
  auto directory = DataDirectory::Open({.path = path});
  if (!directory.ok()) return directory.status();
  if (auto status = (*directory)->dictionary().ReadNodes([](auto, auto) {}); !status.ok()) {
    return status;
  }
  if (auto producers = (*directory)->log().Producers(1); !producers.ok()) {
    return producers.status();
  }
  std::uint64_t entries = 0;
  auto status = (*directory)->log().Read({0, 1, 0}, [&](const graph::LogRecord& record) {
    EXPECT_EQ(record, MakeRecord(1, entries, 5));
    entries += record.entry_count();
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  EXPECT_EQ(entries, 100u) << "an acknowledged record was lost without a word";
  return absl::OkStatus();
}

// Flips one bit of a file that holds the log, at many places: it is found, or it did not matter,
// but what was acknowledged never goes missing silently.
void FlipBits(std::string_view extension, bool flushed) {
  const TestDirectory place;
  const std::string pristine = place.path() + "/pristine";
  {
    auto directory = DataDirectory::Open({.path = pristine});
    ASSERT_TRUE(directory.ok()) << directory.status();
    for (std::uint64_t i = 0; i < 20; ++i) {
      graph::LogAppend append = MakeAppend(MakeRecord(1, i * 5, 5));
      append.new_nodes = {{static_cast<graph::NodeId>(i), "node " + std::to_string(i)}};
      ASSERT_TRUE((*directory)->log().Append(std::vector{append}).ok());
    }
    if (!flushed) fs::copy(pristine, place.path() + "/copy", fs::copy_options::recursive);
  }
  // Copied before the close, the records are only in the write-ahead log; after it, in sorted
  // files.
  const std::string whole = flushed ? pristine : place.path() + "/copy";
  ASSERT_TRUE(ReadEverything(pristine).ok());
  std::mt19937 random(42);
  int found = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const std::string damaged = place.path() + "/damaged";
    fs::remove_all(damaged);
    fs::copy(whole, damaged, fs::copy_options::recursive);
    const std::vector<fs::path> files = DataFiles(damaged, extension);
    ASSERT_FALSE(files.empty());
    const fs::path& file = files[random() % files.size()];
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto place_in_file = static_cast<std::streamoff>(random() % fs::file_size(file));
    stream.seekg(place_in_file);
    char byte = 0;
    stream.get(byte);
    stream.seekp(place_in_file);
    stream.put(static_cast<char>(byte ^ (1 << (random() % 8))));
    stream.close();
    const absl::Status status = ReadEverything(damaged);
    if (!status.ok()) ++found;
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
  }
  EXPECT_GT(found, 10);
}

TEST(DataDirectoryTest, DamageOfTheWriteAheadLogIsFound) { FlipBits(".log", false); }

TEST(DataDirectoryTest, DamageOfSortedFilesIsFound) { FlipBits(".sst", true); }

}  // namespace
}  // namespace weft::storage
