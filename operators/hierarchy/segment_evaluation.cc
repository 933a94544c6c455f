#include "operators/hierarchy/segment_evaluation.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "graph/text.h"
#include "operators/learn/process_cost.h"

namespace weft::operators::hierarchy {
namespace {

constexpr std::int64_t kRandomDraws = 20;
constexpr std::int64_t kGebdShare = 20;  // one in so many snapshots is the tolerance

class Evaluation {
 public:
  Evaluation(const graph::EventBatch& events, const std::vector<TrueBoundary>& truth,
             const SegmentOptions& options)
      : events_(events), truth_(truth), options_(options) {}

  SegmentResult Run() {
    Build();
    std::int32_t most = 0;
    for (const auto& [level, episode] : closed_) most = std::max(most, level);
    for (std::int32_t level = 1; level <= most; ++level) result_.levels.push_back(Level(level));
    return std::move(result_);
  }

 private:
  void Build() {
    EpisodeStream stream(options_.snapshots, options_.leaf);
    std::vector<cache::EpisodeChange> changes;
    const double begin_seconds = learn::ProcessCpuSeconds();
    std::int64_t latency = 0, decided = 0;
    for (std::int64_t i = 0; i < events_.size(); ++i) {
      stream.Push(graph::EventSpan::Of(events_, i, i + 1), changes);
      for (const cache::EpisodeChange& change : changes) {
        if (change.kind != cache::EpisodeChange::kClosed || change.level != 1) continue;
        latency += stream.tree().snapshot_count() - stream.tree().closed(1)[change.number].end;
        ++decided;
      }
      Keep(stream.tree(), changes);
    }
    stream.Finish(changes);
    Keep(stream.tree(), changes);
    result_.cpu_seconds = learn::ProcessCpuSeconds() - begin_seconds;
    result_.snapshots = stream.tree().snapshot_count();
    if (decided > 0)
      result_.decision_latency_snapshots =
          static_cast<double>(latency) / static_cast<double>(decided);
    origin_us_ = stream.tree().begin_us();
    for (const auto& [level, episode] : closed_)
      length_ = std::max(length_, SnapshotOf(episode.end_us));
  }

  // Those that were closed; clears `changes`.
  void Keep(const cache::EpisodeTree& tree, std::vector<cache::EpisodeChange>& changes) {
    for (const cache::EpisodeChange& change : changes)
      if (change.kind == cache::EpisodeChange::kClosed)
        closed_.emplace_back(change.level, tree.closed(change.level)[change.number]);
    changes.clear();
  }

  // By time, which gaps that were cut do not shorten.
  std::int64_t SnapshotOf(graph::TimeUs time_us) const {
    return (time_us - origin_us_) / options_.snapshots.width_us;
  }

  SegmentLevel Level(std::int32_t level) const {
    SegmentLevel figures;
    figures.level = level;
    std::vector<std::int64_t> found;
    std::int64_t snapshots = 0;
    for (const auto& [of, episode] : closed_) {
      if (of != level) continue;
      ++figures.episodes;
      snapshots += episode.end - episode.begin;
      if (episode.begin > 0) found.push_back(SnapshotOf(episode.begin_us));
    }
    figures.mean_snapshots = static_cast<double>(snapshots) / static_cast<double>(figures.episodes);
    const std::vector<std::int64_t> truth = Truth(level);
    if (truth.empty()) return figures;
    const auto count = static_cast<std::int64_t>(truth.size());
    figures.found = Match(found, truth, level);
    figures.uniform = Match(UniformBoundaries(count, length_), truth, level);
    figures.random = MeanOfRandom(truth, level);
    if (level > 1) figures.flat = Match(HighestLeaves(found.size()), truth, level);
    return figures;
  }

  std::vector<std::int64_t> Truth(std::int32_t level) const {
    std::vector<std::int64_t> truth;
    for (const TrueBoundary& boundary : truth_) {
      const std::int64_t snapshot = SnapshotOf(boundary.time_us);
      if (boundary.level >= level && boundary.time_us > origin_us_ && snapshot < length_)
        truth.push_back(snapshot);
    }
    std::ranges::sort(truth);
    truth.erase(std::unique(truth.begin(), truth.end()), truth.end());
    return truth;
  }

