#include "operators/sequence/temporal_memory.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <numeric>

#include "gpu/host_device.h"
#include "operators/sequence/permanence.h"

namespace weft::operators::sequence {
namespace {

void SetBits(std::span<const std::uint32_t> cells, bool on, std::vector<std::uint32_t>& bits) {
  for (const std::uint32_t cell : cells) {
    const std::uint32_t bit = 1u << (cell % 32);
    bits[cell / 32] = on ? bits[cell / 32] | bit : bits[cell / 32] & ~bit;
  }
}

SegmentLimits LimitsOf(const TemporalMemoryOptions& options) {
  return {.cells = options.columns * options.cells_per_column,
          .segments_of_cell = options.max_segments_per_cell,
          .synapses_of_segment = options.max_synapses_per_segment,
          .segments = options.max_segments};
}

}  // namespace

TemporalMemory::TemporalMemory(const TemporalMemoryOptions& options)
    : options_(options),
      initial_(FixedPermanence(options.initial_permanence)),
      connected_(FixedPermanence(options.connected_permanence)),
      up_(FixedPermanence(options.permanence_increment)),
      down_(FixedPermanence(options.permanence_decrement)),
      punished_(FixedPermanence(options.predicted_decrement)),
      replaced_(FixedPermanence(options.replaced_below)),
      segments_(LimitsOf(options), static_cast<std::uint16_t>(connected_)),
      active_bits_(static_cast<std::size_t>((cell_count() + 31) / 32)),
      winner_bits_(active_bits_.size()),
      dead_(active_bits_.size()) {}

std::size_t TemporalMemory::bytes() const {
  return segments_.bytes() + 3 * active_bits_.size() * sizeof(std::uint32_t) +
         count_.capacity() * sizeof(std::uint16_t);
}

void TemporalMemory::Reset() {
  SetBits(active_, false, active_bits_);
  SetBits(winners_, false, winner_bits_);
  active_.clear();
  winners_.clear();
  matches_.clear();
  predicted_columns_.clear();
}

void TemporalMemory::Kill(std::span<const std::uint32_t> cells) {
  for (Id id = 0; id < segments_.segment_places(); ++id)
    if (segments_.IsThere(id) && std::ranges::binary_search(cells, segments_.CellOf(id)))
      segments_.Destroy(id);
  SetBits(cells, true, dead_);
  const auto is_dead = [this](std::uint32_t cell) { return IsOn(dead_, cell); };
  SetBits(active_, false, active_bits_);
  SetBits(winners_, false, winner_bits_);
  std::erase_if(active_, is_dead);
  std::erase_if(winners_, is_dead);
  Restore();
}

std::int64_t TemporalMemory::Step(std::span<const std::uint32_t> columns, bool learns) {
  const auto cells = static_cast<std::uint32_t>(options_.cells_per_column);
  ++step_;
  next_active_.clear();
  next_winners_.clear();
  std::int64_t predicted = 0;
  std::size_t at = 0;  // of matches_
  const auto punish_until = [&](std::uint32_t cell) {
    for (; at < matches_.size() && matches_[at].cell() < cell; ++at) {
      if (!learns || punished_ == 0) continue;
      PrefetchAhead(at);
      Punish(matches_[at]);
    }
  };
  for (const std::uint32_t column : columns) {
    punish_until(column * cells);
    const std::size_t begin = at;
    bool active = false;
    for (; at < matches_.size() && matches_[at].cell() < (column + 1) * cells; ++at)
      active |= matches_[at].connected() >= options_.activation_threshold;
    const auto here = std::span<const Match>(matches_).subspan(begin, at - begin);
    if (active) {
      ++predicted;
      ActivatePredicted(here, learns);
    } else {
      Burst(column, here, learns);
    }
  }
  punish_until(static_cast<std::uint32_t>(cell_count()));
  SetBits(active_, false, active_bits_);
  SetBits(winners_, false, winner_bits_);
  std::swap(active_, next_active_);
  std::swap(winners_, next_winners_);
  SetBits(active_, true, active_bits_);
  SetBits(winners_, true, winner_bits_);
  Predict();
  return predicted;
}

// Segments lie anywhere in memory: those that come soon are asked for.
void TemporalMemory::PrefetchAhead(std::size_t match) const {
  constexpr std::size_t kSynapses = 4, kSegments = 12;
  if (match + kSegments >= matches_.size()) return;
  segments_.PrefetchSegment(matches_[match + kSegments].segment());
  segments_.PrefetchSynapses(matches_[match + kSynapses].segment());
}

void TemporalMemory::ActivatePredicted(std::span<const Match> matches, bool learns) {
  for (const Match& match : matches) {
    if (match.connected() < options_.activation_threshold) continue;
    if (next_active_.empty() || next_active_.back() != match.cell()) {
      next_active_.push_back(match.cell());
      next_winners_.push_back(match.cell());
    }
    if (learns) Learn(match);
  }
}

void TemporalMemory::Burst(std::uint32_t column, std::span<const Match> matches, bool learns) {
  const auto cells = static_cast<std::uint32_t>(options_.cells_per_column);
  for (std::uint32_t cell = column * cells; cell < (column + 1) * cells; ++cell)
    if (!IsOn(dead_, cell)) next_active_.push_back(cell);
  const auto best = std::ranges::max_element(matches, {}, &Match::potential);
  if (best != matches.end()) {
    next_winners_.push_back(best->cell());
    if (learns) Learn(*best);
    return;
  }
  const std::uint32_t winner = LeastUsedCell(column);
  if (winner == SegmentStore::kNone) return;
  next_winners_.push_back(winner);
  if (!learns || winners_.empty()) return;
  const Id segment = segments_.Create(winner, step_);
  Grow(segment, options_.max_new_synapses);
}

// Of those with the fewest segments one by chance.
std::uint32_t TemporalMemory::LeastUsedCell(std::uint32_t column) const {
  const auto cells = static_cast<std::uint32_t>(options_.cells_per_column);
  const std::uint32_t begin = column * cells, end = begin + cells;
  std::int32_t fewest = std::numeric_limits<std::int32_t>::max();
  for (std::uint32_t cell = begin; cell < end; ++cell)
    if (!IsOn(dead_, cell)) fewest = std::min(fewest, segments_.SegmentsOf(cell));
  std::uint32_t best = SegmentStore::kNone;
  std::uint64_t best_draw = 0;
  for (std::uint32_t cell = begin; cell < end; ++cell) {
    if (segments_.SegmentsOf(cell) != fewest || IsOn(dead_, cell)) continue;
    const std::uint64_t draw = gpu::CounterHash(options_.seed, step_, cell);
    if (best != SegmentStore::kNone && draw >= best_draw) continue;
    best = cell;
    best_draw = draw;
  }
  return best;
}

void TemporalMemory::Learn(const Match& match) {
  if (!segments_.IsThere(match.segment()) || segments_.CellOf(match.segment()) != match.cell())
    return;
  segments_.Touch(match.segment(), step_);
  segments_.Adapt(match.segment(), up_, -down_, active_bits_);
  if (match.potential() < options_.max_new_synapses)
    Grow(match.segment(), options_.max_new_synapses - match.potential());
  if (static_cast<std::int32_t>(segments_.Sources(match.segment()).size()) < options_.min_threshold)
    segments_.Destroy(match.segment());
}

// Synapses on winners of the step before that the segment does not listen to yet, drawn by chance.
void TemporalMemory::Grow(Id segment, std::int32_t count) {
  std::int32_t known = 0;
  for (const std::uint32_t source : segments_.Sources(segment))
    known += static_cast<std::int32_t>(winner_bits_[source / 32] >> (source % 32) & 1);
  const std::int32_t wanted = std::min(count, static_cast<std::int32_t>(winners_.size()) - known);
  if (wanted <= 0) return;
  segments_.MakeRoom(segment, wanted, static_cast<std::uint16_t>(replaced_), winner_bits_);
  const std::int32_t room = options_.max_synapses_per_segment -
                            static_cast<std::int32_t>(segments_.Sources(segment).size());
  if (room <= 0) return;
  FindCandidates(segment);
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::min(wanted, room)); ++i) {
    const std::uint64_t draw =
        gpu::CounterHash(options_.seed + 1, step_, segment * std::uint64_t{4096} + i);
    std::swap(candidates_[i], candidates_[i + draw % (candidates_.size() - i)]);
    segments_.AddSynapse(segment, candidates_[i], static_cast<std::uint16_t>(initial_));
  }
}

