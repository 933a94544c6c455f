// The arrays of one step of `weft` and the kernels over them (weft_read_kernels.cc).
#pragma once

#include <cstdint>

#include "cache/partner_observe.h"
#include "operators/link/weft_features.h"

namespace weft::operators::link {

// Ids that no node has, for whoever is not known.
inline constexpr std::uint32_t kUnknownTarget = 0xfffffffeu;
inline constexpr std::uint32_t kUnknownSource = 0xfffffffdu;

// A candidate target with its row as of its event; row 0 if it has none.
struct WeftTarget {
  std::uint32_t node;
  std::uint32_t row;
};

// Which events are scored from one state.
enum class WeftGroups : std::int32_t { kEvent, kTime, kStep };

// Events in log order: each scores its candidates, then enters the rows. Plain pointers, borrowed.
struct WeftStepView {
  cache::PartnerRows rows;
  cache::PartnerStream* stream;
  WeftSource* source;  // scratch, one
  WeftGroups groups;
  std::uint64_t seed;  // of the draws

  std::int32_t event_count;
  const cache::PartnerEvent* event;  // [events]
  const WeftTarget* own;             // [events] its source's row, and its target's, before it
  const std::uint32_t* source_row;   // [events]
  const std::uint32_t* row_count;    // [events] rows in use before it
  // Features, kWeftStride a row, by what they are of: null leaves out all but the first.
  float* positive;                  // [events]
  const WeftTarget* negative;       // [events]
  float* negative_features;         // [events]
  const std::int32_t* extra_begin;  // [events + 1]
  const WeftTarget* extra;
  float* extra_features;
  float* seen_features;        // [events] another target, drawn from all that received before
  float* historical_features;  // [events] another past target of the source
  float* unknown_features;     // [events] a target without a past
  std::uint8_t* has_seen;      // [events] whether one could be drawn
  std::uint8_t* has_historical;
  std::uint8_t* is_new;  // [events] the target never received before
};

// One thread: an event is scored by what came before it.
template <class E>
void WeftAdvanceOn(const E& exec, const WeftStepView& view);

// Pairs against the rows as they are.
struct WeftPairsView {
  cache::PartnerRows rows;
  WeftNow now;
  std::int32_t source_count;
  const WeftTarget* source;  // [sources] node and row
  WeftSource* read;          // [sources]
  std::int32_t pair_count;
  const std::int32_t* pair_source;  // [pairs] number among the sources
  const WeftTarget* target;         // [pairs]
  float* features;                  // [pairs]
};

template <class E>
void WeftReadSourcesOn(const E& exec, const WeftPairsView& view);
template <class E>
void WeftReadPairsOn(const E& exec, const WeftPairsView& view);

}  // namespace weft::operators::link
