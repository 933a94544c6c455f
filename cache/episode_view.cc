#include "cache/episode_view.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace weft::cache {
namespace {

constexpr std::int64_t kNotYet = std::numeric_limits<std::int64_t>::max();

}  // namespace

EpisodeView::EpisodeView(const EpisodeTree& tree) : tree_(&tree), known_until_us_(tree.end_us()) {
  AddLevels();
}

EpisodeView::EpisodeView(const EpisodeTree& tree, std::int64_t as_of_us)
    : tree_(&tree),
      is_past_(as_of_us < tree.end_us()),
      known_until_us_(std::min(as_of_us, tree.end_us())) {
  AddLevels();
}

void EpisodeView::AddLevels() {
  if (tree_->snapshot_count() == 0 || known_until_us_ <= tree_->begin_us()) return;
  for (std::int32_t level = 1; level <= kMostLevels; ++level) {
    if (level > 1 && At(level - 1).closed_end < LevelBoundaries::kFewest) return;
    const EpisodeRing& closed = tree_->closed(level);
    Level& here = levels_[static_cast<std::size_t>(level) - 1];
    here.closed_end = is_past_ ? closed.FirstDecidedAfter(known_until_us_) : closed.end();
    here.final_end = closed.first();
    // All that were closed then have gone since.
    if (here.closed_end == closed.first() && closed.first() > 0) return;
    here.open_begin_us = tree_->begin_us();
    if (here.closed_end > 0) {
      const Episode& last = closed[here.closed_end - 1];
      here.open_begin = last.end;
      here.open_begin_us = last.end_us;
      here.open_first_child = last.first_child + last.child_count;
      if (level > 1)
        levels_[static_cast<std::size_t>(level) - 2].final_end =
            std::max(here.open_first_child, tree_->closed(level - 1).first());
    }
    here.has_open =
        is_past_ ? here.open_begin_us < known_until_us_ : here.open_begin < tree_->snapshot_count();
    level_count_ = level;
  }
}

EpisodeRange EpisodeView::All(std::int32_t level) const {
  EpisodeRange range = Closed(level);
  range.end += At(level).has_open ? 1 : 0;
  return range;
}

EpisodeRange EpisodeView::Closed(std::int32_t level) const {
  return {level, tree_->closed(level).first(), At(level).closed_end};
}

EpisodeRange EpisodeView::Final(std::int32_t level) const {
  return {level, tree_->closed(level).first(), At(level).final_end};
}

EpisodeState EpisodeView::StateOf(std::int32_t level, std::int64_t number) const {
  if (number >= At(level).closed_end) return EpisodeState::kOpen;
  return number < At(level).final_end ? EpisodeState::kFinal : EpisodeState::kProvisional;
}

Episode EpisodeView::Get(std::int32_t level, std::int64_t number) const {
  Episode episode;
  if (IsClosed(level, number)) {
    episode = tree_->closed(level)[number];
  } else {
    const Level& here = At(level);
    OpenSums(level).Summarise(episode);
    episode.begin = here.open_begin;
    episode.begin_us = here.open_begin_us;
    episode.end = is_past_ ? kUnknown : tree_->snapshot_count();
    episode.end_us = known_until_us_;
    episode.decided_us = kNotYet;
    const EpisodeRange children = Children(level, number);
    episode.first_child = level == 1 ? here.open_begin : children.begin;
    episode.child_count = level == 1 ? std::max<std::int64_t>(0, episode.end - episode.begin)
                                     : children.end - children.begin;
    episode.score = Score(level, number);
  }
  if (StateOf(level, number) == EpisodeState::kFinal) return episode;
  episode.salience = Salience(level, number);
  episode.parent = Parent(level, number);
  return episode;
}

std::int64_t EpisodeView::Parent(std::int32_t level, std::int64_t number) const {
  if (StateOf(level, number) == EpisodeState::kFinal) return tree_->closed(level)[number].parent;
  return level < level_count_ ? At(level + 1).closed_end : Episode::kUndecided;
}

EpisodeSums EpisodeView::Sums(std::int32_t level, std::int64_t number) const {
  if (!IsClosed(level, number)) return OpenSums(level);
  const EpisodeRing& closed = tree_->closed(level);
  EpisodeSums sums;
  sums.Add(closed[number], closed.PairsOf(closed[number]));
  return sums;
}

