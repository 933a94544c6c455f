#include "storage/checkpoint_store.h"

#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/state.h"
#include "storage/data_directory.h"
#include "storage/test_directory.h"

namespace weft::storage {
namespace {

using graph::CheckpointManifest;
using graph::CheckpointStore;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

CheckpointManifest MakeManifest(std::uint64_t offset) {
  CheckpointManifest manifest;
  manifest.spec_digest = "digest";
  manifest.applied = {{0, 1, offset}, {0, 2, 4}};
  manifest.operators = {{"scorer", "nat", 3, 10, 77}};
  manifest.state_hash = 1234;
  return manifest;
}

std::string Pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  return bytes;
}

absl::Status WriteOne(CheckpointStore& store, std::uint64_t offset, std::string_view state) {
  auto writer = store.Begin();
  if (!writer.ok()) return writer.status();
  auto status = (*writer)->Operator("scorer").Write("state", Bytes(state));
  if (!status.ok()) return status;
  return (*writer)->Commit(MakeManifest(offset));
}

absl::StatusOr<std::string> ReadState(const CheckpointStore& store, std::uint64_t id,
                                      std::size_t size) {
  auto reader = store.Open(id);
  if (!reader.ok()) return reader.status();
  auto source = (*reader)->Operator("scorer");
  if (!source.ok()) return source.status();
  std::string state(size, '\0');
  auto status = (*source)->Read("state", std::as_writable_bytes(std::span(state)));
  if (!status.ok()) return status;
  return state;
}

class CheckpointStoreTest : public ::testing::Test {
 protected:
  void Reopen() {
    directory_.reset();
    auto directory = DataDirectory::Open({.path = place_.path()});
    ASSERT_TRUE(directory.ok()) << directory.status();
    directory_ = *std::move(directory);
  }
  void SetUp() override { Reopen(); }
  CheckpointStore& store() { return directory_->checkpoints(); }

  TestDirectory place_;
  std::unique_ptr<DataDirectory> directory_;
};

TEST_F(CheckpointStoreTest, GivesStatesBackAfterAReopen) {
  const std::string big = Pattern(RocksCheckpointStore::kPageBytes * 2 + 12345);
  {
    auto writer = store().Begin();
    ASSERT_TRUE(writer.ok());
    graph::CheckpointSink& first = (*writer)->Operator("first");
    graph::CheckpointSink& second = (*writer)->Operator("second");
    ASSERT_TRUE(first.Write("rows", Bytes(big.substr(0, 1000))).ok());
    ASSERT_TRUE(second.Write("weights", Bytes("abc")).ok());
    ASSERT_TRUE(first.Write("rows", Bytes(big.substr(1000))).ok());
    ASSERT_TRUE(first.Write("empty", {}).ok());
    ASSERT_TRUE(first.Write("tail", Bytes("xyz")).ok());
    ASSERT_TRUE((*writer)->Commit(MakeManifest(10)).ok());
  }
  Reopen();
  const auto list = store().List();
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().applied, MakeManifest(10).applied);
  EXPECT_EQ(list->front().spec_digest, "digest");
  EXPECT_EQ(list->front().state_hash, 1234u);
  ASSERT_EQ(list->front().operators.size(), 1u);
  EXPECT_EQ(list->front().operators[0].operator_name, "nat");

