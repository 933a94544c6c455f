#include "operators/hierarchy/planted_hierarchy.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "gpu/fixed_log.h"
#include "gpu/host_device.h"

namespace weft::operators::hierarchy {
namespace {

// At least, of a community.
constexpr std::size_t kCommunityNodes = 5;

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}

  std::uint64_t Next() { return gpu::CounterHash(seed_, drawn_++, 0); }
  // In [least, most].
  std::int64_t Between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(most - least + 1));
  }
  bool OneIn(std::uint64_t hits, std::uint64_t all) { return Next() % all < hits; }

  // A Poisson count, of the waits that fit into `mean`: each is -ln of a uniform number.
  std::int64_t Poisson(std::int64_t mean, int mean_bits) {
    const std::int64_t end = mean << (gpu::kFixedLogBits - mean_bits);
    const std::int64_t log_of_all = gpu::FixedLog(~std::uint64_t{0});
    std::int64_t count = 0;
    for (std::int64_t at = log_of_all - gpu::FixedLog(Next()); at < end;
         at += log_of_all - gpu::FixedLog(Next()))
      ++count;
    return count;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t drawn_ = 0;
};

class Maker {
 public:
  explicit Maker(const PlantedHierarchyOptions& options)
      : options_(options),
        draws_(options.seed),
        community_(static_cast<std::size_t>(options.nodes)) {}

  PlantedHierarchy Make() {
    for (std::int64_t snapshot = 0; snapshot < options_.snapshots;) {
      if (snapshot > 0) made_.coarse.push_back(snapshot);
      DrawCommunities();
      const std::int64_t end =
          std::min(options_.snapshots,
                   snapshot + draws_.Between(options_.coarse_least, options_.coarse_most));
      while (snapshot < end) snapshot = MakeFine(snapshot, end);
    }
    return std::move(made_);
  }

 private:
  void DrawCommunities() {
    std::vector<std::int32_t> order(community_.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size() - 1; i > 0; --i)
      std::swap(order[i],
                order[static_cast<std::size_t>(draws_.Between(0, static_cast<std::int64_t>(i)))]);
    const std::size_t communities = order.size() / kCommunityNodes;
    for (std::size_t i = 0; i < order.size(); ++i)
      community_[static_cast<std::size_t>(order[i])] =
          static_cast<std::int32_t>(i * communities / order.size());
  }

  // The end of the episode, which leaves no shorter rest than the shortest episode.
  std::int64_t MakeFine(std::int64_t begin, std::int64_t coarse_end) {
    if (begin > 0) made_.fine.push_back(begin);
    std::int64_t end =
        std::min(coarse_end, begin + draws_.Between(options_.fine_least, options_.fine_most));
    if (coarse_end - end < options_.fine_least) end = coarse_end;
    hub_ = static_cast<graph::NodeId>(draws_.Between(0, options_.nodes - 1));
    constexpr int kMeanBits = 10;
    const auto mean = static_cast<std::int64_t>(options_.interactions * (1 << kMeanBits));
    const std::int64_t rate = draws_.Between(mean / 2, mean + mean / 2);
    for (std::int64_t snapshot = begin; snapshot < end; ++snapshot) {
      const std::int64_t count = draws_.Poisson(rate, kMeanBits);
      for (std::int64_t i = 0; i < count; ++i)
        AddEvent(snapshot * options_.snapshot_us + options_.snapshot_us * i / count);
    }
    return end;
  }

  void AddEvent(graph::TimeUs time_us) {
    const auto any = [this] {
      return static_cast<graph::NodeId>(draws_.Between(0, options_.nodes - 1));
    };
    const graph::NodeId source = draws_.OneIn(2, 5) ? hub_ : any();
    const bool within = draws_.OneIn(4, 5);
    graph::NodeId target = any();
    while (target == source || (within && community_[target] != community_[source])) target = any();
    made_.events.source.push_back(source);
    made_.events.target.push_back(target);
    made_.events.time_us.push_back(time_us);
  }

  const PlantedHierarchyOptions& options_;
  Draws draws_;
  std::vector<std::int32_t> community_;  // by node
  graph::NodeId hub_ = 0;
  PlantedHierarchy made_;
};

}  // namespace

PlantedHierarchy MakePlantedHierarchy(const PlantedHierarchyOptions& options) {
  return Maker(options).Make();
}

}  // namespace weft::operators::hierarchy