// Winners that the segment does not listen to, rising.
void TemporalMemory::FindCandidates(Id segment) {
  for (const std::uint32_t source : segments_.Sources(segment))
    winner_bits_[source / 32] &= ~(1u << (source % 32));
  candidates_.clear();
  for (const std::uint32_t winner : winners_)
    if (IsOn(winner_bits_, winner)) candidates_.push_back(winner);
  SetBits(winners_, true, winner_bits_);
}

void TemporalMemory::Punish(const Match& match) {
  if (!segments_.IsThere(match.segment()) || segments_.CellOf(match.segment()) != match.cell())
    return;
  segments_.Adapt(match.segment(), -punished_, 0, active_bits_);
  if (static_cast<std::int32_t>(segments_.Sources(match.segment()).size()) < options_.min_threshold)
    segments_.Destroy(match.segment());
}

void TemporalMemory::AddIfMatching(Id id, std::uint32_t count) {
  const std::uint32_t connected = count / ListenerIndex::kConnectedOne;
  const std::uint32_t potential = count % ListenerIndex::kConnectedOne;
  if (static_cast<std::int32_t>(potential) >= options_.min_threshold ||
      static_cast<std::int32_t>(connected) >= options_.activation_threshold)
    matches_.emplace_back(segments_.CellOf(id), id, connected, potential);
}