  const auto reader = store().Open(list->front().id);
  ASSERT_TRUE(reader.ok());
  graph::CheckpointSource& first = **(*reader)->Operator("first");
  graph::CheckpointSource& second = **(*reader)->Operator("second");
  EXPECT_EQ(first.Remaining("rows"), big.size());
  std::string bytes(big.size(), '\0');
  const std::size_t half = big.size() / 2;
  const auto target = std::as_writable_bytes(std::span(bytes));
  ASSERT_TRUE(first.Read("rows", target.subspan(0, half)).ok());
  EXPECT_EQ(first.Remaining("rows"), big.size() - half);
  EXPECT_FALSE(first.Read("tail", target.subspan(0, 1)).ok());
  ASSERT_TRUE(first.Read("rows", target.subspan(half)).ok());
  EXPECT_EQ(bytes, big);
  EXPECT_TRUE(first.Read("empty", {}).ok());
  std::string tail(3, '\0');
  ASSERT_TRUE(first.Read("tail", std::as_writable_bytes(std::span(tail))).ok());
  EXPECT_EQ(tail, "xyz");
  EXPECT_EQ(second.Remaining("none"), 0u);
  EXPECT_EQ(second.Read("weights", target.subspan(0, 4)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ((*reader)->Operator("third").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CheckpointStoreTest, LeavesNoTraceWithoutCommit) {
  {
    auto writer = store().Begin();
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Operator("scorer").Write("state", Bytes(Pattern(3 << 20))).ok());
    EXPECT_EQ(store().Begin().status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_TRUE(store().List()->empty());
  EXPECT_TRUE(store().Begin().ok());
  EXPECT_EQ(store().Open(1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(CheckpointStoreTest, KeepsTwo) {
  for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(WriteOne(store(), i, "state").ok());
  const auto list = store().List();
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].applied[0].offset, 5u);
  EXPECT_EQ((*list)[1].applied[0].offset, 4u);
  EXPECT_GT((*list)[0].id, (*list)[1].id);
  Reopen();
  EXPECT_EQ(store().List()->size(), 2u);
  ASSERT_TRUE(WriteOne(store(), 6, "state").ok());
  EXPECT_EQ((*store().List())[0].applied[0].offset, 6u);
}

TEST_F(CheckpointStoreTest, DamageIsFoundAndTheOlderOneStays) {
  directory_.reset();
  const TestDirectory raw_place;
  const DiskSpace space(0, [] { return ~std::uint64_t{0}; });
  auto database = Database::Open(raw_place.path(), nullptr, &space);
  ASSERT_TRUE(database.ok());
  auto cold = RocksColdStore::Open(database->get());
  ASSERT_TRUE(cold.ok());
  auto store = RocksCheckpointStore::Open(database->get(), &space, cold->get());
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE(WriteOne(**store, 1, "older").ok());
  ASSERT_TRUE(WriteOne(**store, 2, "newer").ok());
  const auto list = (*store)->List();
  const std::uint64_t newer = (*list)[0].id;
  const std::string page_key = PageKey(newer, 0, 0);
  const std::string page = *(*database)->Get(Family::kCheckpoints, page_key);
  for (std::size_t i = 0; i < page.size(); ++i) {
    std::string damaged = page;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    rocksdb::WriteBatch batch;
    batch.Put((*database)->handle(Family::kCheckpoints), page_key, damaged);
    ASSERT_TRUE((*database)->Write(batch, Durability::kSynced).ok());
    EXPECT_TRUE(absl::IsDataLoss((*store)->Verify(newer)));
    EXPECT_TRUE(absl::IsDataLoss(ReadState(**store, newer, 5).status()));
  }
  EXPECT_EQ(*ReadState(**store, (*list)[1].id, 5), "older");

  // A page of another checkpoint does not pass for this one's.
  rocksdb::WriteBatch swap;
  swap.Put((*database)->handle(Family::kCheckpoints), page_key,
           *(*database)->Get(Family::kCheckpoints, PageKey((*list)[1].id, 0, 0)));
  ASSERT_TRUE((*database)->Write(swap, Durability::kSynced).ok());
  EXPECT_TRUE(absl::IsDataLoss((*store)->Verify(newer)));

  rocksdb::WriteBatch missing;
  missing.Delete((*database)->handle(Family::kCheckpoints), page_key);
  ASSERT_TRUE((*database)->Write(missing, Durability::kSynced).ok());
  EXPECT_TRUE(absl::IsDataLoss((*store)->Verify(newer)));

  rocksdb::WriteBatch manifest;
  manifest.Put((*database)->handle(Family::kCheckpoints), ManifestKey(newer), "nonsense");
  ASSERT_TRUE((*database)->Write(manifest, Durability::kSynced).ok());
  ASSERT_EQ((*store)->List()->size(), 1u);
  EXPECT_EQ((*store)->List()->front().applied[0].offset, 1u);
  EXPECT_TRUE(absl::IsDataLoss((*store)->Open(newer).status()));
}

TEST_F(CheckpointStoreTest, LeavesTheReserveOfTheDiskAlone) {
  directory_.reset();
  constexpr std::uint64_t kReserve = std::uint64_t{1} << 30;
  std::uint64_t free_bytes = kReserve - 1;
  auto directory =
      DataDirectory::Open({.path = place_.path(), .min_free_bytes = kReserve, .free_bytes = [&] {
                             return free_bytes;
                           }});
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_TRUE(absl::IsResourceExhausted(WriteOne((*directory)->checkpoints(), 1, "state")));
  // Enough to begin with, and not for the pages.
  free_bytes = kReserve;
  EXPECT_TRUE(absl::IsResourceExhausted(WriteOne((*directory)->checkpoints(), 1, "state")));
  EXPECT_EQ((*directory)->checkpoints().List()->size(), 0u);
  free_bytes = kReserve + RocksCheckpointStore::kPageBytes;
  EXPECT_TRUE(WriteOne((*directory)->checkpoints(), 1, "state").ok());
}

TEST_F(CheckpointStoreTest, EveryDamagedManifestIsRefused) {
  StoredManifest stored;
  stored.manifest = MakeManifest(3);
  stored.operators = {{"scorer", 1, 5, 99, {{"state", 5}}}};
  const std::string bytes = EncodeManifest(stored);
  ASSERT_TRUE(DecodeManifest(bytes).ok());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(DecodeManifest(damaged).ok()) << i;
    EXPECT_FALSE(DecodeManifest(bytes.substr(0, i)).ok()) << i;
  }
}

}  // namespace
}  // namespace weft::storage
