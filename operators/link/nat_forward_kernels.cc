// Forward bodies of NAT. See nat.md for the mathematics.
#include "gpu/elementary.h"
#include "gpu/launch.h"
#include "operators/link/nat_kernels.h"

namespace weft::operators::link {
namespace {

constexpr int kRawCount = 6;
// Logarithms of ages and counts reach about 16; this brings features near one.
constexpr float kLogScale = 0.125f;

WEFT_HD float AgeInGaps(const NatNow& now, std::int64_t time_us) {
  const std::int64_t age = now.time_us - time_us;
  return age > 0 ? static_cast<float>(age) * now.gaps_per_us : 0.0f;
}

WEFT_HD float AgeInEvents(const NatNow& now, std::uint32_t ordinal) {
  return static_cast<float>(static_cast<std::int32_t>(now.ordinal - ordinal));
}

struct NodeRaw {
  NatView v;
  WEFT_HD void operator()(std::int64_t i) const {
    const NatRecord& record = v.record[v.node_row[i]];
    // Never: as old as the stream.
    const float all = AgeInEvents(v.now, 0);
    const std::int64_t n = v.node_count;
    const bool out = record.out_count > 0, in = record.in_count > 0;
    v.node_raw[i] = out ? AgeInGaps(v.now, record.last_out_us) : all;
    v.node_raw[n + i] = out ? AgeInEvents(v.now, record.last_out_ordinal) : all;
    v.node_raw[2 * n + i] = in ? AgeInGaps(v.now, record.last_in_us) : all;
    v.node_raw[3 * n + i] = in ? AgeInEvents(v.now, record.last_in_ordinal) : all;
    v.node_raw[4 * n + i] = static_cast<float>(static_cast<std::int32_t>(record.out_count));
    v.node_raw[5 * n + i] = static_cast<float>(static_cast<std::int32_t>(record.in_count));
  }
};

struct ScaledLog {
  float* value;
  WEFT_HD void operator()(std::int64_t i) const { value[i] = kLogScale * gpu::Log1p(value[i]); }
};

struct NodeInputs {
  NatView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const std::int64_t s_width = v.dimensions.self_width;
    const float* own = v.self_state + std::int64_t{v.node_row[i]} * s_width;
    const float* opponent = v.self_state + std::int64_t{v.opponent_row[i]} * s_width;
    float* input = v.self_input + i * v.extended_width;
    float* before = v.self_before + i * s_width;
    tile.Each(s_width, [=](std::int64_t s) {
      input[s] = opponent[s];
      before[s] = own[s];
    });
    const NatRecord& record = v.record[v.node_row[i]];
    float* extended = v.extended + i * v.extended_width + s_width;
    const NatView view = v;
    tile.Each(kNodeFeatureCount, [=](std::int64_t q) {
      float feature;
      if (q < kRawCount) {
        feature = view.node_raw[q * view.node_count + i];
      } else {
        feature = (q == kRawCount ? record.out_count : record.in_count) > 0 ? 1.0f : 0.0f;
      }
      input[s_width + q] = feature;
      extended[q] = feature;
    });
  }
};

struct SelfGru {
  NatView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const std::int64_t s_width = v.dimensions.self_width;
    float* input = v.gate_input + i * 3 * s_width;
    const float* state = v.gate_state + i * 3 * s_width;
    const float* before = v.self_before + i * s_width;
    float* after = v.extended + i * v.extended_width;
    tile.Each(2 * s_width, [=](std::int64_t k) { input[k] = gpu::Sigmoid(input[k] + state[k]); });
    tile.Each(s_width, [=](std::int64_t s) {
      const float reset = input[s], update = input[s_width + s];
      const float candidate =
          gpu::Tanh(gpu::Fma(reset, state[2 * s_width + s], input[2 * s_width + s]));
      input[2 * s_width + s] = candidate;
      after[s] = gpu::Fma(update, before[s] - candidate, candidate);
    });
  }
};

