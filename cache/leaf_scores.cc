#include "cache/leaf_scores.h"

#include <algorithm>

#include "gpu/memory.h"

namespace weft::cache {

LeafScores::LeafScores(std::int32_t window, const gpu::Exec& exec)
    : exec_(exec),
      window_(window),
      places_(2 * window + 1 + kMostAtOnce),
      sums_(places_ * kProfileSlots, gpu::MemoryOf(exec)),
      counts_(kMostAtOnce * kProfileSlots, gpu::MemoryOf(exec)),
      scores_(kMostAtOnce, gpu::MemoryOf(exec)),
      pairs_(0, gpu::MemoryOf(exec)),
      pairs_end_(0, gpu::MemoryOf(exec)),
      entropy_(0, gpu::MemoryOf(exec)) {
  if (gpu::MemoryOf(exec) == gpu::Memory::kHost) return;
  const CountEntropy& entropy = TabledCountEntropy();
  pairs_end_.Allocate(kMostAtOnce);
  entropy_.Allocate(static_cast<std::int64_t>(entropy.table_size));
  std::copy_n(entropy.table, entropy.table_size, entropy_.data());
}

LeafScoreArguments LeafScores::Arguments() {
  LeafScoreArguments arguments{};
  arguments.window = window_;
  arguments.sums = sums_.data();
  arguments.places = places_;
  arguments.snapshot_count = snapshot_count_;
  arguments.counts = counts_.data();
  arguments.entropy = TabledCountEntropy();
  if (entropy_.size() > 0) arguments.entropy.table = entropy_.data();
  arguments.score = scores_.data();
  return arguments;
}

void LeafScores::Add(const SnapshotPairs& snapshots) {
  const std::int64_t count = snapshots.size();
  if (count == 0) return;
  LeafScoreArguments arguments = Arguments();
  arguments.pairs = snapshots.pairs.data();
  arguments.pairs_begin = snapshots.begin;
  arguments.pairs_end = snapshots.end.data();
  if (pairs_end_.size() > 0) {
    const std::span pairs =
        snapshots.pairs.subspan(snapshots.begin, snapshots.end.back() - snapshots.begin);
    if (static_cast<std::int64_t>(pairs.size()) > pairs_.size())
      pairs_.Allocate(2 * static_cast<std::int64_t>(pairs.size()));
    std::ranges::copy(pairs, pairs_.data());
    std::ranges::transform(snapshots.end, pairs_end_.data(),
                           [&snapshots](std::size_t end) { return end - snapshots.begin; });
    arguments.pairs = pairs_.data();
    arguments.pairs_begin = 0;
    arguments.pairs_end = pairs_end_.data();
  }
  std::visit(
      [&](const auto& exec) {
        CountActorsOn(exec, count, arguments);
        AddUpActorsOn(exec, count, arguments);
      },
      exec_);
  // Pairs are the caller's, or are written to by the next call.
  gpu::Synchronize(exec_);
  snapshot_count_ += count;
}

std::span<const std::int64_t> LeafScores::Of(std::int64_t begin, std::int64_t count) {
  LeafScoreArguments arguments = Arguments();
  arguments.first = begin;
  std::visit([&](const auto& exec) { ScoreBoundariesOn(exec, count, arguments); }, exec_);
  gpu::Synchronize(exec_);
  return scores_.span().first(static_cast<std::size_t>(count));
}

// Rows that do not exist yet are zeros, as they are in the beginning.
void LeafScores::GetLatestRows(std::span<std::uint64_t> rows) const {
  for (std::int64_t row = 0; row <= 2 * window_; ++row) {
    const std::int64_t snapshot = snapshot_count_ - 2 * window_ + row;
    if (snapshot < 0) continue;
    std::copy_n(sums_.data() + snapshot % places_ * kProfileSlots, kProfileSlots,
                rows.data() + row * kProfileSlots);
  }
}

void LeafScores::PutLatestRows(std::span<const std::uint64_t> rows) {
  for (std::int64_t row = 0; row <= 2 * window_; ++row) {
    const std::int64_t snapshot = snapshot_count_ - 2 * window_ + row;
    if (snapshot < 0) continue;
    std::copy_n(rows.data() + row * kProfileSlots, kProfileSlots,
                sums_.data() + snapshot % places_ * kProfileSlots);
  }
}

}  // namespace weft::cache
