#include "storage/cold_store.h"

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

absl::Status RocksColdStore::Sweep(const std::vector<graph::LogPosition>& applied) {
  const std::lock_guard lock(mutex_);
  // What still waits is not on the disk to be deleted there.
  WEFT_TRY(FlushLocked());
  auto* const handle = database_->handle(Family::kCold);
  rocksdb::WriteBatch batch;
  std::vector<std::string> gone;
  for (const auto& [name, from] : forgotten_)
    for (const graph::LogPosition& have : applied) {
      if (have.partition != from.partition || have.feed != from.feed || have.offset < from.offset)
        continue;
      batch.Delete(handle, ColdKey(kBytes, name));
      batch.Delete(handle, ColdKey(kForgotten, name));
      gone.push_back(name);
      break;
    }
  if (gone.empty()) return absl::OkStatus();
  WEFT_TRY(database_->Write(batch, Durability::kUnlogged));
  for (const std::string& name : gone) forgotten_.erase(name);
  return absl::OkStatus();
}

}  // namespace weft::storage