struct KeyStates {
  NatView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t k) const {
    const std::int64_t s_width = v.dimensions.self_width;
    const float* from = v.self_state + std::int64_t{v.key_row[k]} * s_width;
    float* to = v.key_state + k * s_width;
    tile.Each(s_width, [=](std::int64_t s) { to[s] = from[s]; });
  }
};

struct SlotRaw {
  NatView v;
  WEFT_HD void operator()(std::int64_t m) const {
    v.slot_feature[m] = AgeInGaps(v.now, v.reads.time_us[m]);
    v.slot_feature[v.entry_stride + m] = AgeInEvents(v.now, v.reads.ordinal[m]);
    v.slot_feature[2 * v.entry_stride + m] =
        static_cast<float>(static_cast<std::int32_t>(v.reads.count[m]));
    for (int f = 0; f < kSlotWidth; ++f)
      v.slot_input[f * v.entry_stride + m] = v.key_projection[v.key_number[m] * kSlotWidth + f];
  }
};

// Weights of the slots' GRU.
struct SlotWeights {
  const float* feature;
  const float* gate_input;
  const float* gate_input_bias;
  const float* gate_state;
  const float* gate_state_bias;
};

// Features and the GRU's input of one entry.
struct SlotInput {
  NatView v;
  SlotWeights w;
  WEFT_HD void operator()(std::int64_t m) const {
    const std::int64_t stride = v.entry_stride;
    float feature[kSlotFeatureCount];
    WEFT_UNROLL
    for (int q = 0; q < kSlotFeatureCount; ++q) {
      feature[q] = kLogScale * gpu::Log1p(v.slot_feature[q * stride + m]);
      v.slot_feature[q * stride + m] = feature[q];
    }
    WEFT_UNROLL
    for (int f = 0; f < kSlotWidth; ++f) {
      float x = v.slot_input[f * stride + m];
      WEFT_UNROLL
      for (int q = 0; q < kSlotFeatureCount; ++q)
        x = gpu::Fma(feature[q], w.feature[q * kSlotWidth + f], x);
      v.slot_input[f * stride + m] = x;
    }
  }
};

// One of the F units of one entry: its three gates and its new state. A unit at a time keeps the
// body small enough for registers, so that the host runs eight entries at once.
struct SlotUnit {
  NatView v;
  SlotWeights w;
  std::int64_t unit;

  // bias + sum of value[f] * weight[f][column].
  WEFT_HD float Affine(const float* value, const float* weight, const float* bias,
                       std::int64_t column) const {
    float sum = bias[column];
    WEFT_UNROLL
    for (int f = 0; f < kSlotWidth; ++f)
      sum = gpu::Fma(value[f], weight[f * kSlotGates + column], sum);
    return sum;
  }

  WEFT_HD void operator()(std::int64_t m) const {
    const std::int64_t stride = v.entry_stride;
    float x[kSlotWidth], z[kSlotWidth];
    WEFT_UNROLL
    for (int f = 0; f < kSlotWidth; ++f) {
      x[f] = v.slot_input[f * stride + m];
      z[f] = v.reads.state[f * v.reads.state_stride + m];
    }
    const float before = v.reads.state[unit * v.reads.state_stride + m];
    float sum[3], state[3];
    WEFT_UNROLL
    for (int gate = 0; gate < 3; ++gate) {
      sum[gate] = Affine(x, w.gate_input, w.gate_input_bias, gate * kSlotWidth + unit);
      state[gate] = Affine(z, w.gate_state, w.gate_state_bias, gate * kSlotWidth + unit);
    }
    const float reset = gpu::Sigmoid(sum[0] + state[0]);
    const float update = gpu::Sigmoid(sum[1] + state[1]);
    const float candidate = gpu::Tanh(gpu::Fma(reset, state[2], sum[2]));
    v.slot_gate[unit * stride + m] = reset;
    v.slot_gate[(kSlotWidth + unit) * stride + m] = update;
    v.slot_gate[(2 * kSlotWidth + unit) * stride + m] = candidate;
    v.slot_candidate_state[unit * stride + m] = state[2];
    v.slot_after[unit * stride + m] = gpu::Fma(update, before - candidate, candidate);
  }
};

