#include "operators/sequence/temporal_memory.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "cache/test_archive.h"
#include "gpu/host_device.h"
#include "operators/sequence/sparse_bits.h"

namespace weft::operators::sequence {
namespace {

// The rules of the memory, written down plainly: segments are maps from cells to permanences.
class PlainMemory {
 public:
  explicit PlainMemory(const TemporalMemoryOptions& options) : options_(options) {}

  std::int64_t Step(const std::vector<std::uint32_t>& columns) {
    ++step_;
    const std::set<std::uint32_t> active_before = active_, winners_before = winners_;
    std::set<std::uint32_t> active, winners;
    std::int64_t predicted = 0;
    for (std::uint32_t column = 0; column < options_.columns; ++column) {
      const bool comes = std::ranges::binary_search(columns, column);
      std::vector<std::size_t> on, matching;
      for (const auto& [cell, id] : ByCell())
        if (cell / Cells() == column) {
          if (Connected(id, active_before) >= options_.activation_threshold) on.push_back(id);
          if (matched_.contains(id)) matching.push_back(id);
        }
      if (comes && !on.empty()) {
        ++predicted;
        for (const std::size_t id : on) {
          active.insert(segments_[id]->cell);
          winners.insert(segments_[id]->cell);
        }
        for (const std::size_t id : on) Learn(id, active_before, winners_before);
      } else if (comes) {
        for (std::uint32_t cell = column * Cells(); cell < (column + 1) * Cells(); ++cell)
          active.insert(cell);
        winners.insert(Burst(column, matching, active_before, winners_before));
      } else {
        for (const std::size_t id : matching) {
          for (auto& [cell, permanence] : segments_[id]->synapses)
            if (active_before.contains(cell)) permanence -= Units(options_.predicted_decrement);
          Clean(id);
        }
      }
    }
    active_ = active;
    winners_ = winners;
    matched_.clear();
    for (std::size_t id = 0; id < segments_.size(); ++id)
      if (segments_[id] && (Potential(id, active_) >= options_.min_threshold ||
                            Connected(id, active_) >= options_.activation_threshold))
        matched_[id] = Potential(id, active_);
    return predicted;
  }

  std::vector<std::uint32_t> active() const { return {active_.begin(), active_.end()}; }
  std::vector<std::uint32_t> PredictedColumns() const {
    std::set<std::uint32_t> columns;
    for (std::size_t id = 0; id < segments_.size(); ++id)
      if (segments_[id] && Connected(id, active_) >= options_.activation_threshold)
        columns.insert(segments_[id]->cell / Cells());
    return {columns.begin(), columns.end()};
  }

