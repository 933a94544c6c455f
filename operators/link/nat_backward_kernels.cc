// Backward bodies of NAT: the derivative of each forward body, checked by finite differences in
// nat_test.cc.
#include "gpu/elementary.h"
#include "gpu/launch.h"
#include "operators/link/nat_kernels.h"

namespace weft::operators::link {
namespace {

// Mean binary cross-entropy over the events plus the mean over the negatives, each weighing one.
struct LossGradient {
  NatView v;
  const float* output;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t p) const {
    const bool happened = p < v.event_count;
    const float count = static_cast<float>(happened ? v.event_count : v.negative_count);
    // A negative that could not be drawn weighs nothing.
    const bool counts = happened || v.node_id[v.pair_target[p]] != 0xffffffffu;
    const float slope =
        counts ? (gpu::Sigmoid(v.logit[p]) - (happened ? 1.0f : 0.0f)) / count : 0.0f;
    float* to = v.d_logit + p;
    tile.Once([=] { *to = slope; });
    const std::int64_t width = v.dimensions.hidden_width;
    const float* hidden = v.hidden + p * width;
    float* d_hidden = v.d_hidden + p * width;
    const float* weight = output;
    tile.Each(width,
              [=](std::int64_t h) { d_hidden[h] = hidden[h] > 0.0f ? slope * weight[h] : 0.0f; });
  }
};

// Sums rows of d_hidden over the pairs of one distinct source or target.
struct PairSums {
  NatView v;
  const std::int32_t* begin;
  const std::int32_t* pairs;
  float* to;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const std::int64_t width = v.dimensions.hidden_width;
    float* sum = to + i * width;
    tile.Each(width, [=](std::int64_t h) { sum[h] = 0.0f; });
    for (std::int32_t k = begin[i]; k < begin[i + 1]; ++k) {
      const float* row = v.d_hidden + pairs[k] * width;
      tile.Each(width, [=](std::int64_t h) { sum[h] = sum[h] + row[h]; });
    }
  }
};

struct SelfGruGradient {
  NatView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const std::int64_t width = v.dimensions.self_width;
    const std::int32_t source = v.node_source_index[i], target = v.node_target_index[i];
    const float* d_source = source < 0 ? nullptr : v.d_source_extended + source * width;
    const float* d_target = target < 0 ? nullptr : v.d_target_extended + target * width;
    const float* gate = v.gate_input + i * 3 * width;
    const float* candidate_state = v.gate_state + i * 3 * width + 2 * width;
    const float* before = v.self_before + i * width;
    float* d_input = v.d_gate_input + i * 3 * width;
    float* d_state = v.d_gate_state + i * 3 * width;
    tile.Each(width, [=](std::int64_t s) {
      const float d_after = (source < 0 ? 0.0f : d_source[s]) + (target < 0 ? 0.0f : d_target[s]);
      const float reset = gate[s], update = gate[width + s], candidate = gate[2 * width + s];
      const float d_candidate = d_after * (1.0f - update) * (1.0f - candidate * candidate);
      const float d_update = d_after * (before[s] - candidate) * update * (1.0f - update);
      const float d_reset = d_candidate * candidate_state[s] * reset * (1.0f - reset);
      d_input[s] = d_reset;
      d_input[width + s] = d_update;
      d_input[2 * width + s] = d_candidate;
      d_state[s] = d_reset;
      d_state[width + s] = d_update;
      d_state[2 * width + s] = d_candidate * reset;
    });
  }
};

// Gathers what the pairs of one node say about its slots' states, in the order of the pairs.
struct SlotStateGradient {
  NatView v;

  WEFT_HD void AddDirect(std::int32_t entry, const float* d) const {
    if (entry < 0) return;
    for (int f = 0; f < kSlotWidth; ++f) {
      float& to = v.d_slot_after[f * v.entry_stride + entry];
      to = to + d[f];
    }
  }