struct NodeSums {
  NatView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t index) const {
    const std::int64_t i = index / kSlotWidth, f = index % kSlotWidth;
    const std::int64_t begin = v.reads.begin[i];
    const float* values = v.slot_after + f * v.entry_stride + begin;
    const float sum =
        tile.Sum(v.reads.begin[i + 1] - begin, [=](std::int64_t k) { return values[k]; });
    float* to = v.node_sum + index;
    tile.Once([=] { *to = sum; });
  }
};

// A hash table of up to 63 keys on the stack; holds places + 1.
struct KeyTable {
  static constexpr std::uint32_t kSize = 128;
  std::uint8_t place[kSize];
  WEFT_HD void Clear() {
    for (std::uint32_t i = 0; i < kSize; ++i) place[i] = 0;
  }
  static WEFT_HD std::uint32_t Start(std::uint32_t key) { return (key * 0x9e3779b1u) >> 25; }
  // The key's place among keys[0 ..), or -1; `at` is left where it would go.
  WEFT_HD std::int32_t Find(const std::uint32_t* keys, std::uint32_t key, std::uint32_t& at) const {
    for (at = Start(key); place[at] != 0; at = (at + 1) % kSize)
      if (keys[place[at] - 1] == key) return place[at] - 1;
    return -1;
  }
};

struct DistinctKeys {
  NatView v;
  WEFT_HD void operator()(std::int64_t i) const {
    const std::int32_t begin = v.reads.begin[i];
    std::uint32_t* keys = v.distinct_key + begin;
    KeyTable table;
    table.Clear();
    std::int32_t count = 0;
    for (std::int32_t m = begin; m < v.reads.begin[i + 1]; ++m) {
      const std::uint32_t key = v.reads.key[m];
      std::uint32_t at;
      std::int32_t d = table.Find(keys, key, at);
      if (d < 0) {
        d = count++;
        table.place[at] = static_cast<std::uint8_t>(count);
        keys[d] = key;
        v.distinct_mask[begin + d] = 0;
        v.distinct_first[begin + d] = -1;
        for (int f = 0; f < kSlotWidth; ++f) v.distinct_state[(begin + d) * kSlotWidth + f] = 0.0f;
      }
      const std::int32_t hop = m < v.reads.hop_end[2 * i]       ? 1
                               : m < v.reads.hop_end[2 * i + 1] ? 2
                                                                : 0;
      v.distinct_mask[begin + d] =
          static_cast<std::uint8_t>(v.distinct_mask[begin + d] | (1u << hop));
      if (hop == 1) v.distinct_first[begin + d] = m;
      for (int f = 0; f < kSlotWidth; ++f) {
        float& state = v.distinct_state[(begin + d) * kSlotWidth + f];
        state = state + v.slot_after[f * v.entry_stride + m];
      }
      v.distinct_of[m] = begin + d;
    }
    v.distinct_count[i] = count;
  }
};

struct Joint {
  NatView v;

  // Flag, features and state of one node's slot for the other; zeros where it has none.
  WEFT_HD void WriteDirect(std::int32_t entry, float* state, float* features) const {
    for (int f = 0; f < kSlotWidth; ++f)
      state[f] = entry < 0 ? 0.0f : v.slot_after[f * v.entry_stride + entry];
    features[0] = entry < 0 ? 0.0f : 1.0f;
    for (int q = 0; q < kSlotFeatureCount; ++q)
      features[1 + q] = entry < 0 ? 0.0f : v.slot_feature[q * v.entry_stride + entry];
  }

