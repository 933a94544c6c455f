#include "storage/cold_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/bytes.h"
#include "storage/checkpoint_format.h"
#include "storage/keys.h"

namespace weft::storage {
namespace {

// What a key's entry is.
constexpr char kBytes = 0, kForgotten = 1;

std::string ColdKey(char kind, std::string_view name) {
  std::string key = FeedPrefix(kNoFeed);
  key.push_back(kind);
  key.append(name);
  return key;
}

std::string EncodePlace(graph::LogPosition place) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Value(place.partition);
  writer.Value(place.feed);
  writer.Value(place.offset);
  return bytes;
}

std::optional<graph::LogPosition> DecodePlace(std::string_view bytes) {
  ByteReader reader(bytes);
  graph::LogPosition place;
  place.partition = reader.Value<decltype(place.partition)>();
  place.feed = reader.Value<decltype(place.feed)>();
  place.offset = reader.Value<decltype(place.offset)>();
  if (!reader.finished()) return std::nullopt;
  return place;
}

// What graph::ColdPrefix put before a name; all of one without it.
std::string_view PrefixOf(std::string_view name) {
  return name.substr(0, std::min(name.find(graph::kColdPrefixEnd), name.size() - 1) + 1);
}

// Of each feed, the place that both have.
void KeepEarlier(std::span<const graph::LogPosition> other, std::vector<graph::LogPosition>& kept) {
  for (graph::LogPosition& one : kept)
    for (const graph::LogPosition& also : other)
      if (also.partition == one.partition && also.feed == one.feed)
        one.offset = std::min(one.offset, also.offset);
}

bool Has(std::span<const graph::LogPosition> applied, graph::LogPosition place) {
  return std::ranges::any_of(applied, [&place](const graph::LogPosition& have) {
    return have.partition == place.partition && have.feed == place.feed &&
           have.offset >= place.offset;
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksColdStore>> RocksColdStore::Open(Database* database) {
  auto store = std::unique_ptr<RocksColdStore>(new RocksColdStore(database));
  const std::string prefix = ColdKey(kForgotten, "");
  const auto iterator = database->Iterate(Family::kCold);
  for (iterator->Seek(prefix); iterator->Valid(); iterator->Next()) {
    const std::string_view key = ToView(iterator->key());
    if (!key.starts_with(prefix)) break;
    const auto place = DecodePlace(ToView(iterator->value()));
    if (!place) return absl::DataLossError("cold: expected a position of the log");
    store->forgotten_[std::string(key.substr(prefix.size()))] = *place;
  }
  WEFT_TRY(ToStatus(iterator->status(), "cold"));
  return store;
}

void RocksColdStore::Put(std::string_view name, std::string bytes) {
  const std::lock_guard lock(mutex_);
  std::string key = ColdKey(kBytes, name);
  std::string page = EncodePage(key, bytes);
  waiting_bytes_ += key.size() + page.size();
  waiting_.insert_or_assign(std::move(key), std::move(page));
  // On a full disk it waits for room.
  if (waiting_bytes_ >= kWaitingBytes) FlushLocked().IgnoreError();
}

absl::StatusOr<std::string> RocksColdStore::Get(std::string_view name) const {
  const std::string key = ColdKey(kBytes, name);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = waiting_.find(key); found != waiting_.end())
      return DecodePage(key, found->second);
  }
  absl::StatusOr<std::string> value = database_->Get(Family::kCold, key);
  if (absl::IsNotFound(value.status()))
    return absl::NotFoundError(absl::StrCat("nothing is stored as ", std::string(name)));
  WEFT_TRY(value.status());
  return DecodePage(key, *std::move(value));
}

void RocksColdStore::Forget(std::string_view name, graph::LogPosition from) {
  const std::lock_guard lock(mutex_);
  forgotten_[std::string(name)] = from;
  forgotten_waiting_.emplace_back(name);
}

absl::Status RocksColdStore::Flush() {
  const std::lock_guard lock(mutex_);
  return FlushLocked();
}

absl::Status RocksColdStore::FlushLocked() {
  if (waiting_.empty() && forgotten_waiting_.empty()) return absl::OkStatus();
  const std::uint64_t reopen_count = database_->reopen_count();
  auto* const handle = database_->handle(Family::kCold);
  rocksdb::WriteBatch batch;
  for (const auto& [key, page] : waiting_) batch.Put(handle, key, page);
  for (const std::string& name : forgotten_waiting_)
    if (const auto found = forgotten_.find(name); found != forgotten_.end())
      batch.Put(handle, ColdKey(kForgotten, name), EncodePlace(found->second));
  WEFT_TRY(database_->Write(batch, Durability::kUnlogged));
  WEFT_TRY(database_->Flush(Family::kCold));
  if (database_->reopen_count() != reopen_count)
    return absl::ResourceExhaustedError("the disk was full while cold state was written");
  waiting_.clear();
  waiting_bytes_ = 0;
  forgotten_waiting_.clear();
  return absl::OkStatus();
}

absl::Status RocksColdStore::Sweep(std::span<const graph::CheckpointManifest> kept) {
  const std::lock_guard lock(mutex_);
  // What still waits is not on the disk to be deleted there.
  WEFT_TRY(FlushLocked());
  Needed needed;
  for (const graph::CheckpointManifest& checkpoint : kept)
    for (const auto& node : checkpoint.operators) {
      const auto [at, is_new] = needed.try_emplace(
          graph::ColdPrefix(checkpoint.spec_digest, node.name, node.state_version),
          checkpoint.applied);
      if (!is_new) KeepEarlier(checkpoint.applied, at->second);
    }
  WEFT_TRY(SweepForgotten(needed));
  return SweepOthers(needed);
}

absl::Status RocksColdStore::SweepForgotten(const Needed& needed) {
  auto* const handle = database_->handle(Family::kCold);
  rocksdb::WriteBatch batch;
  std::vector<std::string> gone;
  for (const auto& [name, from] : forgotten_) {
    const auto node = needed.find(PrefixOf(name));
    if (node != needed.end() && !Has(node->second, from)) continue;
    batch.Delete(handle, ColdKey(kBytes, name));
    batch.Delete(handle, ColdKey(kForgotten, name));
    gone.push_back(name);
  }
  if (gone.empty()) return absl::OkStatus();
  WEFT_TRY(database_->Write(batch, Durability::kUnlogged));
  for (const std::string& name : gone) forgotten_.erase(name);
  return absl::OkStatus();
}

absl::Status RocksColdStore::SweepOthers(const Needed& needed) {
  auto* const handle = database_->handle(Family::kCold);
  rocksdb::WriteBatch batch;
  const std::string all = ColdKey(kBytes, "");
  const auto iterator = database_->Iterate(Family::kCold);
  // From one node's names to the next node's.
  for (iterator->Seek(all); iterator->Valid();) {
    const std::string_view key = ToView(iterator->key());
    if (!key.starts_with(all)) break;
    const std::string prefix(PrefixOf(key.substr(all.size())));
    const std::string begin = all + prefix, end = begin + '\xff';
    if (!needed.contains(prefix)) batch.DeleteRange(handle, begin, end);
    iterator->Seek(end);
  }
  WEFT_TRY(ToStatus(iterator->status(), "cold"));
  return batch.Count() == 0 ? absl::OkStatus() : database_->Write(batch, Durability::kUnlogged);
}

}  // namespace weft::storage
