// Forward bodies of NAT. See nat.md for the mathematics.
#include "gpu/elementary.h"
#include "gpu/launch.h"
#include "operators/link/nat_kernels.h"

namespace weft::operators::link {
namespace {

constexpr int kRawCount = 6;
// Nodes or pairs, each with all of its slots.
constexpr std::int64_t kRowsPerTask = 256;
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
    float* input = v.self_input + i * v.input_width;
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
    const std::int64_t event_width = v.dimensions.feature_count;
    if (event_width == 0) return;
    const float* event = v.event_feature + v.node_event[i] * event_width;
    float* to = input + v.extended_width;
    tile.Each(event_width, [=](std::int64_t k) { to[k] = event[k]; });
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

struct KeepProjection {
  NatProjected p;
  WEFT_HD void operator()(std::int64_t k) const {
    NatProjection& projection = p.projection[p.stale_row[k]];
    for (int f = 0; f < kSlotWidth; ++f) projection.value[f] = p.stale_product[k * kSlotWidth + f];
  }
};

struct SlotRaw {
  NatView v;
  WEFT_HD void operator()(std::int64_t m) const {
    v.slot_feature[m] = AgeInGaps(v.now, v.reads.time_us[m]);
    v.slot_feature[v.entry_stride + m] = AgeInEvents(v.now, v.reads.ordinal[m]);
    v.slot_feature[2 * v.entry_stride + m] =
        static_cast<float>(static_cast<std::int32_t>(v.reads.count[m]));
    const NatProjection& key = v.key.projection[v.key.entry_row[m]];
    if (v.event.projection == nullptr) {
      for (int f = 0; f < kSlotWidth; ++f) v.slot_input[f * v.entry_stride + m] = key.value[f];
    } else {
      const NatProjection& event = v.event.projection[v.event.entry_row[m]];
      for (int f = 0; f < kSlotWidth; ++f)
        v.slot_input[f * v.entry_stride + m] = key.value[f] + event.value[f];
    }
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

// All of the above for one block of entries, which stays in the nearest cache meanwhile.
struct SlotBlock {
  static constexpr std::int64_t kEntries = 64;
  NatView v;
  SlotWeights w;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t block) const {
    const std::int64_t begin = block * kEntries, left = v.reads.entry_count - begin;
    const std::int64_t count = left < kEntries ? left : kEntries;
    const SlotRaw raw{v};
    tile.Each(count, [=](std::int64_t k) { raw(begin + k); });
    const SlotInput input{v, w};
    tile.Each(count, [=](std::int64_t k) { input(begin + k); });
    for (std::int64_t unit = 0; unit < kSlotWidth; ++unit) {
      const SlotUnit one{v, w, unit};
      tile.Each(count, [=](std::int64_t k) { one(begin + k); });
    }
  }
};

struct NodeSums {
  NatView v;
  template <class Tile>
  WEFT_HD void operator()(const Tile& tile, std::int64_t i) const {
    const std::int64_t begin = v.reads.begin[i], count = v.reads.begin[i + 1] - begin;
    for (int f = 0; f < kSlotWidth; ++f) {
      const float* values = v.slot_after + f * v.entry_stride + begin;
      const float sum = tile.Sum(count, [=](std::int64_t k) { return values[k]; });
      float* to = v.node_sum + i * kSlotWidth + f;
      tile.Once([=] { *to = sum; });
    }
  }
};

// The place of `key` among keys[0, count), or -1.
WEFT_HD std::int32_t IndexOf(const std::uint32_t* keys, std::int32_t count, std::uint32_t key) {
  for (std::int32_t begin = 0; begin < count; begin += 64) {
    const std::int32_t left = count - begin;
    const std::uint64_t equal = gpu::EqualMask(keys + begin, left < 64 ? left : 64, key);
    if (equal != 0) return begin + gpu::LowestBit(equal);
  }
  return -1;
}

struct DistinctKeys {
  NatView v;

  WEFT_HD void Add(std::int32_t entry, std::int32_t place, int hop) const {
    v.distinct_mask[place] = static_cast<std::uint8_t>(v.distinct_mask[place] | (1u << hop));
    for (int f = 0; f < kSlotWidth; ++f) {
      float& state = v.distinct_state[place * kSlotWidth + f];
      state = state + v.slot_after[f * v.entry_stride + entry];
    }
    v.distinct_of[entry] = place;
  }

