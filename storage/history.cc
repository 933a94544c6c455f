#include "storage/history.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/check.h"
#include "storage/database.h"
#include "storage/disk_space.h"
#include "storage/event_log.h"
#include "storage/history_block.h"

namespace weft::storage {
namespace {

using graph::LogPosition;
using graph::LogRecord;
using graph::NodeId;
using graph::TimeUs;

// Events of one piece, 34 MB while they are sorted by node. The more there are, the less often a
// block that grows is written anew.
constexpr std::size_t kPieceEvents = 524'288;
// Of the blocks of a piece that are written together.
constexpr std::size_t kBatchBytes = std::size_t{16} << 20;
// Blocks that one sweep looks at.
constexpr int kSweepBlocks = 16'384;

struct TakenEntry {
  NodeId node;
  HistoryEntry entry;
};

// Both sides of the record's events at offsets of [begin, end).
void AddEntries(const LogRecord& record, std::uint64_t begin, std::uint64_t end,
                std::vector<TakenEntry>& entries) {
  const graph::EventBatch& events = record.events;
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    const std::uint64_t offset = record.position.offset + i;
    if (offset < begin || offset >= end) continue;
    const TimeUs time_us = events.time_us[i];
    entries.push_back({events.source[i], {time_us, events.target[i], true, offset}});
    if (events.source[i] == events.target[i]) continue;
    entries.push_back({events.target[i], {time_us, events.source[i], false, offset}});
  }
}

// Reads records from `from` on until `visit` says that it has enough.
template <class Visit>
absl::Status ReadUntil(const RocksEventLog& log, LogPosition from, const Visit& visit) {
  bool enough = false;
  const absl::Status status = log.Read(from, [&](const LogRecord& record) {
    enough = !visit(record);
    return enough ? absl::CancelledError("enough") : absl::OkStatus();
  });
  return enough ? absl::OkStatus() : status;
}

// Says for most nodes that are not among some that they are not.
class NodeSieve {
 public:
  explicit NodeSieve(std::span<const NodeId> nodes) : bits_(kBits) {
    for (const NodeId node : nodes) bits_[node % kBits] = true;
  }
  bool MayHold(NodeId node) const { return bits_[node % kBits]; }

 private:
  static constexpr std::size_t kBits = std::size_t{1} << 16;
  std::vector<bool> bits_;
};

// Takes in an entry older than all that it has, as long as there is room.
void PutEarlier(const History::Query& query, const HistoryEntry& entry, History::Past& past) {
  if (past.more || entry.time_us >= query.before_us || entry.offset >= query.before_offset) return;
  if (static_cast<std::int64_t>(past.entries.size()) < query.limit) {
    past.entries.push_back(entry);
  } else {
    past.more = true;
  }
}

}  // namespace

History::History(Database* database, const DiskSpace* space, const RocksEventLog* log,
                 const HistoryRetention& retention)
    : database_(database), space_(space), log_(log), retention_(retention) {}

std::uint64_t History::kept_blocks() const {
  if (retention_.events_per_node == 0) return ~std::uint64_t{0};
  return (retention_.events_per_node - 1) / HistoryBlock::kEntriesMax + 1;
}

TimeUs History::OldestKept(const HistoryMark& mark) const {
  const bool all = retention_.max_age_us == 0 ||
                   mark.watermark_us < graph::kBeforeAllTime + retention_.max_age_us;
  return all ? graph::kBeforeAllTime : mark.watermark_us - retention_.max_age_us;
}

absl::StatusOr<std::optional<HistoryMark>> History::ReadMark(std::uint32_t feed) const {
  const absl::StatusOr<std::string> bytes = database_->Get(Family::kHistory, FeedPrefix(feed));
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  WEFT_TRY(bytes.status());
  return DecodeHistoryMark(feed, *bytes);
}

