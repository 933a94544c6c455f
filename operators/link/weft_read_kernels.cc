// Bodies that read features and take events in.
#include "gpu/launch.h"
#include "operators/link/weft_kernels.h"
#include "operators/link/weft_pair.h"

namespace weft::operators::link {
namespace {

// What a draw is for: the slot of its counter hash.
enum Draw : std::uint64_t { kDrawHistorical = 0, kDrawSeen = 1 };

struct AdvanceBody {
  WeftStepView v;

  WEFT_HD bool StartsGroup(std::int32_t i) const {
    if (v.groups == WeftGroups::kEvent || v.stream->group == 0) return true;
    if (v.groups == WeftGroups::kStep) return i == 0;
    return v.event[i].time_us != v.stream->group_us;
  }
  // Whether a later event may be of the same group as event i.
  WEFT_HD bool GroupGoesOn(std::int32_t i) const {
    if (v.groups == WeftGroups::kEvent) return false;
    if (i + 1 == v.event_count) return v.groups == WeftGroups::kTime;
    return v.groups == WeftGroups::kStep || v.event[i + 1].time_us == v.event[i].time_us;
  }

  // A node that received before, other than the event's target.
  WEFT_HD bool DrawSeen(std::int32_t i, WeftTarget& drawn) const {
    constexpr std::uint64_t kTries = 8;
    if (v.row_count[i] == 0) return false;
    for (std::uint64_t t = 0; t < kTries; ++t) {
      const std::uint64_t hash = gpu::CounterHash(
          v.seed, static_cast<std::uint64_t>(v.stream->event_count), kDrawSeen + t);
      const auto row = static_cast<std::uint32_t>(1 + hash % v.row_count[i]);
      const cache::NodeHistory& history = v.rows.Before(row, v.stream->group).history();
      if (history.in.count == 0 || HappensNow(i, history.node)) continue;
      drawn = {history.node, row};
      return true;
    }
    return false;
  }

  // Whether the source of event i has `node` as target at the same time, as far as this step knows.
  WEFT_HD bool HappensNow(std::int32_t i, std::uint32_t node) const {
    const cache::PartnerEvent& event = v.event[i];
    const auto same = [&](std::int32_t j) {
      return v.event[j].source == event.source && v.event[j].target == node;
    };
    for (std::int32_t j = i; j >= 0 && v.event[j].time_us == event.time_us; --j)
      if (same(j)) return true;
    for (std::int32_t j = i + 1; j < v.event_count && v.event[j].time_us == event.time_us; ++j)
      if (same(j)) return true;
    return false;
  }

  // The partner at a place of the source's slots, or behind them of its former partners, if it was
  // a target.
  WEFT_HD bool PastTarget(std::int32_t place, WeftTarget& partner) const {
    const cache::PartnerRow& row = v.source->row;
    const cache::NodeHistory& history = row.history();
    if (place < row.slots) {
      partner = {row.Words(cache::SlotArray::kKey)[place],
                 row.Words(cache::SlotArray::kRow)[place]};
      return cache::AllContacts(row, place).out > 0;
    }
    const std::int32_t former = place - row.slots;
    partner = {history.former_partner[former], history.former_row[former]};
    return cache::UnpackContacts(history.former_contacts[former]).out > 0;
  }

  // A past target of the source that is not one now.
  WEFT_HD bool DrawHistorical(std::int32_t i, WeftTarget& drawn) const {
    const std::int32_t places = v.source->row.slots + cache::kFormerPartners;
    std::uint64_t targets = 0;
    WeftTarget partner = {};
    for (std::int32_t p = 0; p < places; ++p)
      if (PastTarget(p, partner) && !HappensNow(i, partner.node)) ++targets;
    if (targets == 0) return false;
    const std::uint64_t hash = gpu::CounterHash(
        v.seed, static_cast<std::uint64_t>(v.stream->event_count), kDrawHistorical);
    const cache::NodeHistory& history = v.source->row.history();
    const std::uint32_t all = history.target_count;
    if (all > targets && (hash >> 32) % all >= targets) {
      const std::uint64_t sampled = all < cache::kSampledTargets ? all : cache::kSampledTargets;
      drawn = {history.sampled_target[hash % sampled], history.sampled_row[hash % sampled]};
      return !HappensNow(i, drawn.node);
    }
    std::uint64_t skipped = hash % targets;
    for (std::int32_t p = 0; p < places; ++p) {
      if (!PastTarget(p, drawn) || HappensNow(i, drawn.node)) continue;
      if (skipped-- == 0) return true;
    }
    return false;
  }