  WEFT_HD void AddPair(std::int32_t p, bool as_source, float* d_sum) const {
    const float* d = v.d_joint + p * std::int64_t{v.joint_width} + v.dimensions.mask_width;
    for (int f = 0; f < kSlotWidth; ++f) d_sum[f] = d_sum[f] + d[f];
    const float* d_shared = d + (as_source ? 1 : 2) * kSlotWidth;
    const std::int32_t* match =
        (as_source ? v.match_source : v.match_target) + p * std::int64_t{v.match_stride};
    for (std::int32_t k = 0; k < v.match_count[p]; ++k)
      for (int f = 0; f < kSlotWidth; ++f) {
        float& to = v.d_distinct[match[k] * kSlotWidth + f];
        to = to + d_shared[f];
      }
    AddDirect(as_source ? v.direct_source[p] : v.direct_target[p],
              d + (as_source ? 3 : 4) * kSlotWidth);
  }

  WEFT_HD void operator()(std::int64_t i) const {
    const std::int32_t begin = v.reads.begin[i], end = v.reads.begin[i + 1];
    for (std::int32_t m = begin; m < end; ++m)
      for (int f = 0; f < kSlotWidth; ++f) {
        v.d_slot_after[f * v.entry_stride + m] = 0.0f;
        v.d_distinct[m * kSlotWidth + f] = 0.0f;
      }
    float d_sum[kSlotWidth] = {};
    const std::int32_t source = v.node_source_index[i], target = v.node_target_index[i];
    if (source >= 0)
      for (std::int32_t k = v.source_pairs_begin[source]; k < v.source_pairs_begin[source + 1]; ++k)
        AddPair(v.source_pairs[k], true, d_sum);
    if (target >= 0)
      for (std::int32_t k = v.target_pairs_begin[target]; k < v.target_pairs_begin[target + 1]; ++k)
        AddPair(v.target_pairs[k], false, d_sum);
    for (std::int32_t m = begin; m < end; ++m)
      for (int f = 0; f < kSlotWidth; ++f) {
        float& to = v.d_slot_after[f * v.entry_stride + m];
        to = to + d_sum[f] + v.d_distinct[v.distinct_of[m] * kSlotWidth + f];
      }
  }
};

struct SlotGruGradient {
  NatView v;
  const float* gate_input;
  WEFT_HD void operator()(std::int64_t m) const {
    const std::int64_t stride = v.entry_stride;
    float d_gate[kSlotGates];
    for (int f = 0; f < kSlotWidth; ++f) {
      const float d_after = v.d_slot_after[f * stride + m];
      const float reset = v.slot_gate[f * stride + m];
      const float update = v.slot_gate[(kSlotWidth + f) * stride + m];
      const float candidate = v.slot_gate[(2 * kSlotWidth + f) * stride + m];
      const float before = v.reads.state[f * v.reads.state_stride + m];
      const float d_candidate = d_after * (1.0f - update) * (1.0f - candidate * candidate);
      d_gate[2 * kSlotWidth + f] = d_candidate;
      d_gate[kSlotWidth + f] = d_after * (before - candidate) * update * (1.0f - update);
      d_gate[f] = d_candidate * v.slot_candidate_state[f * stride + m] * reset * (1.0f - reset);
      v.d_slot_candidate_state[f * stride + m] = d_candidate * reset;
    }
    for (int g = 0; g < kSlotGates; ++g) v.d_slot_gate[g * stride + m] = d_gate[g];
    for (int f = 0; f < kSlotWidth; ++f) {
      float d_input = 0.0f;
      for (int g = 0; g < kSlotGates; ++g)
        d_input = gpu::Fma(d_gate[g], gate_input[f * kSlotGates + g], d_input);
      v.d_slot_input[f * stride + m] = d_input;
    }
  }
};

