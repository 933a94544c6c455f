#include "operators/link/lru_index.h"

#include <algorithm>
#include <bit>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

// The finalizer of MurmurHash3: every bit of the key moves every bit of the bucket.
std::uint64_t Mix(std::uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccdULL;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53ULL;
  return key ^ (key >> 33);
}

}  // namespace

LruIndex::LruIndex(std::int64_t capacity)
    : buckets_(std::bit_ceil(2 * static_cast<std::size_t>(capacity)), kNone),
      keys_(static_cast<std::size_t>(capacity)),
      newer_(static_cast<std::size_t>(capacity), kNone),
      older_(static_cast<std::size_t>(capacity), kNone) {
  WEFT_CHECK(capacity >= 1 && capacity < (std::int64_t{1} << 31));
}

std::size_t LruIndex::Bucket(std::uint64_t key) const { return Mix(key) & (buckets_.size() - 1); }

std::size_t LruIndex::FindBucket(std::uint64_t key) const {
  std::size_t bucket = Bucket(key);
  while (buckets_[bucket] != kNone && keys_[buckets_[bucket]] != key) {
    bucket = (bucket + 1) & (buckets_.size() - 1);
  }
  return bucket;
}

std::uint32_t LruIndex::Find(std::uint64_t key) const { return buckets_[FindBucket(key)]; }

LruIndex::Touched LruIndex::Touch(std::uint64_t key) {
  std::size_t bucket = FindBucket(key);
  Touched touched{.slot = buckets_[bucket], .inserted = false};
  if (touched.slot != kNone) {
    if (touched.slot != newest_) {
      Unlink(touched.slot);
      LinkNewest(touched.slot);
    }
    return touched;
  }
  touched.inserted = true;
  if (size_ < keys_.size()) {
    touched.slot = size_++;
  } else {
    touched.slot = oldest_;
    Unlink(touched.slot);
    RemoveBucket(FindBucket(keys_[touched.slot]));
    ++evicted_count_;
    bucket = FindBucket(key);
  }
  buckets_[bucket] = touched.slot;
  keys_[touched.slot] = key;
  LinkNewest(touched.slot);
  return touched;
}

// Moves later entries of the probe sequence up, so that no search stops too early.
void LruIndex::RemoveBucket(std::size_t bucket) {
  const std::size_t mask = buckets_.size() - 1;
  std::size_t hole = bucket;
  std::size_t next = (hole + 1) & mask;
  while (buckets_[next] != kNone) {
    const std::size_t home = Bucket(keys_[buckets_[next]]);
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      buckets_[hole] = buckets_[next];
      hole = next;
    }
    next = (next + 1) & mask;
  }
  buckets_[hole] = kNone;
}

void LruIndex::Unlink(std::uint32_t slot) {
  const std::uint32_t newer = newer_[slot];
  const std::uint32_t older = older_[slot];
  (newer == kNone ? newest_ : older_[newer]) = older;
  (older == kNone ? oldest_ : newer_[older]) = newer;
}

void LruIndex::LinkNewest(std::uint32_t slot) {
  newer_[slot] = kNone;
  older_[slot] = newest_;
  (newest_ == kNone ? oldest_ : newer_[newest_]) = slot;
  newest_ = slot;
}

void LruIndex::Clear() {
  std::fill(buckets_.begin(), buckets_.end(), kNone);
  size_ = 0;
  newest_ = oldest_ = kNone;
  evicted_count_ = 0;
}

absl::Status LruIndex::Save(std::string_view section, graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteValue(section, capacity(), sink));
  WEFT_TRY(WriteValue(section, evicted_count_, sink));
  WEFT_TRY(WriteValue(section, newest_, sink));
  WEFT_TRY(WriteArray(section, std::span(keys_.data(), size_), sink));
  return WriteArray(section, std::span(older_.data(), size_), sink);
}

absl::Status LruIndex::Load(std::string_view section, graph::CheckpointSource& source) {
  const auto broken = [section] {
    return absl::DataLossError(graph::Concat("section ", section, " is not of an index like this"));
  };
  std::int64_t saved_capacity = 0;
  std::int64_t evicted_count = 0;
  std::uint32_t newest = kNone;
  std::vector<std::uint64_t> keys;
  std::vector<std::uint32_t> older;
  WEFT_TRY(ReadValue(section, saved_capacity, source));
  if (saved_capacity != capacity()) return broken();
  WEFT_TRY(ReadValue(section, evicted_count, source));
  WEFT_TRY(ReadValue(section, newest, source));
  WEFT_TRY(ReadArray(section, keys_.size(), keys, source));
  WEFT_TRY(ReadArray(section, keys_.size(), older, source));
  if (older.size() != keys.size()) return broken();
  // Slots from the newest to the oldest, each once.
  std::vector<std::uint32_t> order;
  for (std::uint32_t slot = newest; slot != kNone; slot = older[slot]) {
    if (slot >= keys.size() || order.size() == keys.size()) return broken();
    order.push_back(slot);
  }
  if (order.size() != keys.size()) return broken();
  Clear();
  size_ = static_cast<std::uint32_t>(keys.size());
  std::copy(keys.begin(), keys.end(), keys_.begin());
  for (auto slot = order.rbegin(); slot != order.rend(); ++slot) {
    const std::size_t bucket = FindBucket(keys_[*slot]);
    if (buckets_[bucket] != kNone) return broken();
    buckets_[bucket] = *slot;
    LinkNewest(*slot);
  }
  evicted_count_ = evicted_count;
  return absl::OkStatus();
}

}  // namespace weft::operators::link
