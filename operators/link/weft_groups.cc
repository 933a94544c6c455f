#include "operators/link/weft_groups.h"

#include <algorithm>
#include <string>

#include "graph/suggestion.h"
#include "graph/text.h"
#include "operators/link/weft_features.h"

namespace weft::operators::link {

std::span<const WeftGroup> WeftGroupList() {
  static const auto* const kGroups = new std::vector<WeftGroup>{
      {"node", {{kSourceLog, kPairOutAge}, {kSourcePlain, kPairHasOut}}},
      {"pair", {{kPairOutAge, kSourceRank}, {kPairHasOut, kSourceMet}}},
      {"met", {{kSourceMetSteps, kPairHours}, {kSourceMet, kPairThisHour}}},
      {"clock", {{kPairHours, kLogEnd}, {kPairThisHour, kIsLastTarget}}},
      {"order", {{kSourceRank, kFollowSum}}},
      {"sequence", {{kFollowSum, kCommonCount}, {kIsLastTarget, kCommonJaccard}}},
      {"common", {{kCommonCount, kWalkSum}, {kCommonJaccard, kStay}}},
      {"walk", {{kWalkSum, kRankByIn}}},
      {"habit",
       {{kRankByIn, kFollowLong}, {kStay, kIsEventTarget}, {kOutRankDifference, kWeftColumnCount}}},
      {"stream", {{kFollowLong, kSourceMetSteps}, {kIsEventTarget, kPlainEnd}}},
  };
  return *kGroups;
}

absl::StatusOr<std::vector<const WeftGroup*>> FindWeftGroups(std::span<const std::string> names) {
  std::vector<std::string_view> known;
  for (const WeftGroup& group : WeftGroupList()) known.push_back(group.name);
  std::vector<const WeftGroup*> found;
  for (const std::string& name : names) {
    const auto at = std::find(known.begin(), known.end(), name);
    if (at == known.end())
      return absl::InvalidArgumentError(graph::Concat(
          "expected a group of columns (",
          graph::JoinNames(std::vector<std::string>(known.begin(), known.end()), ", "), "), got ",
          name, graph::DidYouMean(name, known)));
    found.push_back(&WeftGroupList()[static_cast<std::size_t>(at - known.begin())]);
  }
  return found;
}

}  // namespace weft::operators::link