// One that begins and ends where the log begins if there is none, or none that the log goes on
// from.
absl::StatusOr<HistoryMark> History::CurrentMark(std::uint32_t feed) const {
  WEFT_ASSIGN(const std::optional<HistoryMark> found, ReadMark(feed));
  WEFT_ASSIGN(const LogPosition begin, log_->Begin(feed));
  if (found && found->end >= begin.offset) return *found;
  HistoryMark mark;
  mark.begin = mark.end = begin.offset;
  return mark;
}

absl::StatusOr<std::optional<HistoryBlock>> History::ReadBlock(std::uint32_t feed, NodeId node,
                                                               std::uint64_t number) const {
  const HistoryKey key{feed, node, number};
  const absl::StatusOr<std::string> bytes = database_->Get(Family::kHistory, key.Encode());
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  WEFT_TRY(bytes.status());
  return DecodeHistoryBlock(key, *bytes);
}

// ------------------------------------------------------------------------------------------------
// writing

absl::Status History::TakeIn(LogPosition end) {
  WEFT_TRY(BeginAnew(end.feed));
  while (true) {
    WEFT_ASSIGN(const HistoryMark mark, CurrentMark(end.feed));
    if (mark.end >= end.offset) break;
    WEFT_TRY(TakePiece(end.feed, end.offset, mark));
  }
  return Sweep(end.feed);
}

absl::Status History::BeginAnew(std::uint32_t feed) {
  WEFT_ASSIGN(const std::optional<HistoryMark> mark, ReadMark(feed));
  WEFT_ASSIGN(const LogPosition begin, log_->Begin(feed));
  if (mark && mark->end >= begin.offset) return absl::OkStatus();
  rocksdb::WriteBatch batch;
  batch.DeleteRange(database_->handle(Family::kHistory), FeedPrefix(feed), FeedPrefix(feed + 1));
  WEFT_TRY(database_->Write(batch, Durability::kUnlogged));
  return database_->Flush(Family::kHistory);
}

absl::StatusOr<std::uint64_t> History::NeededFrom(std::uint32_t feed) const {
  WEFT_ASSIGN(const HistoryMark mark, CurrentMark(feed));
  return mark.end;
}

// Blocks bypass the write-ahead log, so that the fsyncs of ingest do not wait for them, and are in
// files before the mark counts them. After a crash in between they are ahead of the mark: readers
// leave out what the mark does not count, and what is taken again is left out here.
absl::Status History::TakePiece(std::uint32_t feed, std::uint64_t end, HistoryMark mark) {
  const std::uint64_t begin = mark.end;
  std::vector<TakenEntry> taken;
  WEFT_TRY(ReadUntil(*log_, {kPartition, feed, begin}, [&](const LogRecord& record) {
    AddEntries(record, begin, end, taken);
    mark.end = std::min(end, record.position.offset + record.entry_count());
    mark.watermark_us = record.watermark_us;
    for (const TimeUs time_us : record.events.time_us)
      mark.first_us = std::min(mark.first_us, time_us);
    return mark.end < end && taken.size() < 2 * kPieceEvents;
  }));
  std::sort(taken.begin(), taken.end(), [](const TakenEntry& a, const TakenEntry& b) {
    return a.node != b.node ? a.node < b.node : a.entry.offset < b.entry.offset;
  });
  const std::uint64_t reopen_count = database_->reopen_count();
  rocksdb::WriteBatch batch;
  for (std::size_t at = 0; at < taken.size();) {
    const NodeId node = taken[at].node;
    WEFT_ASSIGN(std::optional<HistoryBlock> open, ReadBlock(feed, node, kOpenBlock));
    HistoryBlock block = open ? *std::move(open) : HistoryBlock{};
    for (; at < taken.size() && taken[at].node == node; ++at)
      Grow({feed, node}, taken[at].entry, block, batch);
    PutBlock({feed, node}, block, batch);
    if (batch.GetDataSize() < kBatchBytes && at < taken.size()) continue;
    WEFT_TRY(space_->Check(batch.GetDataSize()));
    WEFT_TRY(database_->Write(batch, Durability::kUnlogged));
    batch.Clear();
  }
  WEFT_TRY(database_->Flush(Family::kHistory));
  if (database_->reopen_count() != reopen_count) {
    return absl::ResourceExhaustedError("the disk was full while history was written");
  }
  batch.Put(database_->handle(Family::kHistory), FeedPrefix(feed), EncodeHistoryMark(mark));
  return database_->Write(batch, Durability::kSynced);
}