 private:
  struct Segment {
    std::uint32_t cell = 0;
    std::vector<std::pair<std::uint32_t, int>> synapses;  // in their order
  };
  std::uint32_t Cells() const { return static_cast<std::uint32_t>(options_.cells_per_column); }
  static int Units(double permanence) { return static_cast<int>(permanence * 10'000 + 0.5); }
  std::vector<std::pair<std::uint32_t, std::size_t>> ByCell() const {
    std::vector<std::pair<std::uint32_t, std::size_t>> all;
    for (std::size_t id = 0; id < segments_.size(); ++id)
      if (segments_[id]) all.emplace_back(segments_[id]->cell, id);
    std::ranges::sort(all);
    return all;
  }
  int Connected(std::size_t id, const std::set<std::uint32_t>& active) const {
    return static_cast<int>(std::ranges::count_if(segments_[id]->synapses, [&](const auto& one) {
      return active.contains(one.first) && one.second >= Units(options_.connected_permanence);
    }));
  }
  int Potential(std::size_t id, const std::set<std::uint32_t>& active) const {
    return static_cast<int>(std::ranges::count_if(
        segments_[id]->synapses, [&](const auto& one) { return active.contains(one.first); }));
  }
  // Synapses that came to nothing go, the last first, each taking the last one's place.
  void Clean(std::size_t id) {
    auto& synapses = segments_[id]->synapses;
    for (std::size_t i = synapses.size(); i-- > 0;) {
      synapses[i].second = std::min(synapses[i].second, 10'000);
      if (synapses[i].second > 0) continue;
      synapses[i] = synapses.back();
      synapses.pop_back();
    }
    if (static_cast<int>(synapses.size()) < options_.min_threshold) Destroy(id);
  }
  void Destroy(std::size_t id) {
    segments_[id].reset();
    free_.push_back(id);
  }
  void Learn(std::size_t id, const std::set<std::uint32_t>& active,
             const std::set<std::uint32_t>& winners) {
    const int potential = Potential(id, active);
    auto& synapses = segments_[id]->synapses;
    for (auto& [cell, permanence] : synapses)
      permanence += active.contains(cell) ? Units(options_.permanence_increment)
                                          : -Units(options_.permanence_decrement);
    for (std::size_t i = synapses.size(); i-- > 0;) {
      synapses[i].second = std::min(synapses[i].second, 10'000);
      if (synapses[i].second > 0) continue;
      synapses[i] = synapses.back();
      synapses.pop_back();
    }
    Grow(id, options_.max_new_synapses - potential, winners);
    if (static_cast<int>(synapses.size()) < options_.min_threshold) Destroy(id);
  }
  // Of those that may be replaced the least permanent go, but none on winners; the last place
  // first, the last one taking it.
  void MakeRoom(std::size_t id, int count, const std::set<std::uint32_t>& winners) {
    auto& synapses = segments_[id]->synapses;
    std::vector<std::pair<int, std::size_t>> weakest;
    for (std::size_t i = 0; i < synapses.size(); ++i)
      if (synapses[i].second < Units(options_.replaced_below) &&
          !winners.contains(synapses[i].first))
        weakest.emplace_back(synapses[i].second, i);
    std::ranges::sort(weakest);
    const int size = static_cast<int>(synapses.size());
    const int excess = std::max(0, size + count - options_.max_synapses_per_segment);
    if (static_cast<std::size_t>(excess) < weakest.size())
      weakest.resize(static_cast<std::size_t>(excess));
    std::vector<std::size_t> places;
    for (const auto& [permanence, place] : weakest) places.push_back(place);
    std::ranges::sort(places, std::ranges::greater());
    for (const std::size_t place : places) {
      synapses[place] = synapses.back();
      synapses.pop_back();
    }
  }
  void Grow(std::size_t id, int count, const std::set<std::uint32_t>& winners) {
    auto& synapses = segments_[id]->synapses;
    std::vector<std::uint32_t> candidates;
    for (const std::uint32_t cell : winners)
      if (std::ranges::find(synapses, cell, [](const auto& one) { return one.first; }) ==
          synapses.end())
        candidates.push_back(cell);
    MakeRoom(id, std::min(count, static_cast<int>(candidates.size())), winners);
    const int room = options_.max_synapses_per_segment - static_cast<int>(synapses.size());
    for (int i = 0; i < std::min(count, room) && static_cast<std::size_t>(i) < candidates.size();
         ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::uint64_t draw = gpu::CounterHash(options_.seed + 1, step_, id * 4096 + at);
      std::swap(candidates[at], candidates[at + draw % (candidates.size() - at)]);
      synapses.emplace_back(candidates[at], Units(options_.initial_permanence));
    }
  }
  std::uint32_t Burst(std::uint32_t column, const std::vector<std::size_t>& matching,
                      const std::set<std::uint32_t>& active,
                      const std::set<std::uint32_t>& winners) {
    if (!matching.empty()) {
      const std::size_t best = *std::ranges::max_element(
          matching, {}, [this](std::size_t id) { return matched_.at(id); });
      const std::uint32_t winner = segments_[best]->cell;
      Learn(best, active, winners);
      return winner;
    }
    std::vector<std::tuple<int, std::uint64_t, std::uint32_t>> cells;
    for (std::uint32_t cell = column * Cells(); cell < (column + 1) * Cells(); ++cell) {
      int used = 0;
      for (const auto& segment : segments_) used += segment && segment->cell == cell ? 1 : 0;
      cells.emplace_back(used, gpu::CounterHash(options_.seed, step_, cell), cell);
    }
    const std::uint32_t winner = std::get<2>(std::ranges::min(cells));
    if (winners.empty()) return winner;
    if (free_.empty()) {
      free_.push_back(segments_.size());
      segments_.emplace_back();
    }
    const std::size_t id = free_.back();
    free_.pop_back();
    segments_[id] = Segment{winner, {}};
    Grow(id, options_.max_new_synapses, winners);
    return winner;
  }

  TemporalMemoryOptions options_;
  std::uint32_t step_ = 0;
  std::vector<std::optional<Segment>> segments_;
  std::vector<std::size_t> free_;
  std::set<std::uint32_t> active_, winners_;
  std::map<std::size_t, int> matched_;  // potential of segments that match
};

TemporalMemoryOptions Small() {
  TemporalMemoryOptions options;
  options.columns = 64;
  options.cells_per_column = 4;
  options.activation_threshold = 5;
  options.min_threshold = 3;
  options.max_new_synapses = 6;
  options.predicted_decrement = 0.02;
  return options;
}

// Three sequences of random codes that share their middle, in random order.
std::vector<std::vector<std::uint32_t>> Stream(std::int64_t columns, int steps,
                                               std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<std::uint32_t>> codes;
  for (std::uint64_t i = 0; i < 9; ++i) codes.push_back(RandomBits(columns, 8, seed + i).bits);
  const std::vector<std::vector<std::size_t>> sequences = {
      {0, 3, 4, 5, 6}, {1, 3, 4, 5, 7}, {2, 5, 4, 3, 8}};
  std::vector<std::vector<std::uint32_t>> stream;
  while (static_cast<int>(stream.size()) < steps)
    for (const std::size_t code : sequences[random() % 3]) stream.push_back(codes[code]);
  return stream;
}

void ExpectTheRules(const TemporalMemoryOptions& options,
                    const std::vector<std::vector<std::uint32_t>>& stream) {
  PlainMemory plain(options);
  TemporalMemory memory(options);
  int step = 0;
  for (const auto& columns : stream) {
    ASSERT_EQ(memory.Step(columns, true), plain.Step(columns)) << step;
    ASSERT_EQ(std::vector(memory.active_cells().begin(), memory.active_cells().end()),
              plain.active())
        << step;
    ASSERT_EQ(std::vector(memory.predicted_columns().begin(), memory.predicted_columns().end()),
              plain.PredictedColumns())
        << step;
    ++step;
  }
  EXPECT_GT(memory.segments().segment_count(), 50);
}

TEST(TemporalMemory, IsTheRulesAsTheyAreWritten) { ExpectTheRules(Small(), Stream(64, 600, 1)); }

// Codes that come with a few other bits every time fill the segments.
TEST(TemporalMemory, IsTheRulesWhereSegmentsAreFull) {
  TemporalMemoryOptions options = Small();
  options.permanence_decrement = 0.01;
  options.max_synapses_per_segment = 10;
  auto stream = Stream(64, 600, 3);
  for (std::size_t i = 0; i < stream.size(); ++i) {
    std::set<std::uint32_t> columns(stream[i].begin(), stream[i].begin() + 6);
    for (const std::uint32_t one : RandomBits(64, 2, 1000 + i).bits) columns.insert(one);
    stream[i].assign(columns.begin(), columns.end());
  }
  for (const double below : {1.0, 0.21}) {
    options.replaced_below = below;
    ExpectTheRules(options, stream);
  }
}

TEST(TemporalMemory, TellsSequencesApartThatShareTheirMiddle) {
  TemporalMemory memory(
      {.activation_threshold = 10, .min_threshold = 10, .predicted_decrement = 0.02});
  std::vector<std::vector<std::uint32_t>> codes;
  for (std::uint64_t i = 0; i < 6; ++i) codes.push_back(RandomBits(2048, 40, 50 + i).bits);
  for (int round = 0; round < 40; ++round)
    for (const auto& sequence : {std::vector<std::size_t>{0, 2, 3, 4}, {1, 2, 3, 5}}) {
      for (const std::size_t code : sequence) memory.Step(codes[code], true);
      memory.Reset();
    }
  for (const auto& sequence : {std::vector<std::size_t>{0, 2, 3, 4}, {1, 2, 3, 5}}) {
    for (std::size_t i = 0; i < 3; ++i) memory.Step(codes[sequence[i]], false);
    EXPECT_EQ(Overlap(memory.predicted_columns(), codes[sequence[3]]), 40);
    EXPECT_LT(memory.predicted_columns().size(), 60u);
    memory.Reset();
  }
}

TEST(TemporalMemory, GoesOnAfterSaveAndLoad) {
  TemporalMemory memory(Small());
  const auto stream = Stream(64, 900, 2);
  for (std::size_t i = 0; i < 400; ++i) memory.Step(stream[i], true);
  TemporalMemory restored(Small());
  cache::SaveAndLoad(memory, restored);
  for (std::size_t i = 400; i < stream.size(); ++i) {
    ASSERT_EQ(memory.Step(stream[i], true), restored.Step(stream[i], true)) << i;
    ASSERT_TRUE(std::ranges::equal(memory.active_cells(), restored.active_cells())) << i;
  }
  EXPECT_EQ(memory.segments().synapse_count(), restored.segments().synapse_count());
}

TEST(TemporalMemory, KeepsItsBounds) {
  TemporalMemoryOptions options = Small();
  options.max_segments = 40;
  options.max_segments_per_cell = 2;
  options.max_synapses_per_segment = 8;
  TemporalMemory memory(options);
  std::uint64_t seed = 0;
  for (int step = 0; step < 500; ++step) {
    memory.Step(RandomBits(64, 8, ++seed).bits, true);
    ASSERT_LE(memory.segments().segment_count(), 40);
    for (std::uint32_t cell = 0; cell < memory.cell_count(); ++cell)
      ASSERT_LE(memory.segments().SegmentsOf(cell), 2);
    for (SegmentStore::Id id = 0; id < memory.segments().segment_places(); ++id) {
      if (!memory.segments().IsThere(id)) continue;
      ASSERT_LE(memory.segments().Sources(id).size(), 8u);
    }
  }
}

TEST(TemporalMemory, DeadCellsStaySilent) {
  TemporalMemory memory(Small());
  const auto stream = Stream(64, 600, 3);
  for (std::size_t i = 0; i < 500; ++i) memory.Step(stream[i], true);
  std::vector<std::uint32_t> dead;
  for (std::uint32_t cell = 0; cell < 256; cell += 2) dead.push_back(cell);
  memory.Kill(dead);
  for (std::size_t i = 500; i < stream.size(); ++i) {
    memory.Step(stream[i], false);
    for (const std::uint32_t cell : memory.active_cells()) ASSERT_EQ(cell % 2, 1u);
  }
}

}  // namespace
}  // namespace weft::operators::sequence