  WEFT_HD void operator()(std::int64_t p) const {
    const std::int32_t source = v.pair_source[p], target = v.pair_target[p];
    const std::int32_t source_begin = v.reads.begin[source], target_begin = v.reads.begin[target];
    const std::int32_t source_keys = v.distinct_count[source];
    const std::int32_t target_keys = v.distinct_count[target];
    const std::uint32_t* keys = v.distinct_key + source_begin;
    KeyTable table;
    table.Clear();
    float* histogram = v.histogram + p * kMaskCount;
    for (int mask = 0; mask < kMaskCount; ++mask) histogram[mask] = 0.0f;
    for (std::int32_t d = 0; d < source_keys; ++d) {
      std::uint32_t at = KeyTable::Start(keys[d]);
      while (table.place[at] != 0) at = (at + 1) % KeyTable::kSize;
      table.place[at] = static_cast<std::uint8_t>(d + 1);
      histogram[v.distinct_mask[source_begin + d]] += 1.0f;
    }
    float shared_source[kSlotWidth] = {}, shared_target[kSlotWidth] = {};
    std::int32_t matches = 0;
    const std::int64_t match_base = p * v.match_stride;
    for (std::int32_t d = 0; d < target_keys; ++d) {
      std::uint32_t at;
      const std::int32_t own = table.Find(keys, v.distinct_key[target_begin + d], at);
      const int mask = v.distinct_mask[target_begin + d] << 3;
      if (own < 0) {
        histogram[mask] += 1.0f;
        continue;
      }
      const int own_mask = v.distinct_mask[source_begin + own];
      histogram[own_mask] -= 1.0f;
      histogram[own_mask | mask] += 1.0f;
      for (int f = 0; f < kSlotWidth; ++f) {
        shared_source[f] += v.distinct_state[(source_begin + own) * kSlotWidth + f];
        shared_target[f] += v.distinct_state[(target_begin + d) * kSlotWidth + f];
      }
      v.match_source[match_base + matches] = source_begin + own;
      v.match_target[match_base + matches] = target_begin + d;
      ++matches;
    }
    v.match_count[p] = matches;
    std::uint32_t at;
    const std::int32_t target_in_source = table.Find(keys, v.node_id[target], at);
    v.direct_source[p] =
        target_in_source < 0 ? -1 : v.distinct_first[source_begin + target_in_source];
    std::int32_t direct_target = -1;
    for (std::int32_t d = 0; d < target_keys; ++d)
      direct_target = v.distinct_key[target_begin + d] == v.node_id[source]
                          ? v.distinct_first[target_begin + d]
                          : direct_target;
    v.direct_target[p] = direct_target;

    float* joint = v.joint + p * v.joint_width + v.dimensions.mask_width;
    for (int f = 0; f < kSlotWidth; ++f) {
      joint[f] = v.node_sum[source * kSlotWidth + f] + v.node_sum[target * kSlotWidth + f];
      joint[kSlotWidth + f] = shared_source[f];
      joint[2 * kSlotWidth + f] = shared_target[f];
    }
    WriteDirect(v.direct_source[p], joint + 3 * kSlotWidth, joint + 5 * kSlotWidth);
    WriteDirect(direct_target, joint + 4 * kSlotWidth,
                joint + 5 * kSlotWidth + 1 + kSlotFeatureCount);
  }
};

struct CopyRows {
  const float* from;
  const std::uint32_t* row;
  float* to;
  std::int64_t width;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const float* source = from + std::int64_t{row[i]} * width;
    float* target = to + i * width;
    tile.Each(width, [=](std::int64_t k) { target[k] = source[k]; });
  }
};

struct HiddenStart {
  NatView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t p) const {
    const std::int64_t width = v.dimensions.hidden_width;
    const float* source = v.source_hidden + v.pair_source_index[p] * width;
    const float* target = v.target_hidden + v.pair_target_index[p] * width;
    float* hidden = v.hidden + p * width;
    tile.Each(width, [=](std::int64_t h) { hidden[h] = source[h] + target[h]; });
  }
};