// One entry of a small matrix: the sum over all cache entries of left * right.
struct SlotMatrixGradient {
  const float* left;  // [rows x left_stride]; null for ones
  std::int64_t left_stride;
  const float* right;            // [columns x stride]
  const float* right_candidate;  // rows 2F.. of the right side when not null
  std::int64_t stride;
  std::int64_t columns;
  std::int64_t entries;
  float* to;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t index) const {
    const std::int64_t row = index / columns, column = index % columns;
    const float* a = left == nullptr ? nullptr : left + row * left_stride;
    const float* b = right_candidate != nullptr && column >= 2 * kSlotWidth
                         ? right_candidate + (column - 2 * kSlotWidth) * stride
                         : right + column * stride;
    const float sum = a == nullptr ? tile.Sum(entries, [=](std::int64_t k) { return b[k]; })
                                   : tile.Dot(
                                         entries, [=](std::int64_t k) { return a[k]; },
                                         [=](std::int64_t k) { return b[k]; });
    float* target = to + index;
    tile.Once([=] { *target = sum; });
  }
};

// What the entries that read one projection say about it.
struct ProjectionGradient {
  NatProjected p;
  const float* d_slot_input;
  std::int64_t stride;
  WEFT_HD void operator()(std::int64_t k) const {
    for (int f = 0; f < kSlotWidth; ++f) {
      float sum = 0.0f;
      for (std::int32_t e = p.entries_begin[k]; e < p.entries_begin[k + 1]; ++e)
        sum = sum + d_slot_input[f * stride + p.entries[e]];
      p.d_projection[k * kSlotWidth + f] = sum;
    }
  }
};

}  // namespace

template <class E>
void NatLossGradientOn(const E& exec, const NatView& view) {
  const float* output = view.weights + view.layout_on_host->output.offset;
  gpu::ForEachTile(exec, view.pair_count, LossGradient{view, output});
}

template <class E>
void NatPairSumsOn(const E& exec, const NatView& view) {
  gpu::ForEachTile(
      exec, view.source_count,
      PairSums{view, view.source_pairs_begin, view.source_pairs, view.d_source_hidden});
  gpu::ForEachTile(
      exec, view.target_count,
      PairSums{view, view.target_pairs_begin, view.target_pairs, view.d_target_hidden});
}

template <class E>
void NatSelfGruGradientOn(const E& exec, const NatView& view) {
  gpu::ForEachTile(exec, view.node_count, SelfGruGradient{view});
}

template <class E>
void NatSlotGradientOn(const E& exec, const NatView& view) {
  const NatWeights& layout = *view.layout_on_host;
  const std::int64_t stride = view.entry_stride, entries = view.reads.entry_count;
  gpu::ForEachIndex(gpu::WithGrain(exec, 256), view.node_count, SlotStateGradient{view});
  gpu::ForEachIndex(exec, entries,
                    SlotGruGradient{view, view.weights + layout.slot_gate_input.offset});
  const auto matrix = [&](const NatPart& part, const float* left, std::int64_t left_stride,
                          const float* right, const float* right_candidate) {
    gpu::ForEachTile(exec, part.size(),
                     SlotMatrixGradient{left, left_stride, right, right_candidate, stride,
                                        part.columns, entries, view.gradient + part.offset});
  };
  matrix(layout.slot_gate_input, view.slot_input, stride, view.d_slot_gate, nullptr);
  matrix(layout.slot_gate_input_bias, nullptr, 0, view.d_slot_gate, nullptr);
  matrix(layout.slot_gate_state, view.reads.state, view.reads.state_stride, view.d_slot_gate,
         view.d_slot_candidate_state);
  matrix(layout.slot_gate_state_bias, nullptr, 0, view.d_slot_gate, view.d_slot_candidate_state);
  matrix(layout.slot_feature, view.slot_feature, stride, view.d_slot_input, nullptr);
  for (const NatProjected* projected : {&view.key, &view.event})
    gpu::ForEachIndex(exec, projected->distinct_count,
                      ProjectionGradient{*projected, view.d_slot_input, stride});
}

template void NatLossGradientOn(const gpu::BuildExec&, const NatView&);
template void NatPairSumsOn(const gpu::BuildExec&, const NatView&);
template void NatSelfGruGradientOn(const gpu::BuildExec&, const NatView&);
template void NatSlotGradientOn(const gpu::BuildExec&, const NatView&);

}  // namespace weft::operators::link
