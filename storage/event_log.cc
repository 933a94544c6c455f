#include "storage/event_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "graph/log_record.h"
#include "storage/bytes.h"
#include "storage/keys.h"

namespace weft::storage {
namespace {

using graph::LogAppend;
using graph::LogPosition;
using graph::LogRecord;
using graph::ProducerState;

constexpr std::uint8_t kProducerVersion = 1;

std::string Describe(LogPosition position) {
  return absl::StrCat("feed ", position.feed, " offset ", position.offset);
}

std::string EncodeProducer(const ProducerState& state) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.Value(kProducerVersion);
  writer.Value(state.next_seq);
  writer.Value(state.epoch);
  writer.Value(state.digest);
  writer.Text(state.owner);
  writer.Text(state.name);
  AppendChecksum(bytes);
  return bytes;
}

absl::StatusOr<ProducerState> DecodeProducer(const FeedKey& key, std::string_view bytes) {
  const auto body = StripChecksum(bytes);
  if (!body) {
    return absl::DataLossError(
        absl::StrCat("feed ", key.feed, " producer ", key.number, ": the checksum does not fit"));
  }
  ByteReader reader(*body);
  const auto version = reader.Value<std::uint8_t>();
  if (version != kProducerVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("producer record of version ", version, ", this program reads 1"));
  }
  ProducerState state;
  state.feed = key.feed;
  state.producer = key.number;
  state.next_seq = reader.Value<std::uint64_t>();
  state.epoch = reader.Value<std::uint64_t>();
  state.digest = reader.Value<std::uint64_t>();
  state.owner = reader.Text();
  state.name = reader.Text();
  if (!reader.finished()) return absl::DataLossError("producer record of the wrong length");
  return state;
}

// The record at the iterator, whose key must be one of the feed.
absl::StatusOr<LogRecord> DecodeAt(const rocksdb::Iterator& iterator, std::uint32_t feed) {
  const auto key = FeedKey::Decode(ToView(iterator.key()));
  if (!key || key->feed != feed) return absl::DataLossError("log key of the wrong length");
  const LogPosition position{kPartition, feed, key->number};
  absl::StatusOr<LogRecord> record = graph::DecodeLogRecord(position, ToView(iterator.value()));
  if (record.ok()) return record;
  return absl::Status(record.status().code(),
                      absl::StrCat(Describe(position), ": ", record.status().message()));
}

bool AtFeed(const rocksdb::Iterator& iterator, std::uint32_t feed) {
  return iterator.Valid() && iterator.key().starts_with(FeedPrefix(feed));
}

// Nodes are numbered without holes, so the last key says how many there are.
absl::StatusOr<std::uint64_t> CountNodes(const Database& database) {
  const auto iterator = database.Iterate(Family::kNodes);
  iterator->SeekToLast();
  WEFT_TRY(ToStatus(iterator->status(), "nodes"));
  if (!iterator->Valid()) return 0;
  const auto node = DecodeNodeKey(ToView(iterator->key()));
  if (!node) return absl::DataLossError("node key of the wrong length");
  return std::uint64_t{*node} + 1;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksEventLog>> RocksEventLog::Open(Database* database,
                                                                   const DiskSpace* space) {
  auto log = std::unique_ptr<RocksEventLog>(new RocksEventLog(database, space));
  WEFT_TRY(log->LoadEnds());
  WEFT_ASSIGN(log->next_node_, CountNodes(*database));
  return log;
}

absl::Status RocksEventLog::LoadEnds() {
  const auto iterator = database_->Iterate(Family::kEnds);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    ByteReader key(ToView(iterator->key()));
    ByteReader value(ToView(iterator->value()));
    LogPosition end;
    end.partition = key.KeyPart<std::uint16_t>();
    end.feed = key.KeyPart<std::uint32_t>();
    end.offset = value.Value<std::uint64_t>();
    if (!key.finished() || !value.finished()) {
      return absl::DataLossError("end of a feed's log: entry of the wrong length");
    }
    WEFT_TRY(CheckEnd(end));
    ends_[end.feed] = end;
  }
  return ToStatus(iterator->status(), "ends");
}

// A log that lost its last records would otherwise give their positions out a second time.
absl::Status RocksEventLog::CheckEnd(LogPosition end) const {
  const auto iterator = database_->Iterate(Family::kLog);
  iterator->SeekForPrev(FeedKey{end.feed, ~std::uint64_t{0}}.Encode());
  WEFT_TRY(ToStatus(iterator->status(), "log"));
  if (!AtFeed(*iterator, end.feed)) return absl::OkStatus();  // all trimmed
  WEFT_ASSIGN(const LogRecord last, DecodeAt(*iterator, end.feed));
  if (last.position.offset + last.entry_count() != end.offset) {
    return absl::DataLossError(absl::StrCat("the log ends at ",
                                            last.position.offset + last.entry_count(),
                                            ", expected ", Describe(end)));
  }
  return absl::OkStatus();
}