  WEFT_HD void operator()(std::int64_t i) const {
    const std::int32_t begin = v.reads.begin[i], end = v.reads.begin[i + 1];
    const std::int32_t first_end = v.reads.hop_end[2 * i], second_end = v.reads.hop_end[2 * i + 1];
    const std::uint32_t* keys = v.reads.key;
    // The keys of one hop are distinct, so those of hop 1 need no search.
    for (std::int32_t m = begin; m < first_end; ++m) {
      v.distinct_key[m] = keys[m];
      v.distinct_mask[m] = 1u << 1;
      v.distinct_of[m] = m;
      for (int f = 0; f < kSlotWidth; ++f)
        v.distinct_state[m * kSlotWidth + f] = v.slot_after[f * v.entry_stride + m];
    }
    std::int32_t next = first_end;
    for (std::int32_t m = first_end; m < end; ++m) {
      std::int32_t place = IndexOf(keys + begin, first_end - begin, keys[m]);
      if (place >= 0) {
        place += begin;
      } else if (m >= second_end) {
        const std::int32_t second = IndexOf(keys + first_end, second_end - first_end, keys[m]);
        if (second >= 0) place = v.distinct_of[first_end + second];
      }
      if (place < 0) {
        place = next++;
        v.distinct_key[place] = keys[m];
        v.distinct_mask[place] = 0;
        for (int f = 0; f < kSlotWidth; ++f) v.distinct_state[place * kSlotWidth + f] = 0.0f;
      }
      Add(m, place, m < second_end ? 2 : 0);
    }
    v.distinct_count[i] = next - begin;
    float* mask_count = v.mask_count + i * kNodeMaskCount;
    for (int mask = 0; mask < kNodeMaskCount; ++mask) mask_count[mask] = 0.0f;
    for (std::int32_t d = begin; d < next; ++d) mask_count[v.distinct_mask[d]] += 1.0f;
  }
};

struct Joint {
  NatView v;

  // The entry of `key` at hop 1 of a node, or -1.
  WEFT_HD std::int32_t FirstHopEntry(std::int32_t node, std::uint32_t key) const {
    const std::int32_t begin = v.reads.begin[node];
    const std::int32_t place = IndexOf(v.reads.key + begin, v.reads.hop_end[2 * node] - begin, key);
    return place < 0 ? -1 : begin + place;
  }

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
    float* histogram = v.histogram + p * kMaskCount;
    for (int mask = 0; mask < kMaskCount; ++mask) histogram[mask] = 0.0f;
    for (int mask = 1; mask < kNodeMaskCount; ++mask) {
      histogram[mask] = v.mask_count[source * kNodeMaskCount + mask];
      histogram[mask << 3] = v.mask_count[target * kNodeMaskCount + mask];
    }
    float shared_source[kSlotWidth] = {}, shared_target[kSlotWidth] = {};
    std::int32_t matches = 0;
    const std::int64_t match_base = p * v.match_stride;
    for (std::int32_t d = target_begin; d < target_begin + target_keys; ++d) {
      std::int32_t own = IndexOf(v.distinct_key + source_begin, source_keys, v.distinct_key[d]);
      if (own < 0) continue;
      own += source_begin;
      const int own_mask = v.distinct_mask[own], mask = v.distinct_mask[d] << 3;
      histogram[own_mask] -= 1.0f;
      histogram[mask] -= 1.0f;
      histogram[own_mask | mask] += 1.0f;
      for (int f = 0; f < kSlotWidth; ++f) {
        shared_source[f] += v.distinct_state[own * kSlotWidth + f];
        shared_target[f] += v.distinct_state[d * kSlotWidth + f];
      }
      v.match_source[match_base + matches] = own;
      v.match_target[match_base + matches] = d;
      ++matches;
    }
    v.match_count[p] = matches;
    v.direct_source[p] = FirstHopEntry(source, v.node_id[target]);
    v.direct_target[p] = FirstHopEntry(target, v.node_id[source]);

    float* joint = v.joint + p * v.joint_width + v.dimensions.mask_width;
    for (int f = 0; f < kSlotWidth; ++f) {
      joint[f] = v.node_sum[source * kSlotWidth + f] + v.node_sum[target * kSlotWidth + f];
      joint[kSlotWidth + f] = shared_source[f];
      joint[2 * kSlotWidth + f] = shared_target[f];
    }
    WriteDirect(v.direct_source[p], joint + 3 * kSlotWidth, joint + 5 * kSlotWidth);
    WriteDirect(v.direct_target[p], joint + 4 * kSlotWidth,
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
void NatKeepProjectionsOn(const E& exec, const NatProjected& projected) {
  gpu::ForEachIndex(exec, projected.stale_count, KeepProjection{projected});
}

template <class E>
void NatSlotsOn(const E& exec, const NatView& view) {
  const NatWeights& layout = *view.layout_on_host;
  const SlotWeights weights{view.weights + layout.slot_feature.offset,
                            view.weights + layout.slot_gate_input.offset,
                            view.weights + layout.slot_gate_input_bias.offset,
                            view.weights + layout.slot_gate_state.offset,
                            view.weights + layout.slot_gate_state_bias.offset};
  const std::int64_t blocks =
      (view.reads.entry_count + SlotBlock::kEntries - 1) / SlotBlock::kEntries;
  gpu::ForEachTile(exec, blocks, SlotBlock{view, weights});
  gpu::ForEachTile(exec, view.node_count, NodeSums{view});
  gpu::ForEachIndex(gpu::WithGrain(exec, kRowsPerTask), view.node_count, DistinctKeys{view});
}

template <class E>
void NatJointOn(const E& exec, const NatView& view) {
  gpu::ForEachIndex(gpu::WithGrain(exec, kRowsPerTask), view.pair_count, Joint{view});
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
template void NatKeepProjectionsOn(const gpu::BuildExec&, const NatProjected&);
template void NatSlotsOn(const gpu::BuildExec&, const NatView&);
template void NatJointOn(const gpu::BuildExec&, const NatView&);
template void NatHiddenStartOn(const gpu::BuildExec&, const NatView&);
template void NatLogitsOn(const gpu::BuildExec&, const NatView&);

}  // namespace weft::operators::link
