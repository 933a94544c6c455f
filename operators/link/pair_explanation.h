// PairExplanation: why a model scores a pair as it does.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "graph/event_batch.h"
#include "graph/time.h"

namespace weft::operators::link {

// Which PairScore is explained.
enum class PairQuestion { kRandom, kHistorical, kJoint };

// What one group of the model's columns adds to the log-odds, against the same column means for
// all pairs: its Shapley value (Shapley 1953; Lundberg and Lee, NeurIPS 2017), the mean of what it
// adds over all orders in which groups could become known.
struct GroupContribution {
  std::string_view group;  // lives as long as the program
  float log_odds = 0.0f;
};

// A partner that the source remembers, and what the log-odds would lack without that memory.
struct PartnerContribution {
  graph::NodeId partner = graph::kNoNode;
  float log_odds = 0.0f;
  std::int64_t sent_count = 0;  // events from the source to it, as far as they are counted
  std::int64_t received_count = 0;
  graph::TimeUs last_sent_us = graph::kBeforeAllTime;  // kBeforeAllTime: never, or not known
  graph::TimeUs last_received_us = graph::kBeforeAllTime;
};

struct PairExplanation {
  float log_odds = 0.0f;       // of the pair
  float mean_log_odds = 0.0f;  // of an average pair; with all groups' it comes to log_odds
  std::vector<GroupContribution> groups;      // all, in the model's order
  std::vector<PartnerContribution> partners;  // that matter, the largest first
};

}  // namespace weft::operators::link
