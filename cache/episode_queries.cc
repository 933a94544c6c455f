#include "cache/episode_queries.h"

#include <algorithm>
#include <limits>
#include <queue>

#include "gpu/fixed_log.h"

namespace weft::cache {
namespace {

constexpr std::int64_t kNothing = std::numeric_limits<std::int64_t>::min();

EpisodeRing::Order RingOrder(EpisodeOrder order) {
  return order == EpisodeOrder::kSalience ? EpisodeRing::Order::kSalience
                                          : EpisodeRing::Order::kScore;
}

std::int64_t ValueOf(const EpisodeView& view, std::int32_t level, EpisodeOrder order,
                     std::int64_t number) {
  return order == EpisodeOrder::kSalience ? view.Salience(level, number)
                                          : view.Score(level, number);
}

// Where the part of a range ends that the ring's forests know: the salience of those that are not
// final is another one for every view.
std::int64_t IndexedEnd(const EpisodeView& view, EpisodeRange range, EpisodeOrder order) {
  const std::int64_t end =
      order == EpisodeOrder::kSalience ? view.Final(range.level).end : view.Closed(range.level).end;
  return std::clamp(end, range.begin, range.end);
}

// A part of a range with its highest value.
struct Part {
  std::int64_t value = kNothing;
  std::int64_t best = 0;
  std::int64_t begin = 0, end = 0;
  // The one that comes last is the higher one.
  bool operator<(const Part& other) const {
    return value != other.value ? value < other.value : best > other.best;
  }
};

}  // namespace

std::vector<std::int64_t> Highest(const EpisodeView& view, EpisodeRange range, EpisodeOrder order,
                                  std::size_t most, std::int64_t& visited) {
  const EpisodeRing& ring = view.tree().closed(range.level);
  std::priority_queue<Part> parts;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    if (begin >= end) return;
    const std::int64_t best = ring.Best(RingOrder(order), begin, end, visited);
    if (best < end) parts.push({ValueOf(view, range.level, order, best), best, begin, end});
  };
  const std::int64_t indexed_end = IndexedEnd(view, range, order);
  add(range.begin, indexed_end);
  for (std::int64_t number = indexed_end; number < range.end; ++number, ++visited)
    parts.push({ValueOf(view, range.level, order, number), number, number, number + 1});
  std::vector<std::int64_t> highest;
  while (!parts.empty() && highest.size() < most) {
    const Part part = parts.top();
    parts.pop();
    highest.push_back(part.best);
    if (part.end - part.begin == 1) continue;
    add(part.begin, part.best);
    add(part.best + 1, part.end);
  }
  return highest;
}

std::vector<std::int64_t> ClearBoundaries(const EpisodeView& view, EpisodeRange range,
                                          std::int64_t least_score, std::size_t most,
                                          std::int64_t& visited) {
  const EpisodeRing& ring = view.tree().closed(range.level);
  const std::int64_t indexed_end = IndexedEnd(view, range, EpisodeOrder::kBoundary);
  std::vector<std::int64_t> found;
  std::int64_t from = std::max<std::int64_t>(range.begin, 1);
  while (from < indexed_end && found.size() < most) {
    from = ring.FirstAtLeast(EpisodeRing::Order::kScore, from, indexed_end, least_score, visited);
    if (from < indexed_end) found.push_back(from++);
  }
  for (; from < range.end && found.size() < most; ++from, ++visited)
    if (view.Score(range.level, from) >= least_score) found.push_back(from);
  return found;
}

namespace {

// In which of the equal shares of a query's time an episode begins; in the first if before.
class TimeShares {
 public:
  explicit TimeShares(const TimelineQuery& query) : query_(query) {}
  std::int64_t EndUs(std::int64_t share) const {
    if (share + 1 >= query_.most_items) return std::numeric_limits<std::int64_t>::max();
    const auto width = static_cast<gpu::Int128>(query_.to_us) - query_.from_us;
    return query_.from_us + static_cast<std::int64_t>(width * (share + 1) / query_.most_items);
  }

