// EpisodeRing: the closed episodes of one level, as many of the latest as there is room for, with
// indexes over them. Flat arrays, which kernels can read.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cache/episode.h"
#include "cache/max_forest.h"
#include "cache/pair_list.h"
#include "gpu/buffer.h"
#include "gpu/memory.h"

namespace weft::cache {

// Thread-compatible.
class EpisodeRing {
 public:
  struct Options {
    std::int64_t most_episodes = 1 << 16;  // at least 64
    std::int64_t most_words = 1 << 22;     // of pair lists; at least 65,536
    std::int64_t keep_us = 0;              // those that ended longer ago go; 0: none
  };

  explicit EpisodeRing(const Options& options, gpu::Memory memory = gpu::Memory::kHost);

  // Numbers [first, end) are kept.
  std::int64_t first() const { return first_; }
  std::int64_t end() const { return end_; }
  const Episode& operator[](std::int64_t number) const { return episodes_[PlaceOf(number)]; }
  std::span<const std::uint32_t> PairsOf(const Episode& episode) const {
    return words_.span().subspan(
        static_cast<std::size_t>(episode.pairs_begin &
                                 static_cast<std::uint64_t>(words_.size() - 1)),
        static_cast<std::size_t>(episode.pairs_size));
  }

  // The next one, with its pair list. The oldest go that there is no room for, but none from
  // `needed` on.
  void Append(const Episode& episode, std::span<const std::uint32_t> pairs, std::int64_t needed);
  // The parent of an episode that is kept has been decided.
  void Settle(std::int64_t number, std::int64_t parent, std::int64_t salience);
  // Those before `number` go.
  void DropBefore(std::int64_t number);

  // The first that is kept and ends after `time_us`; end() if none does.
  std::int64_t FirstEndingAfter(std::int64_t time_us) const;
  // The first whose decided_us is later; they rise.
  std::int64_t FirstDecidedAfter(std::int64_t time_us) const;
  // The one that begins with this snapshot, or end().
  std::int64_t FindBegin(std::int64_t snapshot) const;

  // Of what values the forests are, by place of the ring.
  enum class Order { kSalience, kScore };
  // The first of [begin, end) with the highest value; `end` if none has one. Those whose parent is
  // undecided have no salience.
  std::int64_t Best(Order order, std::int64_t begin, std::int64_t end, std::int64_t& visited) const;
  // The first of [begin, end) with at least `least`; `end` if none has.
  std::int64_t FirstAtLeast(Order order, std::int64_t begin, std::int64_t end, std::int64_t least,
                            std::int64_t& visited) const;

  // For kernels: number n is at place n % episodes().size(), its list as in PairsOf.
  std::span<const Episode> episodes() const { return episodes_.span(); }
  std::span<const std::uint32_t> words() const { return words_.span(); }
  std::int64_t bytes() const;

  // State to save, and to load into a ring with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    std::vector<Episode> episodes;
    std::vector<std::uint32_t> words;
    if constexpr (!Archive::kLoads) self.Pack(episodes, words);
    archive.Value(self.first_);
    archive.Array(episodes, static_cast<std::uint64_t>(self.options_.most_episodes));
    archive.Array(words, static_cast<std::uint64_t>(self.options_.most_words));
    if constexpr (Archive::kLoads) archive.Check(self.Unpack(episodes, words), "whole episodes");
  }

 private:
  std::int64_t PlaceOf(std::int64_t number) const { return number & (episodes_.size() - 1); }
  const MaxForest& ForestOf(Order order) const {
    return order == Order::kSalience ? by_salience_ : by_score_;
  }
  bool HasRoom(std::size_t words) const;
  void DropFirst();
  void GrowEpisodes();
  void GrowWords(std::uint64_t least);
  std::uint64_t AppendWords(std::span<const std::uint32_t> pairs);
  void Put(const Episode& episode, std::span<const std::uint32_t> pairs);
  void Pack(std::vector<Episode>& episodes, std::vector<std::uint32_t>& words) const;
  bool Unpack(std::span<const Episode> episodes, std::span<const std::uint32_t> words);
  template <class Value>
  std::int64_t FirstAbove(Value value, std::int64_t bound) const;

  Options options_;
  gpu::Memory memory_;
  gpu::Buffer<Episode> episodes_;     // a power of two of places
  gpu::Buffer<std::uint32_t> words_;  // the same; no list is broken at the end
  std::uint64_t next_word_ = 0;
  std::uint64_t kept_words_ = 0;
  std::int64_t first_ = 0, end_ = 0;
  MaxForest by_salience_, by_score_;
};

}  // namespace weft::cache