// After a burst most segments hear something: it is quicker to look at all of them than to note
// which did.
void TemporalMemory::FindMatches() {
  const std::size_t places = segments_.segment_places();
  count_.resize(places);
  if (segments_.listeners().SynapsesOn(active_) < static_cast<std::int64_t>(places) / 4) {
    touched_.clear();
    segments_.listeners().Count(active_, count_, touched_);
    for (const Id id : touched_) {
      AddIfMatching(id, count_[id]);
      count_[id] = 0;
    }
    return;
  }
  segments_.listeners().Count(active_, count_);
  // A segment without this many synapses on active cells neither matches nor is active.
  const auto fewest =
      static_cast<std::uint16_t>(std::min(options_.min_threshold, options_.activation_threshold));
  constexpr std::size_t kAtOnce = 64;
  for (std::size_t begin = 0; begin < places; begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, places);
    const std::uint16_t* const count = count_.data();
    std::uint16_t most = 0;
    for (std::size_t id = begin; id < end; ++id)
      most = std::max(most, static_cast<std::uint16_t>(count[id] % ListenerIndex::kConnectedOne));
    if (most < fewest) continue;
    for (std::size_t id = begin; id < end; ++id)
      if (count[id] % ListenerIndex::kConnectedOne >= fewest)
        AddIfMatching(static_cast<Id>(id), count[id]);
  }
  std::ranges::fill(count_, std::uint16_t{0});
}

// After a burst there are hundreds, most often by number already: then it is two passes over the
// bytes of their cells.
void TemporalMemory::SortMatches() {
  constexpr std::size_t kFew = 64, kBytes = 256;
  if (matches_.size() < kFew ||
      !std::ranges::is_sorted(matches_, std::ranges::less(), &Match::segment)) {
    std::ranges::sort(matches_);
    return;
  }
  sorted_.resize(matches_.size(), matches_.front());
  for (const std::uint32_t shift : {0u, 8u}) {
    std::array<std::uint32_t, kBytes> begin = {};
    for (const Match& match : matches_) ++begin[match.cell() >> shift & 0xff];
    std::exclusive_scan(begin.begin(), begin.end(), begin.begin(), 0u);
    for (const Match& match : matches_) sorted_[begin[match.cell() >> shift & 0xff]++] = match;
    std::swap(matches_, sorted_);
  }
}

void TemporalMemory::Predict() {
  matches_.clear();
  FindMatches();
  SortMatches();
  predicted_columns_.clear();
  const auto cells = static_cast<std::uint32_t>(options_.cells_per_column);
  std::uint32_t next = 0;  // the first cell behind the last predicted column
  for (const Match& match : matches_) {
    if (match.connected() < options_.activation_threshold || match.cell() < next) continue;
    predicted_columns_.push_back(match.cell() / cells);
    next = (predicted_columns_.back() + 1) * cells;
  }
}

bool TemporalMemory::IsWhole() const {
  const auto fits = [this](std::uint32_t cell) { return cell < cell_count(); };
  return std::ranges::all_of(active_, fits) && std::ranges::all_of(winners_, fits) &&
         std::ranges::is_sorted(active_) && std::ranges::is_sorted(winners_);
}

void TemporalMemory::Restore() {
  std::ranges::fill(active_bits_, 0);
  std::ranges::fill(winner_bits_, 0);
  SetBits(active_, true, active_bits_);
  SetBits(winners_, true, winner_bits_);
  Predict();
}

}  // namespace weft::operators::sequence
