#include "operators/link/nat_workspace.h"

#include <algorithm>

#include "graph/check.h"

namespace weft::operators::link {
namespace {

// Lists the items 0 .. count by the group that each belongs to, keeping their order.
void GroupBy(const std::int32_t* group_of, std::int32_t count, std::int32_t groups,
             std::vector<std::int32_t>& fill, std::int32_t* begin, std::int32_t* items) {
  std::fill_n(begin, groups + 1, 0);
  for (std::int32_t i = 0; i < count; ++i) ++begin[group_of[i] + 1];
  for (std::int32_t g = 0; g < groups; ++g) {
    begin[g + 1] += begin[g];
    fill[static_cast<std::size_t>(g)] = begin[g];
  }
  for (std::int32_t i = 0; i < count; ++i) items[fill[static_cast<std::size_t>(group_of[i])]++] = i;
}

}  // namespace

NatWorkspace::NatWorkspace(const NatWeights& weights, std::int64_t max_pairs,
                           std::int64_t entries_per_node, bool learning, gpu::Memory memory)
    : max_pairs_(max_pairs),
      max_nodes_(2 * max_pairs),
      max_entries_(2 * max_pairs * entries_per_node),
      learning_(learning),
      nodes_(max_nodes_, memory),
      sources_(max_pairs, memory),
      targets_(max_pairs, memory),
      rows_(learning ? max_entries_ : 0),
      arena_(memory),
      fill_(static_cast<std::size_t>(max_entries_)) {
  placed_.match_stride = static_cast<std::int32_t>(entries_per_node);
  for (const bool placing : {false, true}) {
    if (placing) arena_.Reserve();
    PlacePlans();
    PlaceForward(weights);
    if (learning) PlaceGradients(weights);
  }
  if (learning) std::fill_n(ones, std::max(max_nodes_, max_pairs_), 1.0f);
}

void NatWorkspace::PlacePlans() {
  node_row = arena_.Place<std::uint32_t>(max_nodes_);
  opponent_row = arena_.Place<std::uint32_t>(max_nodes_);
  node_event = arena_.Place<std::uint32_t>(max_nodes_);
  pair_source_ = arena_.Place<std::int32_t>(max_pairs_);
  pair_target_ = arena_.Place<std::int32_t>(max_pairs_);
  pair_source_index_ = arena_.Place<std::int32_t>(max_pairs_);
  pair_target_index_ = arena_.Place<std::int32_t>(max_pairs_);
}

void NatWorkspace::PlaceForward(const NatWeights& weights) {
  NatView& v = placed_;
  const std::int64_t nodes = max_nodes_, entries = max_entries_, pairs = max_pairs_;
  const std::int64_t s = weights.dimensions.self_width, hidden = weights.dimensions.hidden_width;
  const std::int64_t extended = weights.extended_width();
  PlaceProjected(key, v.key);
  if (weights.dimensions.feature_count > 0) PlaceProjected(event, v.event);
  v.entry_stride = entries;
  v.node_raw = arena_.Place<float>(6 * nodes);
  v.self_input = arena_.Place<float>(nodes * weights.input_width());
  v.self_before = arena_.Place<float>(nodes * s);
  v.self_mixed = arena_.Place<float>(nodes * s);
  v.gate_input = arena_.Place<float>(nodes * 3 * s);
  v.gate_state = arena_.Place<float>(nodes * 3 * s);
  v.extended = arena_.Place<float>(nodes * extended);
  v.slot_feature = arena_.Place<float>(kSlotFeatureCount * entries);
  v.slot_input = arena_.Place<float>(kSlotWidth * entries);
  v.slot_gate = arena_.Place<float>(kSlotGates * entries);
  v.slot_candidate_state = arena_.Place<float>(kSlotWidth * entries);
  v.slot_after = arena_.Place<float>(kSlotWidth * entries);
  v.node_sum = arena_.Place<float>(nodes * kSlotWidth);
  v.distinct_state = arena_.Place<float>(entries * kSlotWidth);
  v.distinct_count = arena_.Place<std::int32_t>(nodes);
  v.distinct_of = arena_.Place<std::int32_t>(entries);
  v.distinct_key = arena_.Place<std::uint32_t>(entries + gpu::kReadPadding);
  v.distinct_mask = arena_.Place<std::uint8_t>(entries);
  v.mask_count = arena_.Place<float>(nodes * kNodeMaskCount);
  v.histogram = arena_.Place<float>(pairs * kMaskCount);
  v.joint = arena_.Place<float>(pairs * weights.joint_width());
  v.match_count = arena_.Place<std::int32_t>(pairs);
  v.match_source = arena_.Place<std::int32_t>(pairs * v.match_stride);
  v.match_target = arena_.Place<std::int32_t>(pairs * v.match_stride);
  v.direct_source = arena_.Place<std::int32_t>(pairs);
  v.direct_target = arena_.Place<std::int32_t>(pairs);
  v.source_extended = arena_.Place<float>(pairs * extended);
  v.target_extended = arena_.Place<float>(pairs * extended);
  v.source_hidden = arena_.Place<float>(pairs * hidden);
  v.target_hidden = arena_.Place<float>(pairs * hidden);
  v.hidden = arena_.Place<float>(pairs * hidden);
  v.logit = arena_.Place<float>(pairs);
}

void NatWorkspace::PlaceGradients(const NatWeights& weights) {
  NatView& v = placed_;
  const std::int64_t nodes = max_nodes_, entries = max_entries_, pairs = max_pairs_;
  const std::int64_t s = weights.dimensions.self_width, hidden = weights.dimensions.hidden_width;
  v.d_logit = arena_.Place<float>(pairs);
  v.d_hidden = arena_.Place<float>(pairs * hidden);
  v.d_joint = arena_.Place<float>(pairs * weights.joint_width());
  v.d_source_hidden = arena_.Place<float>(pairs * hidden);
  v.d_target_hidden = arena_.Place<float>(pairs * hidden);
  v.d_source_extended = arena_.Place<float>(pairs * s);
  v.d_target_extended = arena_.Place<float>(pairs * s);
  v.d_gate_input = arena_.Place<float>(nodes * 3 * s);
  v.d_gate_state = arena_.Place<float>(nodes * 3 * s);
  v.d_distinct = arena_.Place<float>(entries * kSlotWidth);
  v.d_slot_after = arena_.Place<float>(kSlotWidth * entries);
  v.d_slot_gate = arena_.Place<float>(kSlotGates * entries);
  v.d_slot_candidate_state = arena_.Place<float>(kSlotWidth * entries);
  v.d_slot_input = arena_.Place<float>(kSlotWidth * entries);
  PlaceGrouped(keys_, v.key);
  if (weights.dimensions.feature_count > 0) PlaceGrouped(events_, v.event);
  v.gradient = arena_.Place<float>(weights.count);
  transposed = arena_.Place<float>(weights.count);
  ones = arena_.Place<float>(std::max(nodes, pairs));
  transposed_gradient =
      arena_.Place<float>(std::max(weights.slot_key.size(), weights.slot_event.size()));
  source_pairs_begin_ = arena_.Place<std::int32_t>(pairs + 1);
  source_pairs_ = arena_.Place<std::int32_t>(pairs);
  target_pairs_begin_ = arena_.Place<std::int32_t>(pairs + 1);
  target_pairs_ = arena_.Place<std::int32_t>(pairs);
  node_source_index_ = arena_.Place<std::int32_t>(nodes);
  node_target_index_ = arena_.Place<std::int32_t>(nodes);
}

void NatWorkspace::PlaceProjected(Projected& projected, NatProjected& view) {
  view.entry_row = projected.entry_row = arena_.Place<std::uint32_t>(max_entries_);
  view.stale_row = projected.stale_row = arena_.Place<std::uint32_t>(max_entries_);
  view.stale_product = arena_.Place<float>(max_entries_ * kSlotWidth);
}

void NatWorkspace::PlaceGrouped(Grouped& grouped, NatProjected& view) {
  grouped.number = arena_.Place<std::int32_t>(max_entries_);
  view.distinct_row = grouped.row = arena_.Place<std::uint32_t>(max_entries_);
  view.entries_begin = grouped.begin = arena_.Place<std::int32_t>(max_entries_ + 1);
  view.entries = grouped.entries = arena_.Place<std::int32_t>(max_entries_);
  view.d_projection = arena_.Place<float>(max_entries_ * kSlotWidth);
}

void NatWorkspace::Group(const Projected& projected, const Grouped& grouped,
                         std::int32_t entry_count, NatProjected& view) {
  rows_.Clear();
  for (std::int32_t m = 0; m < entry_count; ++m)
    grouped.number[m] = rows_.Insert(projected.entry_row[m]);
  view.distinct_count = rows_.size();
  std::copy_n(rows_.ids(), rows_.size(), grouped.row);
  GroupBy(grouped.number, entry_count, rows_.size(), fill_, grouped.begin, grouped.entries);
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
  view.node_row = node_row;
  view.opponent_row = opponent_row;
  view.node_event = node_event;
  view.pair_count = static_cast<std::int32_t>(pair_count_);
  view.pair_source = pair_source_;
  view.pair_target = pair_target_;
  view.pair_source_index = pair_source_index_;
  view.pair_target_index = pair_target_index_;
  view.source_count = sources_.size();
  view.target_count = targets_.size();
  view.source_node = sources_.ids();
  view.target_node = targets_.ids();
}

void NatWorkspace::PlanGradients(NatView& view) {
  WEFT_CHECK(learning_);
  GroupBy(pair_source_index_, view.pair_count, view.source_count, fill_, source_pairs_begin_,
          source_pairs_);
  GroupBy(pair_target_index_, view.pair_count, view.target_count, fill_, target_pairs_begin_,
          target_pairs_);
  Group(key, keys_, view.reads.entry_count, view.key);
  if (view.event.projection != nullptr) Group(event, events_, view.reads.entry_count, view.event);
  std::fill_n(node_source_index_, view.node_count, -1);
  std::fill_n(node_target_index_, view.node_count, -1);
  for (std::int32_t i = 0; i < view.source_count; ++i) node_source_index_[sources_.ids()[i]] = i;
  for (std::int32_t i = 0; i < view.target_count; ++i) node_target_index_[targets_.ids()[i]] = i;
  view.source_pairs_begin = source_pairs_begin_;
  view.source_pairs = source_pairs_;
  view.target_pairs_begin = target_pairs_begin_;
  view.target_pairs = target_pairs_;
  view.node_source_index = node_source_index_;
  view.node_target_index = node_target_index_;
}

}  // namespace weft::operators::link
