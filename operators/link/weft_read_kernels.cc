// Bodies that read features and take events in.
#include "gpu/launch.h"
#include "operators/link/weft_kernels.h"
#include "operators/link/weft_pair.h"

namespace weft::operators::link {
namespace {

// What a draw is for: the slot of its counter hash.
enum Draw : std::uint64_t { kDrawSeen = 1, kDrawHistorical = 16, kDrawSampled = 17 };

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
      if (history.in.count == 0 || history.node == v.event[i].target) continue;
      drawn = {history.node, row};
      return true;
    }
    return false;
  }

  // A past target of the source other than the event's: from its slots, or, as far as there were
  // more, from the sample of all.
  WEFT_HD bool DrawHistorical(std::int32_t i, WeftTarget& drawn) const {
    const cache::PartnerRow& row = v.source->row;
    const cache::NodeHistory& history = row.history();
    const std::uint32_t* count = row.Words(cache::SlotArray::kOutCount);
    const std::uint32_t* key = row.Words(cache::SlotArray::kKey);
    const std::uint32_t* partner_row = row.Words(cache::SlotArray::kRow);
    std::uint32_t remembered = 0;
    for (std::int32_t s = 0; s < row.slots; ++s) remembered += count[s] > 0 ? 1 : 0;
    const std::uint32_t all = history.out.partner_count;
    const auto position = static_cast<std::uint64_t>(v.stream->event_count);
    const std::uint64_t hash = gpu::CounterHash(v.seed, position, kDrawHistorical);
    if (all > remembered && hash % all >= remembered) {
      const std::uint32_t sampled = all < cache::kSampledTargets ? all : cache::kSampledTargets;
      const std::uint64_t place = gpu::CounterHash(v.seed, position, kDrawSampled) % sampled;
      drawn = {history.sampled_target[place], history.sampled_row[place]};
      return drawn.node != v.event[i].target;
    }
    const auto slots = static_cast<std::uint64_t>(row.slots);
    for (std::uint64_t s = 0; s < slots; ++s) {
      const std::uint64_t slot = ((hash >> 32) + s) % slots;
      if (count[slot] == 0 || key[slot] == v.event[i].target) continue;
      drawn = {key[slot], partner_row[slot]};
      return true;
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

  WEFT_HD void operator()(std::int64_t) const {
    for (std::int32_t i = 0; i < v.event_count; ++i) {
      const cache::PartnerEvent& event = v.event[i];
      if (StartsGroup(i)) cache::StartGroup(*v.stream, event.time_us);
      const std::int64_t at = std::int64_t{i} * kWeftStride;
      if (v.positive != nullptr) {
        ReadSource(v.rows, NowOfGroup(*v.stream, event.time_us), event.source, v.source_row[i],
                   *v.source);
        Read(v.own[i], v.positive + at);
        if (v.negative != nullptr) Read(v.negative[i], v.negative_features + at);
        if (v.seen_features != nullptr) ReadDrawn(i);
        if (v.extra != nullptr)
          for (std::int32_t e = v.extra_begin[i]; e < v.extra_begin[i + 1]; ++e)
            Read(v.extra[e], v.extra_features + std::int64_t{e} * kWeftStride);
      }
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
  WeftPairsView v;
  WEFT_HD void operator()(std::int64_t i) const {
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