// Adds an entry to the block that grows; a full one gets its number before.
void History::Grow(HistoryKey key, const HistoryEntry& entry, HistoryBlock& block,
                   rocksdb::WriteBatch& batch) const {
  if (!block.entries.empty() && entry.offset <= block.entries.back().offset) return;
  if (block.entries.size() == HistoryBlock::kEntriesMax) {
    key.number = block.number;
    PutBlock(key, block, batch);
    if (block.number >= kept_blocks()) {
      key.number = block.number - kept_blocks();
      batch.Delete(database_->handle(Family::kHistory), key.Encode());
    }
    block.entries.clear();
    ++block.number;
  }
  block.entries.push_back(entry);
}

void History::PutBlock(const HistoryKey& key, const HistoryBlock& block,
                       rocksdb::WriteBatch& batch) const {
  batch.Put(database_->handle(Family::kHistory), key.Encode(), EncodeHistoryBlock(block));
}

// Goes backwards, so that a node's growing block, which says how many it had, comes before the full
// ones. What Grow forgets by number is looked at again, for a retention that was lowered.
absl::Status History::Sweep(std::uint32_t feed) {
  if (retention_.max_age_us == 0 && retention_.events_per_node == 0) return absl::OkStatus();
  WEFT_ASSIGN(const std::optional<HistoryMark> mark, ReadMark(feed));
  if (!mark) return absl::OkStatus();
  const TimeUs oldest_us = OldestKept(*mark);
  auto* const handle = database_->handle(Family::kHistory);
  const auto iterator = database_->Iterate(Family::kHistory);
  std::string& from = sweep_from_[feed];
  iterator->SeekForPrev(from.empty() ? HistoryKey{.feed = feed}.Encode() : from);
  rocksdb::WriteBatch batch;
  HistoryKey newest;  // of the node at hand
  std::uint64_t block_count = 0;
  from.clear();
  for (int looked = 0; iterator->Valid(); iterator->Prev(), ++looked) {
    const auto key = HistoryKey::Decode(ToView(iterator->key()));
    if (!key || key->feed != feed) break;  // the mark is first
    if (looked == kSweepBlocks) {
      from = iterator->key().ToString();
      break;
    }
    WEFT_ASSIGN(const HistoryBlock block, DecodeHistoryBlock(*key, ToView(iterator->value())));
    if (newest.node != key->node) {
      newest = *key;
      WEFT_ASSIGN(const std::optional<HistoryBlock> grown, ReadBlock(feed, key->node, kOpenBlock));
      block_count = grown ? grown->number : key->number + 1;
    }
    const bool is_open = key->number == kOpenBlock;
    const bool too_many = !is_open && kept_blocks() < block_count - key->number;
    const bool too_old = std::all_of(block.entries.begin(), block.entries.end(),
                                     [&](const HistoryEntry& e) { return e.time_us < oldest_us; });
    // A node that starts again at block 0 must not find former ones.
    if (is_open && too_old) {
      batch.DeleteRange(handle, HistoryKey{feed, key->node, 0}.Encode(), iterator->key());
      batch.Delete(handle, iterator->key());
    } else if (!is_open && (too_many || too_old)) {
      batch.Delete(handle, iterator->key());
    }
  }
  WEFT_TRY(ToStatus(iterator->status(), "history"));
  if (batch.Count() == 0) return absl::OkStatus();
  return database_->Write(batch, Durability::kUnlogged);
}

// ------------------------------------------------------------------------------------------------
// reading