  SegmentMatch Match(const std::vector<std::int64_t>& found, const std::vector<std::int64_t>& truth,
                     std::int32_t level) const {
    return {MatchBoundaries(found, truth, level * options_.tolerance),
            MatchBoundaries(found, truth, length_ / kGebdShare).f1};
  }

  SegmentMatch MeanOfRandom(const std::vector<std::int64_t>& truth, std::int32_t level) const {
    SegmentMatch mean;
    for (std::int64_t draw = 1; draw <= kRandomDraws; ++draw) {
      const SegmentMatch one =
          Match(RandomBoundaries(static_cast<std::uint64_t>(draw),
                                 static_cast<std::int64_t>(truth.size()), length_),
                truth, level);
      mean.figures.found = one.figures.found;
      mean.figures.truth = one.figures.truth;
      mean.figures.precision += one.figures.precision / kRandomDraws;
      mean.figures.recall += one.figures.recall / kRandomDraws;
      mean.figures.f1 += one.figures.f1 / kRandomDraws;
      mean.gebd_f1 += one.gebd_f1 / kRandomDraws;
    }
    return mean;
  }

  std::vector<std::int64_t> HighestLeaves(std::size_t count) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> leaves;  // score, snapshot
    for (const auto& [level, episode] : closed_)
      if (level == 1 && episode.begin > 0)
        leaves.emplace_back(-episode.score, SnapshotOf(episode.begin_us));
    std::ranges::sort(leaves);
    leaves.resize(std::min(leaves.size(), count));
    std::vector<std::int64_t> boundaries;
    for (const auto& [score, snapshot] : leaves) boundaries.push_back(snapshot);
    std::ranges::sort(boundaries);
    return boundaries;
  }

  const graph::EventBatch& events_;
  const std::vector<TrueBoundary>& truth_;
  const SegmentOptions& options_;
  std::vector<std::pair<std::int32_t, cache::Episode>> closed_;  // of each level in order
  graph::TimeUs origin_us_ = 0;
  std::int64_t length_ = 0;  // snapshots of the stream, by time
  SegmentResult result_;
};

absl::Status WrongLine(std::string_view path, std::int64_t line, std::string_view expected,
                       std::string_view got) {
  return absl::InvalidArgumentError(
      graph::Concat(path, ":", line, ": expected ", expected, ", got \"", got, "\""));
}

}  // namespace

absl::StatusOr<std::vector<TrueBoundary>> ParseTruth(std::string_view text, std::string_view path,
                                                     io::TimeUnit unit) {
  std::vector<TrueBoundary> truth;
  std::int64_t number = 0;
  while (!text.empty() || number == 0) {
    ++number;
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (number == 1) {
      if (line != "time,level") return WrongLine(path, number, "the header time,level", line);
      continue;
    }
    if (line.empty()) continue;
    const std::size_t comma = line.find(',');
    TrueBoundary boundary;
    if (comma == std::string_view::npos ||
        !io::ParseTime(line.substr(0, comma), unit, boundary.time_us))
      return WrongLine(path, number, "a time and a level", line);
    const std::string_view level = line.substr(comma + 1);
    const auto [end, error] =
        std::from_chars(level.data(), level.data() + level.size(), boundary.level);
    if (error != std::errc() || end != level.data() + level.size() || boundary.level < 1 ||
        boundary.level > cache::kMostLevels)
      return WrongLine(path, number, graph::Concat("a level from 1 to ", cache::kMostLevels),
                       level);
    truth.push_back(boundary);
  }
  return truth;
}

SegmentResult EvaluateSegments(const graph::EventBatch& events,
                               const std::vector<TrueBoundary>& truth,
                               const SegmentOptions& options) {
  return Evaluation(events, truth, options).Run();
}

}  // namespace weft::operators::hierarchy