// The children that are closed, the one that is open, and so on down to the open leaf.
EpisodeSums EpisodeView::OpenSums(std::int32_t level) const {
  EpisodeSums sums;
  for (; level > 1; --level) {
    const EpisodeRing& below = tree_->closed(level - 1);
    const EpisodeRange children = Children(level, At(level).closed_end);
    for (std::int64_t child = children.begin; child < At(level - 1).closed_end; ++child)
      sums.Add(below[child], below.PairsOf(below[child]));
  }
  if (!is_past_) tree_->AddOpenLeaf(sums);
  return sums;
}

const PairMix& EpisodeView::OpenMix(std::int32_t level) const {
  auto& mix = open_mix_[static_cast<std::size_t>(level) - 1];
  if (mix == nullptr) mix = std::make_unique<PairMix>(OpenSums(level).pair_count());
  return *mix;
}

std::int64_t EpisodeView::Salience(std::int32_t level, std::int64_t number) const {
  const EpisodeRing& closed = tree_->closed(level);
  if (StateOf(level, number) == EpisodeState::kFinal) return closed[number].salience;
  if (level == level_count_) return 0;  // nothing to compare with
  const PairMix& mix = OpenMix(level + 1);
  if (IsClosed(level, number))
    return mix.Salience(closed.PairsOf(closed[number]), closed[number].interactions);
  const EpisodeSums sums = OpenSums(level);
  std::vector<std::uint32_t> pairs;
  AppendPairs(sums.pair_count(), pairs);
  return mix.Salience(pairs, sums.interactions());
}

std::int64_t EpisodeView::Begin(std::int32_t level, std::int64_t number) const {
  return IsClosed(level, number) ? tree_->closed(level)[number].begin : At(level).open_begin;
}

std::int64_t EpisodeView::BeginUs(std::int32_t level, std::int64_t number) const {
  return IsClosed(level, number) ? tree_->closed(level)[number].begin_us : At(level).open_begin_us;
}

std::int64_t EpisodeView::EndUs(std::int32_t level, std::int64_t number) const {
  return IsClosed(level, number) ? tree_->closed(level)[number].end_us : known_until_us_;
}

// That of an open one's boundary is kept with the next closed one, or with the tree.
std::int64_t EpisodeView::Score(std::int32_t level, std::int64_t number) const {
  const EpisodeRing& closed = tree_->closed(level);
  return number < closed.end() ? closed[number].score : tree_->open_score(level);
}

EpisodeRange EpisodeView::Children(std::int32_t level, std::int64_t number) const {
  if (level == 1) return {0, 0, 0};
  const std::int64_t first_kept = tree_->closed(level - 1).first();
  if (!IsClosed(level, number))
    return {level - 1, std::max(At(level).open_first_child, first_kept), All(level - 1).end};
  const Episode& episode = tree_->closed(level)[number];
  const std::int64_t end = episode.first_child + episode.child_count;
  return {level - 1, std::clamp(episode.first_child, first_kept, std::max(first_kept, end)),
          std::max(first_kept, end)};
}

EpisodeRange EpisodeView::Overlapping(std::int32_t level, std::int64_t from_us,
                                      std::int64_t to_us) const {
  const EpisodeRange all = All(level);
  const EpisodeRing& closed = tree_->closed(level);
  EpisodeRange range = {level, std::min(closed.FirstEndingAfter(from_us), At(level).closed_end), 0};
  // The open one begins where the last closed one ends.
  if (range.begin == At(level).closed_end && from_us >= known_until_us_) range.begin = all.end;
  // The first that begins at `to_us` or later follows the first that ends then or later.
  range.end = std::min(closed.FirstEndingAfter(to_us - 1), At(level).closed_end) + 1;
  range.end = std::clamp(range.end, range.begin, all.end);
  if (to_us <= from_us ||
      (range.begin < all.end && range.begin == all.begin && BeginUs(level, range.begin) >= to_us))
    range.end = range.begin;
  return range;
}

std::optional<EpisodeRange> EpisodeView::Find(std::uint64_t id) const {
  const auto [level, begin] = PlaceOfId(id);
  if (level < 1 || level > level_count_) return std::nullopt;
  if (At(level).has_open && begin == At(level).open_begin)
    return EpisodeRange{level, At(level).closed_end, At(level).closed_end + 1};
  const std::int64_t number = tree_->closed(level).FindBegin(begin);
  if (number >= At(level).closed_end) return std::nullopt;
  return EpisodeRange{level, number, number + 1};
}

}  // namespace weft::cache
