// RecencyMix: what the model `recency` makes of a pair (recency.md), for whoever reads the same
// signals elsewhere.
#pragma once

#include "gpu/elementary.h"

namespace weft::operators::link {

// The weights: the two recencies count alike, the other two signals mostly part what is equally
// recent. The same for every data set; how they were chosen: recency.md.
inline constexpr float kPairRecency = 1.0f;
inline constexpr float kTargetRecency = 1.0f;
inline constexpr float kCommonPartners = 0.1f;
inline constexpr float kPopularity = 0.1f;

// 1 for what has just happened, falling with log1p of the events since.
inline float Freshness(float log_events_since) { return 1.0f / (1.0f + log_events_since); }

struct RecencySignals {
  float target_freshness = 0.0f;  // 0 if it was never a target
  float log_target_count = 0.0f;  // log1p of the events with the target as one
  float log_event_count = 0.0f;   // log1p of all events; 0 before the first
  float common_partners = 0.0f;
  float pair_freshness = 0.0f;  // of both directions; 0 if they never met
};

inline float RecencyMix(const RecencySignals& signals) {
  float score = kTargetRecency * signals.target_freshness;
  if (signals.log_event_count > 0.0f)
    score += kPopularity * signals.log_target_count / signals.log_event_count;
  score += kCommonPartners * signals.common_partners / (1.0f + signals.common_partners);
  return score + kPairRecency * signals.pair_freshness;
}

}  // namespace weft::operators::link