absl::StatusOr<HistoryExtent> History::Extent(std::uint32_t feed) const {
  WEFT_ASSIGN(HistoryMark mark, CurrentMark(feed));
  if (mark.first_us == graph::kAfterAllTime) {
    WEFT_TRY(ReadUntil(*log_, {kPartition, feed, mark.end}, [&](const LogRecord& record) {
      for (const TimeUs time_us : record.events.time_us)
        mark.first_us = std::min(mark.first_us, time_us);
      return record.events.size() == 0;
    }));
  }
  HistoryExtent extent{mark.begin, mark.end, mark.first_us, std::nullopt};
  if (mark.begin > 0) extent.complete_from_us = mark.first_us;
  if (const TimeUs oldest_us = OldestKept(mark); oldest_us > mark.first_us)
    extent.complete_from_us = oldest_us;
  return extent;
}

absl::Status History::ReadBlocks(const Query& query, const HistoryMark& mark, NodeId node,
                                 Past& past) const {
  std::uint64_t number = kOpenBlock;
  TimeUs earliest_us = graph::kAfterAllTime;  // of what was looked at
  while (!past.more) {
    WEFT_ASSIGN(const std::optional<HistoryBlock> block, ReadBlock(query.feed, node, number));
    if (!block) {
      if (number != kOpenBlock) past.kept_from_us = earliest_us;
      return absl::OkStatus();
    }
    for (auto entry = block->entries.rbegin(); entry != block->entries.rend(); ++entry) {
      earliest_us = std::min(earliest_us, entry->time_us);
      // What came in since the mark was read is read from the log.
      if (entry->offset < mark.end) PutEarlier(query, *entry, past);
    }
    if (block->number == 0) return absl::OkStatus();
    number = block->number - 1;
  }
  return absl::OkStatus();
}

absl::Status History::ReadTail(const Query& query, std::uint64_t begin,
                               std::vector<Past>& pasts) const {
  const std::uint64_t end = log_->End(query.feed).offset;
  if (end - begin > kTailEventsMax) {
    return absl::UnavailableError(
        absl::StrCat("the history is still being written: it has the log "
                     "up to ",
                     begin, " of ", end));
  }
  const NodeSieve sieve(query.nodes);
  std::unordered_map<NodeId, std::size_t> place;
  for (std::size_t i = 0; i < query.nodes.size(); ++i) place.emplace(query.nodes[i], i);
  std::vector<std::vector<HistoryEntry>> found(query.nodes.size());
  const auto add = [&](NodeId node, const HistoryEntry& entry) {
    if (!sieve.MayHold(node)) return;
    const auto at = place.find(node);
    if (at != place.end()) found[at->second].push_back(entry);
  };
  WEFT_TRY(ReadUntil(*log_, {kPartition, query.feed, begin}, [&](const LogRecord& record) {
    const graph::EventBatch& events = record.events;
    for (std::size_t i = 0; i < events.source.size(); ++i) {
      const std::uint64_t offset = record.position.offset + i;
      if (offset < begin) continue;
      add(events.source[i], {events.time_us[i], events.target[i], true, offset});
      if (events.source[i] != events.target[i])
        add(events.target[i], {events.time_us[i], events.source[i], false, offset});
    }
    // What comes later is of no earlier time.
    return record.watermark_us < query.before_us &&
           record.position.offset + record.entry_count() < query.before_offset;
  }));
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (auto entry = found[i].rbegin(); entry != found[i].rend(); ++entry)
      PutEarlier(query, *entry, pasts[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<History::Past>> History::Latest(const Query& query) const {
  WEFT_ASSIGN(const HistoryMark mark, CurrentMark(query.feed));
  std::vector<Past> pasts(query.nodes.size());
  const bool tail_is_later =
      query.before_us <= mark.watermark_us || query.before_offset <= mark.end;
  if (!tail_is_later) WEFT_TRY(ReadTail(query, mark.end, pasts));
  const bool has_blocks = mark.begin < mark.end;
  for (std::size_t i = 0; has_blocks && i < query.nodes.size(); ++i) {
    if (query.nodes[i] == graph::kNoNode) continue;
    WEFT_TRY(ReadBlocks(query, mark, query.nodes[i], pasts[i]));
  }
  return pasts;
}

}  // namespace weft::storage
