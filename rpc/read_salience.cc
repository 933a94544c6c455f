#include "rpc/read_salience.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/hierarchy/salience.h"

namespace weft::rpc {
namespace {

using operators::hierarchy::LearnedSalience;
using operators::hierarchy::SalienceReader;

constexpr std::int64_t kMostScanned = 1 << 18;

absl::Status Read(GraphHost& host, const CallContext& context, const std::string& hierarchy,
                  const std::function<void(const LearnedSalience&)>& read) {
  const std::string& node = host.FindSalienceNode(hierarchy);
  if (node.empty())
    return absl::FailedPreconditionError(
        graph::Concat("no operator salience follows \"", hierarchy,
                      "\", so that nothing is learned of episodes"));
  return host.graph().Read(
      node, context.left_us(), [&read](const graph::Operator& candidate, graph::LogPosition) {
        read(dynamic_cast<const SalienceReader&>(candidate).learned_salience());
      });
}

}  // namespace

absl::Status ReadSalience(GraphHost& host, const CallContext& context, const std::string& hierarchy,
                          std::span<PickedEpisode> episodes) {
  return Read(host, context, hierarchy, [episodes](const LearnedSalience& learned) {
    for (PickedEpisode& episode : episodes)
      if (episode.state == v1::EPISODE_STATE_FINAL)
        episode.learned = learned.Find(episode.level, episode.number);
  });
}

absl::StatusOr<std::vector<std::int64_t>> HighestLearned(GraphHost& host,
                                                         const CallContext& context,
                                                         const std::string& hierarchy,
                                                         EpisodeRange range, std::size_t most) {
  std::vector<std::pair<float, std::int64_t>> scores;
  WEFT_TRY(Read(host, context, hierarchy, [&](const LearnedSalience& learned) {
    for (std::int64_t number = std::max(range.begin, range.end - kMostScanned); number < range.end;
         ++number)
      if (const auto score = learned.Find(range.level, number))
        scores.emplace_back(-score->score, number);
  }));
  const std::size_t count = std::min(most, scores.size());
  std::partial_sort(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(count),
                    scores.end());
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(scores[i].second);
  return numbers;
}

}  // namespace weft::rpc
