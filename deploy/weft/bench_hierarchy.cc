#include <algorithm>
#include <chrono>
#include <vector>

#include "cache/episode_queries.h"
#include "cache/mix_affinity.h"
#include "deploy/weft/bench.h"
#include "operators/hierarchy/episode_stream.h"
#include "operators/hierarchy/planted_hierarchy.h"
#include "operators/learn/process_cost.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::hierarchy::EpisodeStream;
using operators::hierarchy::PlantedHierarchyOptions;
using std::chrono::steady_clock;

constexpr std::int64_t kParts = 10;
constexpr std::int64_t kPartSnapshots = 4000;  // made at once
constexpr std::int64_t kTimelineItems = 1000;

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

// A planted stream that goes on and on, and the hierarchy of it. What is made up is not measured.
class GrowingHierarchy {
 public:
  explicit GrowingHierarchy(const BenchFlags& flags)
      : flags_(flags), stream_({}, {}, TreeOptions(flags)) {}

  // `snapshots` more; the CPU seconds that it took.
  double Grow(std::int64_t snapshots) {
    double seconds = 0.0;
    while (snapshots > 0) {
      PlantedHierarchyOptions planted;
      planted.seed = ++parts_;
      planted.snapshots = std::min(snapshots, kPartSnapshots);
      planted.nodes = flags_.busy_nodes;
      planted.interactions = flags_.interactions;
      graph::EventBatch events = operators::hierarchy::MakePlantedHierarchy(planted).events;
      for (graph::TimeUs& time_us : events.time_us) time_us += snapshots_ * planted.snapshot_us;
      const double begin = operators::learn::ProcessCpuSeconds();
      stream_.Push(graph::EventSpan::Of(events), changes_);
      seconds += operators::learn::ProcessCpuSeconds() - begin;
      changes_.clear();
      snapshots_ += planted.snapshots;
      snapshots -= planted.snapshots;
    }
    return seconds;
  }

  const cache::EpisodeTree& tree() const { return stream_.tree(); }

 private:
  static cache::EpisodeTreeOptions TreeOptions(const BenchFlags& flags) {
    cache::EpisodeTreeOptions options;
    options.most_leaves = flags.leaves;
    options.most_words = std::max<std::int64_t>(1 << 16, flags.leaves * 512);
    options.keep_us.fill(flags.keep_snapshots * PlantedHierarchyOptions().snapshot_us);
    return options;
  }

  const BenchFlags& flags_;
  EpisodeStream stream_;
  std::vector<cache::EpisodeChange> changes_;
  std::uint64_t parts_ = 0;
  std::int64_t snapshots_ = 0;
};

ordered_json Parts(const BenchFlags& flags, GrowingHierarchy& hierarchy, double& all_seconds) {
  ordered_json parts = ordered_json::array();
  for (std::int64_t part = 1; part <= kParts; ++part) {
    const std::int64_t count =
        flags.snapshots * part / kParts - flags.snapshots * (part - 1) / kParts;
    const std::int64_t touched = hierarchy.tree().touched_records();
    const double seconds = hierarchy.Grow(count);
    all_seconds += seconds;
    const auto each = static_cast<double>(std::max<std::int64_t>(count, 1));
    parts.push_back({{"snapshots", hierarchy.tree().snapshot_count()},
                     {"us_per_snapshot", seconds * 1e6 / each},
                     {"touched_records_per_snapshot",
                      static_cast<double>(hierarchy.tree().touched_records() - touched) / each},
                     {"tree_bytes", hierarchy.tree().bytes()},
                     {"peak_rss_bytes", operators::learn::PeakResidentBytes()}});
  }
  return parts;
}

ordered_json Levels(const cache::EpisodeTree& tree) {
  ordered_json levels = ordered_json::array();
  for (std::int32_t level = 1; level <= cache::kMostLevels; ++level) {
    const cache::EpisodeRing& closed = tree.closed(level);
    if (closed.end() == 0) break;
    levels.push_back(
        {{"level", level}, {"closed", closed.end()}, {"kept", closed.end() - closed.first()}});
  }
  return levels;
}

// Stretches of all lengths, from all of it down to a thousandth, of the finest level.
ordered_json Timelines(const BenchFlags& flags, const cache::EpisodeTree& tree) {
  std::vector<double> seconds;
  std::int64_t most_visited = 0, episodes = 0;
  const std::int64_t begin_us = tree.begin_us(), span_us = tree.end_us() - begin_us;
  for (std::int64_t i = 0; i < flags.requests; ++i) {
    const std::int64_t length_us = span_us / (1 + i % 10 * (i % 10) * 10);
    const std::int64_t from_us = begin_us + (span_us - length_us) / flags.requests * i;
    const auto begin = steady_clock::now();
    const cache::EpisodeView view(tree);
    const cache::Timeline timeline = cache::DecimatedTimeline(view, {.from_us = from_us,
                                                                     .to_us = from_us + length_us,
                                                                     .most_items = kTimelineItems,
                                                                     .level = 1});
    for (const auto& [number, hidden] : timeline.items) view.Get(1, number);
    seconds.push_back(SecondsSince(begin));
    most_visited = std::max(most_visited, timeline.visited);
    episodes = std::max(episodes, timeline.episodes);
  }
  return {{"max_items", kTimelineItems},
          {"most_episodes", episodes},
          {"most_visited", most_visited},
          {"milliseconds", Percentiles(seconds)}};
}

ordered_json Similar(const BenchFlags& flags, const cache::EpisodeTree& tree) {
  const cache::EpisodeView view(tree);
  const cache::EpisodeRange closed = view.Closed(1);
  const std::int64_t count = closed.end - closed.begin;
  std::vector<float> affinity(static_cast<std::size_t>(count));
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(flags.requests, 50); ++i) {
    const std::int64_t number = closed.begin + count / 50 * (i % 50);
    const auto begin = steady_clock::now();
    const cache::MixAffinity mix(view.Sums(1, number).pair_count(), gpu::HostExec());
    mix.Of(tree.closed(1), closed.begin, affinity);
    seconds.push_back(SecondsSince(begin));
  }
  std::int64_t pairs = 0;
  for (std::int64_t number = closed.begin; number < closed.end; ++number)
    pairs += static_cast<std::int64_t>(tree.closed(1)[number].pairs_size);
  return {{"episodes", count},
          {"mean_pairs", count > 0 ? static_cast<double>(pairs) / static_cast<double>(count) : 0.0},
          {"milliseconds", Percentiles(seconds)}};
}

}  // namespace

int BenchHierarchy(const BenchFlags& flags) {
  GrowingHierarchy hierarchy(flags);
  double seconds = 0.0;
  const ordered_json parts = Parts(flags, hierarchy, seconds);
  const cache::EpisodeTree& tree = hierarchy.tree();
  return PrintFigures(
      flags, "hierarchy",
      {{"snapshots", tree.snapshot_count()},
       {"nodes", flags.busy_nodes},
       {"interactions_per_snapshot", flags.interactions},
       {"snapshots_per_cpu_second", static_cast<double>(tree.snapshot_count()) / seconds},
       {"touched_records", tree.touched_records()},
       {"parts", parts},
       {"levels", Levels(tree)},
       {"timeline", Timelines(flags, tree)},
       {"similar", Similar(flags, tree)}});
}

}  // namespace weft::deploy
