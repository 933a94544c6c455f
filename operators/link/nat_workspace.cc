#include "operators/link/nat_workspace.h"

#include <algorithm>

#include "graph/check.h"

namespace weft::operators::link {
namespace {

// Lists the items 0 .. count by the group that each belongs to, keeping their order.
void GroupBy(const std::int32_t* group_of, std::int32_t count, std::int32_t groups,
             gpu::Buffer<std::int32_t>& fill, std::int32_t* begin, std::int32_t* items) {
  std::fill_n(begin, groups + 1, 0);
  for (std::int32_t i = 0; i < count; ++i) ++begin[group_of[i] + 1];
  for (std::int32_t g = 0; g < groups; ++g) {
    begin[g + 1] += begin[g];
    fill[g] = begin[g];
  }
  for (std::int32_t i = 0; i < count; ++i) items[fill[group_of[i]]++] = i;
}

}  // namespace

NatWorkspace::NatWorkspace(const NatWeights& weights, std::int64_t max_pairs,
                           std::int64_t entries_per_node, bool learning)
    : max_pairs_(max_pairs),
      max_nodes_(2 * max_pairs),
      max_entries_(2 * max_pairs * entries_per_node),
      learning_(learning),
      nodes_(max_nodes_),
      sources_(max_pairs),
      targets_(max_pairs),
      keys_(max_entries_) {
  node_row.Allocate(max_nodes_);
  opponent_row.Allocate(max_nodes_);
  key_row.Allocate(max_entries_);
  for (auto* buffer : {&pair_source_, &pair_target_, &pair_source_index_, &pair_target_index_})
    buffer->Allocate(max_pairs);
  key_number_.Allocate(max_entries_);
  distinct_key_.Allocate(max_entries_);
  distinct_mask_.Allocate(max_entries_);
  placed_.match_stride = static_cast<std::int32_t>(entries_per_node);
  // Once to count, once to place.
  for (const bool place : {false, true}) {
    if (place) {
      floats_.Allocate(float_count_);
      integers_.Allocate(integer_count_);
    }
    float_count_ = integer_count_ = 0;
    PlaceForward(weights);
    if (learning) PlaceGradients(weights);
  }
  if (!learning) return;
  transposed.Allocate(weights.count);
  ones.Allocate(std::max(max_nodes_, max_pairs));
  std::fill_n(ones.data(), ones.size(), 1.0f);
  slot_key_gradient.Allocate(weights.slot_key.size());
  source_pairs_begin_.Allocate(max_pairs + 1);
  source_pairs_.Allocate(max_pairs);
  target_pairs_begin_.Allocate(max_pairs + 1);
  target_pairs_.Allocate(max_pairs);
  node_source_index_.Allocate(max_nodes_);
  node_target_index_.Allocate(max_nodes_);
  key_entries_begin_.Allocate(max_entries_ + 1);
  key_entries_.Allocate(max_entries_);
  fill_.Allocate(max_entries_ + 1);
}

// Sixteen floats apart, so that arrays start on a cache line.
float* NatWorkspace::PlaceFloats(std::int64_t count) {
  float* place = floats_.size() == 0 ? nullptr : floats_.data() + float_count_;
  float_count_ += (count + 15) / 16 * 16;
  return place;
}

std::int32_t* NatWorkspace::PlaceIntegers(std::int64_t count) {
  std::int32_t* place = integers_.size() == 0 ? nullptr : integers_.data() + integer_count_;
  integer_count_ += count;
  return place;
}

void NatWorkspace::PlaceForward(const NatWeights& weights) {
  NatView& v = placed_;
  const std::int64_t nodes = max_nodes_, entries = max_entries_, pairs = max_pairs_;
  const std::int64_t s = weights.dimensions.self_width, hidden = weights.dimensions.hidden_width;
  const std::int64_t extended = weights.extended_width();
  v.entry_stride = entries;
  v.node_raw = PlaceFloats(6 * nodes);
  v.self_input = PlaceFloats(nodes * extended);
  v.self_before = PlaceFloats(nodes * s);
  v.self_mixed = PlaceFloats(nodes * s);
  v.gate_input = PlaceFloats(nodes * 3 * s);
  v.gate_state = PlaceFloats(nodes * 3 * s);
  v.extended = PlaceFloats(nodes * extended);
  v.key_state = PlaceFloats(entries * s);
  v.key_projection = PlaceFloats(entries * kSlotWidth);
  v.slot_feature = PlaceFloats(kSlotFeatureCount * entries);
  v.slot_input = PlaceFloats(kSlotWidth * entries);
  v.slot_gate = PlaceFloats(kSlotGates * entries);
  v.slot_candidate_state = PlaceFloats(kSlotWidth * entries);
  v.slot_after = PlaceFloats(kSlotWidth * entries);
  v.node_sum = PlaceFloats(nodes * kSlotWidth);
  v.distinct_state = PlaceFloats(entries * kSlotWidth);
  v.distinct_count = PlaceIntegers(nodes);
  v.distinct_first = PlaceIntegers(entries);
  v.distinct_of = PlaceIntegers(entries);
  v.distinct_key = distinct_key_.data();
  v.distinct_mask = distinct_mask_.data();
  v.histogram = PlaceFloats(pairs * kMaskCount);
  v.joint = PlaceFloats(pairs * weights.joint_width());
  v.match_count = PlaceIntegers(pairs);
  v.match_source = PlaceIntegers(pairs * v.match_stride);
  v.match_target = PlaceIntegers(pairs * v.match_stride);
  v.direct_source = PlaceIntegers(pairs);
  v.direct_target = PlaceIntegers(pairs);
  v.source_extended = PlaceFloats(pairs * extended);
  v.target_extended = PlaceFloats(pairs * extended);
  v.source_hidden = PlaceFloats(pairs * hidden);
  v.target_hidden = PlaceFloats(pairs * hidden);
  v.hidden = PlaceFloats(pairs * hidden);
  v.logit = PlaceFloats(pairs);
}

void NatWorkspace::PlaceGradients(const NatWeights& weights) {
  NatView& v = placed_;
  const std::int64_t nodes = max_nodes_, entries = max_entries_, pairs = max_pairs_;
  const std::int64_t s = weights.dimensions.self_width, hidden = weights.dimensions.hidden_width;
  v.d_logit = PlaceFloats(pairs);
  v.d_hidden = PlaceFloats(pairs * hidden);
  v.d_joint = PlaceFloats(pairs * weights.joint_width());
  v.d_source_hidden = PlaceFloats(pairs * hidden);
  v.d_target_hidden = PlaceFloats(pairs * hidden);
  v.d_source_extended = PlaceFloats(pairs * s);
  v.d_target_extended = PlaceFloats(pairs * s);
  v.d_gate_input = PlaceFloats(nodes * 3 * s);
  v.d_gate_state = PlaceFloats(nodes * 3 * s);
  v.d_distinct = PlaceFloats(entries * kSlotWidth);
  v.d_slot_after = PlaceFloats(kSlotWidth * entries);
  v.d_slot_gate = PlaceFloats(kSlotGates * entries);
  v.d_slot_candidate_state = PlaceFloats(kSlotWidth * entries);
  v.d_slot_input = PlaceFloats(kSlotWidth * entries);
  v.d_key_projection = PlaceFloats(entries * kSlotWidth);
  v.gradient = PlaceFloats(weights.count);
}

void NatWorkspace::StartPlan() {
  nodes_.Clear();
  sources_.Clear();
  targets_.Clear();
  pair_count_ = 0;
}

void NatWorkspace::AddPair(graph::NodeId source, graph::NodeId target) {
  WEFT_CHECK(pair_count_ < max_pairs_);
  const std::int32_t source_number = nodes_.Insert(source);
  const std::int32_t target_number = nodes_.Insert(target);
  pair_source_[pair_count_] = source_number;
  pair_target_[pair_count_] = target_number;
  pair_source_index_[pair_count_] = sources_.Insert(static_cast<std::uint32_t>(source_number));
  pair_target_index_[pair_count_] = targets_.Insert(static_cast<std::uint32_t>(target_number));
  ++pair_count_;
}

void NatWorkspace::FinishPlan(NatView& view) {
  view = placed_;
  view.node_count = nodes_.size();
  view.node_id = nodes_.ids();
  view.node_row = node_row.data();
  view.opponent_row = opponent_row.data();
  view.pair_count = static_cast<std::int32_t>(pair_count_);
  view.pair_source = pair_source_.data();
  view.pair_target = pair_target_.data();
  view.pair_source_index = pair_source_index_.data();
  view.pair_target_index = pair_target_index_.data();
  view.source_count = sources_.size();
  view.target_count = targets_.size();
  view.source_node = sources_.ids();
  view.target_node = targets_.ids();
}

void NatWorkspace::PlanKeys(const cache::NeighborReads& reads, NatView& view) {
  keys_.Clear();
  for (std::int32_t m = 0; m < reads.entry_count; ++m) key_number_[m] = keys_.Insert(reads.key[m]);
  view.reads = reads;
  view.key_number = key_number_.data();
  view.key_count = keys_.size();
  view.key_row = key_row.data();
}

void NatWorkspace::PlanGradients(NatView& view) {
  WEFT_CHECK(learning_);
  GroupBy(pair_source_index_.data(), view.pair_count, view.source_count, fill_,
          source_pairs_begin_.data(), source_pairs_.data());
  GroupBy(pair_target_index_.data(), view.pair_count, view.target_count, fill_,
          target_pairs_begin_.data(), target_pairs_.data());
  GroupBy(key_number_.data(), view.reads.entry_count, view.key_count, fill_,
          key_entries_begin_.data(), key_entries_.data());
  std::fill_n(node_source_index_.data(), view.node_count, -1);
  std::fill_n(node_target_index_.data(), view.node_count, -1);
  for (std::int32_t i = 0; i < view.source_count; ++i) node_source_index_[sources_.ids()[i]] = i;
  for (std::int32_t i = 0; i < view.target_count; ++i) node_target_index_[targets_.ids()[i]] = i;
  view.source_pairs_begin = source_pairs_begin_.data();
  view.source_pairs = source_pairs_.data();
  view.target_pairs_begin = target_pairs_begin_.data();
  view.target_pairs = target_pairs_.data();
  view.node_source_index = node_source_index_.data();
  view.node_target_index = node_target_index_.data();
  view.key_entries_begin = key_entries_begin_.data();
  view.key_entries = key_entries_.data();
}

}  // namespace weft::operators::link
