#include "cache/episode_ring.h"

#include <algorithm>
#include <utility>

namespace weft::cache {
namespace {

constexpr std::int64_t kFewestPlaces = 64;
constexpr std::int64_t kFirstWords = 4096;

}  // namespace

EpisodeRing::EpisodeRing(const Options& options, gpu::Memory memory)
    : options_(options),
      memory_(memory),
      episodes_(kFewestPlaces, memory),
      words_(kFirstWords, memory) {
  by_salience_.Reset(kFewestPlaces);
  by_score_.Reset(kFewestPlaces);
}

std::int64_t EpisodeRing::bytes() const {
  return static_cast<std::int64_t>(episodes_.size_bytes() + words_.size_bytes()) +
         4 * by_score_.places() * static_cast<std::int64_t>(sizeof(std::int64_t));
}

bool EpisodeRing::HasRoom(std::size_t words) const {
  return end_ - first_ < options_.most_episodes &&
         kept_words_ + words <= static_cast<std::uint64_t>(options_.most_words);
}

void EpisodeRing::DropFirst() {
  by_salience_.Set(PlaceOf(first_), MaxForest::kNothing);
  by_score_.Set(PlaceOf(first_), MaxForest::kNothing);
  kept_words_ -= (*this)[first_].pairs_size;
  ++first_;
}

void EpisodeRing::DropBefore(std::int64_t number) {
  while (first_ < std::min(number, end_)) DropFirst();
}

void EpisodeRing::Append(const Episode& episode, std::span<const std::uint32_t> pairs,
                         std::int64_t needed) {
  while (first_ < std::min(needed, end_) && !HasRoom(pairs.size())) DropFirst();
  if (options_.keep_us > 0) {
    const std::int64_t oldest_us = episode.end_us - options_.keep_us;
    while (first_ < std::min(needed, end_) && (*this)[first_].end_us <= oldest_us) DropFirst();
  }
  Put(episode, pairs);
}

void EpisodeRing::Put(const Episode& episode, std::span<const std::uint32_t> pairs) {
  if (end_ - first_ == episodes_.size()) GrowEpisodes();
  const std::int64_t place = PlaceOf(end_);
  episodes_[place] = episode;
  episodes_[place].pairs_begin = AppendWords(pairs);
  episodes_[place].pairs_size = pairs.size();
  kept_words_ += pairs.size();
  by_score_.Set(place, episode.score);
  if (episode.parent != Episode::kUndecided) by_salience_.Set(place, episode.salience);
  ++end_;
}

void EpisodeRing::Settle(std::int64_t number, std::int64_t parent, std::int64_t salience) {
  Episode& episode = episodes_[PlaceOf(number)];
  episode.parent = parent;
  episode.salience = salience;
  by_salience_.Set(PlaceOf(number), salience);
}

void EpisodeRing::GrowEpisodes() {
  gpu::Buffer<Episode> larger(2 * episodes_.size(), memory_);
  by_salience_.Reset(larger.size());
  by_score_.Reset(larger.size());
  for (std::int64_t number = first_; number < end_; ++number) {
    const Episode& episode = (*this)[number];
    const std::int64_t place = number & (larger.size() - 1);
    larger[place] = episode;
    by_score_.Set(place, episode.score);
    if (episode.parent != Episode::kUndecided) by_salience_.Set(place, episode.salience);
  }
  episodes_ = std::move(larger);
}

// Lists move to the beginning of larger words, one behind the other.
void EpisodeRing::GrowWords(std::uint64_t least) {
  std::int64_t size = 2 * words_.size();
  while (static_cast<std::uint64_t>(size) < least) size *= 2;
  gpu::Buffer<std::uint32_t> larger(size, memory_);
  std::uint64_t next = 0;
  for (std::int64_t number = first_; number < end_; ++number) {
    Episode& episode = episodes_[PlaceOf(number)];
    const auto pairs = PairsOf(episode);
    std::ranges::copy(pairs, larger.data() + next);
    episode.pairs_begin = next;
    next += pairs.size();
  }
  words_ = std::move(larger);
  next_word_ = next;
}

std::uint64_t EpisodeRing::AppendWords(std::span<const std::uint32_t> pairs) {
  const auto begin_of = [&] {
    const auto size = static_cast<std::uint64_t>(words_.size());
    const std::uint64_t place = next_word_ % size;
    return place + pairs.size() <= size ? next_word_ : next_word_ - place + size;
  };
  const std::uint64_t oldest = first_ < end_ ? (*this)[first_].pairs_begin : next_word_;
  std::uint64_t begin = begin_of();
  if (begin + pairs.size() - oldest > static_cast<std::uint64_t>(words_.size())) {
    GrowWords(kept_words_ + pairs.size());
    begin = begin_of();
  }
  std::ranges::copy(pairs, words_.data() + begin % static_cast<std::uint64_t>(words_.size()));
  next_word_ = begin + pairs.size();
  return begin;
}

template <class Value>
std::int64_t EpisodeRing::FirstAbove(Value value, std::int64_t bound) const {
  std::int64_t low = first_, high = end_;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (value((*this)[middle]) > bound) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::int64_t EpisodeRing::FirstEndingAfter(std::int64_t time_us) const {
  return FirstAbove([](const Episode& episode) { return episode.end_us; }, time_us);
}

std::int64_t EpisodeRing::FirstDecidedAfter(std::int64_t time_us) const {
  return FirstAbove([](const Episode& episode) { return episode.decided_us; }, time_us);
}

std::int64_t EpisodeRing::FindBegin(std::int64_t snapshot) const {
  const std::int64_t number =
      FirstAbove([](const Episode& episode) { return episode.begin; }, snapshot - 1);
  return number < end_ && (*this)[number].begin == snapshot ? number : end_;
}

std::int64_t EpisodeRing::Best(Order order, std::int64_t begin, std::int64_t end,
                               std::int64_t& visited) const {
  const MaxForest& forest = ForestOf(order);
  std::int64_t best = end;
  for (std::int64_t from = begin; from < end;) {
    const std::int64_t place = PlaceOf(from);
    const std::int64_t run = std::min(end - from, episodes_.size() - place);
    if (const auto found = forest.Best(place, place + run, visited)) {
      const bool better = best == end || forest.value(*found) > forest.value(PlaceOf(best));
      if (better) best = from + (*found - place);
    }
    from += run;
  }
  return best;
}

std::int64_t EpisodeRing::FirstAtLeast(Order order, std::int64_t begin, std::int64_t end,
                                       std::int64_t least, std::int64_t& visited) const {
  const MaxForest& forest = ForestOf(order);
  for (std::int64_t from = begin; from < end;) {
    const std::int64_t place = PlaceOf(from);
    const std::int64_t run = std::min(end - from, episodes_.size() - place);
    if (const auto found = forest.FirstAtLeast(place, place + run, least, visited))
      return from + (*found - place);
    from += run;
  }
  return end;
}

void EpisodeRing::Pack(std::vector<Episode>& episodes, std::vector<std::uint32_t>& words) const {
  episodes.reserve(static_cast<std::size_t>(end_ - first_));
  words.reserve(kept_words_);
  for (std::int64_t number = first_; number < end_; ++number) {
    const Episode& episode = (*this)[number];
    const auto pairs = PairsOf(episode);
    words.insert(words.end(), pairs.begin(), pairs.end());
    episodes.push_back(episode);
    episodes.back().pairs_begin = 0;
  }
}

bool EpisodeRing::Unpack(std::span<const Episode> episodes, std::span<const std::uint32_t> words) {
  end_ = first_;
  next_word_ = kept_words_ = 0;
  std::size_t used = 0;
  for (const Episode& episode : episodes) {
    if (first_ < 0 || episode.pairs_size > words.size() - used) return false;
    Put(episode, words.subspan(used, episode.pairs_size));
    used += episode.pairs_size;
  }
  return used == words.size();
}

}  // namespace weft::cache
