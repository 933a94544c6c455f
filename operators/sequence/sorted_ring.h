// SortedRing: the latest values of a stream, also in order of size. These lie in chunks, so that a
// value that comes or goes touches a few lines of memory, however many there are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weft::operators::sequence {

// Values are numbers, not NaN. Thread-compatible.
class SortedRing {
 public:
  explicit SortedRing(std::size_t most) : most_(most) {}

  // The oldest goes if there are as many as may be.
  void Add(float value) {
    if (ring_.size() < most_) {
      ring_.push_back(value);
    } else {
      Erase(std::exchange(ring_[next_], value));
      next_ = (next_ + 1) % most_;
    }
    Insert(value);
  }

  // Only the latest `count` stay.
  void KeepLatest(std::size_t count) {
    if (count >= ring_.size()) return;
    std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(next_), ring_.end());
    ring_.erase(ring_.begin(), ring_.end() - static_cast<std::ptrdiff_t>(count));
    next_ = 0;
    Sort();
  }

  std::size_t size() const { return ring_.size(); }
  // The one that `rank` others come before.
  float At(std::size_t rank) const {
    const auto [chunk, within] = PlaceOf(rank);
    return ValuesOf(chunk)[within];
  }
  float median() const { return At(size() / 2); }
  // Calls visit(value) for those that at least `rank` others come before, upwards.
  template <class Visit>
  void VisitFrom(std::size_t rank, Visit visit) const {
    auto [chunk, within] = PlaceOf(rank);
    for (; chunk < order_.size(); ++chunk, within = 0)
      for (; within < order_[chunk].size; ++within) visit(ValuesOf(chunk)[within]);
  }
  std::size_t CountAtLeast(float value) const {
    std::size_t chunk = FirstChunkFrom(value);
    if (chunk == order_.size()) return 0;
    const float* const values = ValuesOf(chunk);
    std::size_t count = static_cast<std::size_t>(
        values + order_[chunk].size - std::lower_bound(values, values + order_[chunk].size, value));
    while (++chunk < order_.size()) count += order_[chunk].size;
    return count;
  }
  // Asks memory for what the next call will look at first.
  void Prefetch() const {
    constexpr std::size_t kMostLines = 16, kLine = 64;
    const auto* const at = reinterpret_cast<const char*>(order_.data());
    const std::size_t lines = std::min(kMostLines, order_.size() * sizeof(Chunk) / kLine + 1);
    for (std::size_t line = 0; line < lines; ++line) __builtin_prefetch(at + line * kLine);
    __builtin_prefetch(ring_.data() + next_);
  }
  // The same when it is known which value will be added.
  void Prefetch(float value) const {
    if (order_.empty()) return;
    PrefetchChunk(std::min(FirstChunkFrom(value), order_.size() - 1));
    if (ring_.size() == most_) PrefetchChunk(FirstChunkFrom(ring_[next_]));
  }
  std::size_t bytes() const {
    return (ring_.capacity() + values_.capacity()) * sizeof(float) +
           order_.capacity() * sizeof(Chunk) + free_.capacity() * sizeof(std::uint32_t);
  }

  // State to save, and to load into a ring of the same size.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.next_);
    archive.Array(self.ring_, self.most_);
    if constexpr (Archive::kLoads) {
      archive.Check(self.next_ < std::max<std::size_t>(self.ring_.size(), 1),
                    "a place of the ring");
      self.Sort();
    }
  }

 private:
  static constexpr std::size_t kChunk = 64;               // values
  static constexpr std::size_t kJoined = kChunk * 3 / 4;  // of two chunks that become one

  struct Chunk {
    float largest = 0.0f;
    std::uint32_t place = 0;  // its values begin at kChunk times that
    std::uint32_t size = 0;   // of its values; 0 only while it is made
  };

  void PrefetchChunk(std::size_t chunk) const {
    constexpr std::size_t kLineValues = 16;
    for (std::size_t at = 0; at < order_[chunk].size; at += kLineValues)
      __builtin_prefetch(ValuesOf(chunk) + at);
  }
  float* ValuesOf(std::size_t chunk) { return values_.data() + order_[chunk].place * kChunk; }
  const float* ValuesOf(std::size_t chunk) const {
    return values_.data() + order_[chunk].place * kChunk;
  }
  // The first with a value of at least that; as many as there are if none has.
  std::size_t FirstChunkFrom(float value) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(order_, value, {}, &Chunk::largest) -
                                    order_.begin());
  }
  // From the end, which is where others look.
  std::pair<std::size_t, std::size_t> PlaceOf(std::size_t rank) const {
    std::size_t from = size(), chunk = order_.size();
    while (chunk > 0 && from > rank) from -= order_[--chunk].size;
    return {chunk, rank - from};
  }

  void Insert(float value) {
    if (order_.empty()) AddChunk(0);
    std::size_t chunk = std::min(FirstChunkFrom(value), order_.size() - 1);
    if (order_[chunk].size == kChunk) {
      Split(chunk);
      if (value > order_[chunk].largest) ++chunk;
    }
    float* const values = ValuesOf(chunk);
    float* const end = values + order_[chunk].size;
    float* const at = std::upper_bound(values, end, value);
    std::move_backward(at, end, end + 1);
    *at = value;
    ++order_[chunk].size;
    order_[chunk].largest = end[0];
  }
  void Erase(float value) {
    const std::size_t chunk = FirstChunkFrom(value);
    float* const values = ValuesOf(chunk);
    float* const end = values + order_[chunk].size;
    float* const at = std::lower_bound(values, end, value);
    std::move(at + 1, end, at);
    if (--order_[chunk].size == 0) return RemoveChunk(chunk);
    order_[chunk].largest = end[-2];
    if (chunk + 1 < order_.size() && order_[chunk].size + order_[chunk + 1].size <= kJoined)
      Join(chunk);
  }
  void AddChunk(std::size_t at) {
    Chunk chunk;
    if (free_.empty()) {
      chunk.place = static_cast<std::uint32_t>(values_.size() / kChunk);
      if (values_.size() == values_.capacity()) values_.reserve(values_.size() * 9 / 8 + kChunk);
      values_.resize(values_.size() + kChunk);
    } else {
      chunk.place = free_.back();
      free_.pop_back();
    }
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(at), chunk);
  }
  void RemoveChunk(std::size_t at) {
    free_.push_back(order_[at].place);
    order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  // The upper half becomes a chunk of its own.
  void Split(std::size_t at) {
    AddChunk(at + 1);
    constexpr std::size_t kHalf = kChunk / 2;
    std::copy_n(ValuesOf(at) + kHalf, kHalf, ValuesOf(at + 1));
    order_[at + 1].size = order_[at].size = kHalf;
    order_[at + 1].largest = order_[at].largest;
    order_[at].largest = ValuesOf(at)[kHalf - 1];
  }
  // With the next one.
  void Join(std::size_t at) {
    std::copy_n(ValuesOf(at + 1), order_[at + 1].size, ValuesOf(at) + order_[at].size);
    order_[at].size += order_[at + 1].size;
    order_[at].largest = order_[at + 1].largest;
    RemoveChunk(at + 1);
  }
  // Anew, from the ring; with room in each chunk.
  void Sort() {
    order_.clear();
    free_.clear();
    values_.clear();
    std::vector<float> sorted = ring_;
    std::ranges::sort(sorted);
    for (std::size_t from = 0; from < sorted.size(); from += kJoined) {
      const std::size_t count = std::min(kJoined, sorted.size() - from);
      AddChunk(order_.size());
      std::copy_n(sorted.data() + from, count, ValuesOf(order_.size() - 1));
      order_.back().size = static_cast<std::uint32_t>(count);
      order_.back().largest = sorted[from + count - 1];
    }
  }

  std::size_t most_;
  std::vector<float> ring_;
  std::uint64_t next_ = 0;
  std::vector<float> values_;        // of all chunks
  std::vector<Chunk> order_;         // by size of their values
  std::vector<std::uint32_t> free_;  // places of chunks that are gone
};

}  // namespace weft::operators::sequence