struct Logits {
  NatView v;
  const float* output;
  const float* output_bias;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t p) const {
    float* hidden = v.hidden + p * v.dimensions.hidden_width;
    tile.Each(v.dimensions.hidden_width,
              [=](std::int64_t h) { hidden[h] = hidden[h] > 0.0f ? hidden[h] : 0.0f; });
    const float* weight = output;
    const float dot = tile.Dot(
        v.dimensions.hidden_width, [=](std::int64_t h) { return hidden[h]; },
        [=](std::int64_t h) { return weight[h]; });
    float* to = v.logit + p;
    const float bias = *output_bias;
    tile.Once([=] { *to = dot + bias; });
  }
};

}  // namespace

template <class E>
void NatNodeInputsOn(const E& exec, const NatView& view) {
  gpu::ForEachIndex(exec, view.node_count, NodeRaw{view});
  gpu::ForEachIndex(exec, std::int64_t{kRawCount} * view.node_count, ScaledLog{view.node_raw});
  gpu::ForEachTile(exec, view.node_count, NodeInputs{view});
}

template <class E>
void NatSelfGruOn(const E& exec, const NatView& view) {
  gpu::ForEachTile(exec, view.node_count, SelfGru{view});
}

template <class E>
void NatKeyStatesOn(const E& exec, const NatView& view) {
  gpu::ForEachTile(exec, view.key_count, KeyStates{view});
}

template <class E>
void NatSlotsOn(const E& exec, const NatView& view) {
  const NatWeights& layout = *view.layout_on_host;
  const SlotWeights weights{view.weights + layout.slot_feature.offset,
                            view.weights + layout.slot_gate_input.offset,
                            view.weights + layout.slot_gate_input_bias.offset,
                            view.weights + layout.slot_gate_state.offset,
                            view.weights + layout.slot_gate_state_bias.offset};
  gpu::ForEachIndex(exec, view.reads.entry_count, SlotRaw{view});
  gpu::ForEachIndex(exec, view.reads.entry_count, SlotInput{view, weights});
  for (std::int64_t unit = 0; unit < kSlotWidth; ++unit)
    gpu::ForEachIndex(exec, view.reads.entry_count, SlotUnit{view, weights, unit});
  gpu::ForEachTile(exec, std::int64_t{view.node_count} * kSlotWidth, NodeSums{view});
  gpu::ForEachIndex(exec, view.node_count, DistinctKeys{view});
}

template <class E>
void NatJointOn(const E& exec, const NatView& view) {
  gpu::ForEachIndex(exec, view.pair_count, Joint{view});
  const std::int64_t width = view.extended_width;
  gpu::ForEachTile(exec, view.source_count,
                   CopyRows{view.extended, view.source_node, view.source_extended, width});
  gpu::ForEachTile(exec, view.target_count,
                   CopyRows{view.extended, view.target_node, view.target_extended, width});
}

template <class E>
void NatHiddenStartOn(const E& exec, const NatView& view) {
  gpu::ForEachTile(exec, view.pair_count, HiddenStart{view});
}

template <class E>
void NatLogitsOn(const E& exec, const NatView& view) {
  const NatWeights& layout = *view.layout_on_host;
  gpu::ForEachTile(
      exec, view.pair_count,
      Logits{view, view.weights + layout.output.offset, view.weights + layout.output_bias.offset});
}

template void NatNodeInputsOn(const gpu::BuildExec&, const NatView&);
template void NatSelfGruOn(const gpu::BuildExec&, const NatView&);
template void NatKeyStatesOn(const gpu::BuildExec&, const NatView&);
template void NatSlotsOn(const gpu::BuildExec&, const NatView&);
template void NatJointOn(const gpu::BuildExec&, const NatView&);
template void NatHiddenStartOn(const gpu::BuildExec&, const NatView&);
template void NatLogitsOn(const gpu::BuildExec&, const NatView&);

}  // namespace weft::operators::link