 private:
  const TimelineQuery& query_;
};

// Of each share the most salient of those that are wanted: looks at each of them.
void AddWanted(const EpisodeView& view, const TimelineQuery& query, EpisodeRange range,
               Timeline& timeline) {
  const std::int64_t begin = std::max(range.begin, range.end - query.most_scanned);
  timeline.cut = begin > range.begin;
  std::vector<std::int64_t> wanted;
  for (std::int64_t number = begin; number < range.end; ++number, ++timeline.visited)
    if (query.wanted(range.level, number) &&
        view.Salience(range.level, number) >= query.least_salience)
      wanted.push_back(number);
  timeline.episodes = static_cast<std::int64_t>(wanted.size());
  const TimeShares shares(query);
  const bool all = timeline.episodes <= query.most_items;
  std::int64_t share = 0;
  bool is_first = true;
  std::int64_t best_salience = 0;
  for (const std::int64_t number : wanted) {
    const std::int64_t begin_us = view.BeginUs(range.level, number);
    const std::int64_t salience = view.Salience(range.level, number);
    const bool opens = all || is_first || begin_us >= shares.EndUs(share);
    while (begin_us >= shares.EndUs(share)) ++share;
    is_first = false;
    if (opens) {
      timeline.items.push_back({number, 0});
      best_salience = salience;
      continue;
    }
    ++timeline.items.back().hidden;
    if (salience <= best_salience) continue;
    timeline.items.back().number = number;
    best_salience = salience;
  }
}

// The first of [begin, end) that begins at `time_us` or later. Looks near `guess` first: each look
// is at memory that nobody has looked at lately.
std::int64_t FirstFrom(const EpisodeView& view, std::int32_t level, std::int64_t begin,
                       std::int64_t end, std::int64_t guess, std::int64_t time_us,
                       std::int64_t& visited) {
  const auto is_before = [&](std::int64_t number) {
    ++visited;
    return view.BeginUs(level, number) < time_us;
  };
  std::int64_t low = begin, high = end;
  std::int64_t step = 8;
  if (guess > low && guess < high && is_before(guess)) {
    for (low = guess + 1; low + step < high && is_before(low + step); step *= 2) low += step + 1;
    high = std::min(high, low + step);
  } else if (guess > low && guess < high) {
    for (high = guess; high - step > low && !is_before(high - step); step *= 2) high -= step;
    low = std::max(low, high - step);
  }
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (is_before(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The same of all, through the index.
void AddMostSalient(const EpisodeView& view, const TimelineQuery& query, EpisodeRange range,
                    Timeline& timeline) {
  const auto add_best = [&](std::int64_t begin, std::int64_t end) {
    const EpisodeRange part = {range.level, begin, end};
    const auto best = Highest(view, part, EpisodeOrder::kSalience, 1, timeline.visited);
    if (!best.empty() && view.Salience(range.level, best.front()) >= query.least_salience)
      timeline.items.push_back({best.front(), end - begin - 1});
  };
  if (timeline.episodes <= query.most_items) {
    for (std::int64_t number = range.begin; number < range.end; ++number)
      add_best(number, number + 1);
    return;
  }
  const TimeShares shares(query);
  std::int64_t count = timeline.episodes / query.most_items;
  for (std::int64_t share = 0, begin = range.begin; begin < range.end; ++share) {
    // Those that begin before the end of the share: about as many as in the one before.
    const std::int64_t end = FirstFrom(view, range.level, begin, range.end, begin + count,
                                       shares.EndUs(share), timeline.visited);
    count = end - begin;
    if (end > begin) add_best(begin, end);
    begin = end;
  }
}

}  // namespace

Timeline DecimatedTimeline(const EpisodeView& view, const TimelineQuery& query) {
  Timeline timeline;
  EpisodeRange range;
  const std::int32_t first = query.level == 0 ? 1 : query.level;
  const std::int32_t last = query.level == 0 ? view.level_count() : query.level;
  for (std::int32_t level = first; level <= std::min(last, view.level_count()); ++level) {
    range = view.Overlapping(level, query.from_us, query.to_us);
    timeline.level = level;
    timeline.episodes = range.end - range.begin;
    ++timeline.visited;
    if (timeline.episodes <= query.most_items) break;
  }
  if (timeline.level == 0) return timeline;
  if (query.wanted) {
    AddWanted(view, query, range, timeline);
  } else {
    AddMostSalient(view, query, range, timeline);
  }
  return timeline;
}

}  // namespace weft::cache