  WEFT_HD void Read(const WeftTarget& target, float* features) const {
    ReadPair(v.rows, *v.source, target.node, target.row, features);
  }

  WEFT_HD void ReadDrawn(std::int32_t i) const {
    const std::int64_t at = std::int64_t{i} * kWeftStride;
    WeftTarget seen = {};
    const bool has_seen = DrawSeen(i, seen);
    v.has_seen[i] = has_seen ? 1 : 0;
    if (has_seen) Read(seen, v.seen_features + at);
    WeftTarget historical = {};
    const bool has_historical = DrawHistorical(i, historical);
    v.has_historical[i] = has_historical ? 1 : 0;
    if (has_historical) Read(historical, v.historical_features + at);
    const cache::PartnerRow own = v.rows.Of(v.own[i].node, v.own[i].row, v.stream->group);
    v.is_new[i] = own.history().in.count == 0 ? 1 : 0;
    if (v.is_new[i] != 0) Read({kUnknownTarget, 0}, v.unknown_features + at);
  }

  // Asks for the rows of event i.
  WEFT_HD void PrefetchEvent(std::int32_t i) const {
#if !defined(__CUDA_ARCH__)
    if (i >= v.event_count) return;
    gpu::Prefetch(v.rows.At(v.event[i].source_row).base, v.rows.stride);
    gpu::Prefetch(v.rows.At(v.event[i].target_row).base, v.rows.stride);
    if (v.negative != nullptr) PrefetchTarget(v.rows.At(v.negative[i].row));
#endif
  }

  WEFT_HD void operator()(std::int64_t) const {
    constexpr std::int32_t kEventsAhead = 2;
    for (std::int32_t i = 0; i < kEventsAhead; ++i) PrefetchEvent(i);
    for (std::int32_t i = 0; i < v.event_count; ++i) {
      PrefetchEvent(i + kEventsAhead);
      const cache::PartnerEvent& event = v.event[i];
      if (StartsGroup(i)) cache::StartGroup(*v.stream, event.time_us);
      const std::int64_t at = std::int64_t{i} * kWeftStride;
      ReadSource(v.rows, NowOfGroup(*v.stream, event.time_us), event.source, v.source_row[i],
                 *v.source);
      Read(v.own[i], v.positive + at);
      if (v.negative != nullptr) Read(v.negative[i], v.negative_features + at);
      if (v.seen_features != nullptr) ReadDrawn(i);
      if (v.extra != nullptr)
        for (std::int32_t e = v.extra_begin[i]; e < v.extra_begin[i + 1]; ++e)
          Read(v.extra[e], v.extra_features + std::int64_t{e} * kWeftStride);
      cache::ObserveEvent(v.rows, *v.stream, event, GroupGoesOn(i));
    }
  }
};

struct SourceBody {
  WeftPairsView v;
  WEFT_HD void operator()(std::int64_t i) const {
    ReadSource(v.rows, v.now, v.source[i].node, v.source[i].row, v.read[i]);
  }
};

struct PairBody {
  // So many pairs ahead a row is asked for: it takes memory about as long as the pairs between.
  static constexpr std::int64_t kTargetAhead = 16;
  static constexpr std::int64_t kSendersAhead = 8;
  WeftPairsView v;
  WEFT_HD void operator()(std::int64_t i) const {
#if !defined(__CUDA_ARCH__)
    if (i + kTargetAhead < v.pair_count) PrefetchTarget(v.rows.At(v.target[i + kTargetAhead].row));
    if (i + kSendersAhead < v.pair_count)
      PrefetchSenders(v.rows, v.rows.At(v.target[i + kSendersAhead].row));
#endif
    ReadPair(v.rows, v.read[v.pair_source[i]], v.target[i].node, v.target[i].row,
             v.features + i * kWeftStride);
  }
};

}  // namespace

template <class E>
void WeftAdvanceOn(const E& exec, const WeftStepView& view) {
  gpu::ForEachIndex(exec, 1, AdvanceBody{view});
}
template <class E>
void WeftReadSourcesOn(const E& exec, const WeftPairsView& view) {
  gpu::ForEachIndex(gpu::WithGrain(exec, 16), view.source_count, SourceBody{view});
}
template <class E>
void WeftReadPairsOn(const E& exec, const WeftPairsView& view) {
  gpu::ForEachIndex(gpu::WithGrain(exec, 64), view.pair_count, PairBody{view});
}

template void WeftAdvanceOn(const gpu::BuildExec&, const WeftStepView&);
template void WeftReadSourcesOn(const gpu::BuildExec&, const WeftPairsView&);
template void WeftReadPairsOn(const gpu::BuildExec&, const WeftPairsView&);

}  // namespace weft::operators::link