absl::Status RocksEventLog::Append(std::span<const LogAppend> appends) {
  WEFT_TRY(broken_);
  WEFT_TRY(space_->Check());
  std::map<std::uint32_t, LogPosition> ends;
  std::uint64_t next_node = next_node_;
  rocksdb::WriteBatch batch;
  for (const LogAppend& append : appends) {
    const LogPosition position = append.position;
    auto [end, fresh] = ends.try_emplace(position.feed, LogPosition{});
    if (fresh) end->second = End(position.feed);
    if (position != end->second) {
      return absl::FailedPreconditionError(absl::StrCat(
          "append at ", Describe(position), ", the log ends at ", Describe(end->second)));
    }
    end->second.offset += append.entry_count;
    batch.Put(database_->handle(Family::kLog), FeedKey{position.feed, position.offset}.Encode(),
              append.bytes);
    if (append.producer) {
      batch.Put(database_->handle(Family::kProducers),
                FeedKey{position.feed, append.producer->producer}.Encode(),
                EncodeProducer(*append.producer));
    }
    for (const graph::NewNode& node : append.new_nodes) {
      if (node.id != next_node) {
        return absl::FailedPreconditionError(
            absl::StrCat("new node ", node.id, ", the next is ", next_node));
      }
      ++next_node;
      batch.Put(database_->handle(Family::kNodes), EncodeNodeKey(node.id), EncodeNode(node.key));
    }
  }
  for (const auto& [feed, end] : ends) {
    std::string value;
    ByteWriter(value).Value(end.offset);
    batch.Put(database_->handle(Family::kEnds), FeedPrefix(feed), value);
  }
  absl::Status written = database_->Write(batch, Durability::kSynced);
  if (absl::IsResourceExhausted(written)) return written;
  if (!written.ok()) {
    // Whether the bytes reached the disk is unknown; only a reopen can tell.
    broken_ = absl::FailedPreconditionError(
        absl::StrCat("the log takes no more writes after: ", written.message()));
    return written;
  }
  next_node_ = next_node;
  const std::scoped_lock lock(mutex_);
  for (const auto& [feed, end] : ends) ends_[feed] = end;
  return absl::OkStatus();
}

absl::Status RocksEventLog::Read(LogPosition from,
                                 const std::function<absl::Status(const LogRecord&)>& visit) const {
  const LogPosition end = End(from.feed);
  if (from.offset == end.offset) return absl::OkStatus();
  if (from.offset > end.offset) {
    return absl::OutOfRangeError(
        absl::StrCat(Describe(from), " is past the end of the log, offset ", end.offset));
  }
  const auto iterator = database_->Iterate(Family::kLog);
  iterator->SeekForPrev(FeedKey{from.feed, from.offset}.Encode());
  if (!AtFeed(*iterator, from.feed)) {
    WEFT_TRY(ToStatus(iterator->status(), "log"));
    WEFT_ASSIGN(const LogPosition begin, Begin(from.feed));
    return absl::OutOfRangeError(
        absl::StrCat(Describe(from), " is no longer kept, the log begins at ", begin.offset));
  }
  bool first = true;
  std::uint64_t offset = from.offset;
  for (; offset < end.offset && AtFeed(*iterator, from.feed); iterator->Next()) {
    WEFT_ASSIGN(const LogRecord record, DecodeAt(*iterator, from.feed));
    const std::uint64_t after = record.position.offset + record.entry_count();
    const bool fits = first ? after > from.offset : record.position.offset == offset;
    if (!fits) break;
    first = false;
    offset = after;
    WEFT_TRY(visit(record));
  }
  WEFT_TRY(ToStatus(iterator->status(), "log"));
  if (offset < end.offset) {
    return absl::DataLossError(
        absl::StrCat("the log has a hole at ", Describe({kPartition, from.feed, offset})));
  }
  return absl::OkStatus();
}

LogPosition RocksEventLog::End(std::uint32_t feed) const {
  const std::scoped_lock lock(mutex_);
  const auto found = ends_.find(feed);
  return found == ends_.end() ? LogPosition{kPartition, feed, 0} : found->second;
}

absl::StatusOr<std::vector<ProducerState>> RocksEventLog::Producers(std::uint32_t feed) const {
  std::vector<ProducerState> producers;
  const auto iterator = database_->Iterate(Family::kProducers);
  for (iterator->Seek(FeedPrefix(feed)); AtFeed(*iterator, feed); iterator->Next()) {
    const auto key = FeedKey::Decode(ToView(iterator->key()));
    if (!key) return absl::DataLossError("producer key of the wrong length");
    WEFT_ASSIGN(ProducerState state, DecodeProducer(*key, ToView(iterator->value())));
    producers.push_back(std::move(state));
  }
  WEFT_TRY(ToStatus(iterator->status(), "producers"));
  return producers;
}

absl::StatusOr<LogPosition> RocksEventLog::Begin(std::uint32_t feed) const {
  const LogPosition end = End(feed);
  const auto iterator = database_->Iterate(Family::kLog);
  iterator->Seek(FeedPrefix(feed));
  WEFT_TRY(ToStatus(iterator->status(), "log"));
  if (!AtFeed(*iterator, feed)) return end;
  const auto key = FeedKey::Decode(ToView(iterator->key()));
  if (!key) return absl::DataLossError("log key of the wrong length");
  return LogPosition{kPartition, feed, key->number};
}

absl::Status RocksEventLog::Trim(LogPosition first_kept) {
  const auto iterator = database_->Iterate(Family::kLog);
  iterator->SeekForPrev(FeedKey{first_kept.feed, first_kept.offset}.Encode());
  WEFT_TRY(ToStatus(iterator->status(), "log"));
  if (!AtFeed(*iterator, first_kept.feed)) return absl::OkStatus();
  // The record that holds the entry stays whole, so deletion stops at its key.
  rocksdb::WriteBatch batch;
  batch.DeleteRange(database_->handle(Family::kLog), FeedPrefix(first_kept.feed), iterator->key());
  return database_->Write(batch, Durability::kSynced);
}

}  // namespace weft::storage
