// NatModel::Learn: the derivative of ScoreReadPairs and ReadNodes with respect to the weights. What
// is stored of the past is a constant: each loss sees one step of each GRU, as in the paper.
#include <algorithm>

#include "gpu/elementary.h"
#include "gpu/gemm.h"
#include "graph/check.h"
#include "operators/link/nat_model.h"

namespace weft::operators::link {
namespace {

// gradient[part] = left^T right, with left [k x part.rows] and right [k x part.columns].
gpu::GemmArguments OuterProduct(std::int64_t k, const float* left, std::int64_t left_stride,
                                const float* right, std::int64_t right_stride, const NatPart& part,
                                float* gradient) {
  return {.m = part.rows,
          .n = part.columns,
          .k = k,
          .a = left,
          .a_row_stride = 1,
          .a_column_stride = left_stride,
          .b = right,
          .b_row_stride = right_stride,
          .c = gradient + part.offset,
          .c_row_stride = part.columns};
}

// to[m x columns] = d[m x part.columns] * part^T, the first `columns` columns of it.
gpu::GemmArguments BackProduct(std::int64_t m, const float* d, const NatPart& part,
                               const float* transposed, std::int64_t columns, float* to,
                               std::int64_t to_stride) {
  return {.m = m,
          .n = columns,
          .k = part.columns,
          .a = d,
          .a_row_stride = part.columns,
          .b = transposed + part.offset,
          .b_row_stride = part.rows,
          .c = to,
          .c_row_stride = to_stride};
}

// Binary cross-entropy of a logit: log(1 + exp(-l)) for an event, log(1 + exp(l)) for a negative.
double LogisticLoss(float logit, bool happened) {
  const float x = happened ? -logit : logit;
  const float magnitude = x > 0.0f ? x : -x;
  return static_cast<double>((x > 0.0f ? x : 0.0f) + gpu::Log1p(gpu::Exp(-magnitude)));
}

}  // namespace

void NatModel::ComputeGradient() {
  workspace_.PlanGradients(view_);
  const NatView& v = view_;
  const NatWeights& l = layout_;
  const std::int64_t s = l.dimensions.self_width, hidden = l.dimensions.hidden_width;
  float* g = v.gradient;
  const float* t = workspace_.transposed;
  const float* ones = workspace_.ones;
  for (const NatPart* part :
       {&l.self_gate_input, &l.joint_hidden, &l.source_hidden, &l.target_hidden})
    gpu::Transpose(exec_, part->rows, part->columns, weights_.data() + part->offset,
                   workspace_.transposed + part->offset);

  // Scoring layer.
  std::visit([&](const auto& e) { NatLossGradientOn(e, v); }, exec_);
  gpu::Gemm(exec_, OuterProduct(v.pair_count, v.d_logit, 1, v.hidden, hidden, l.output, g));
  gpu::Gemm(exec_, OuterProduct(v.pair_count, ones, 1, v.d_logit, 1, l.output_bias, g));
  gpu::Gemm(exec_, OuterProduct(v.pair_count, ones, 1, v.d_hidden, hidden, l.hidden_bias, g));

  // Joint vectors.
  gpu::Gemm(exec_, OuterProduct(v.pair_count, v.joint, v.joint_width, v.d_hidden, hidden,
                                l.joint_hidden, g));
  gpu::Gemm(exec_, BackProduct(v.pair_count, v.d_hidden, l.joint_hidden, t, v.joint_width,
                               v.d_joint, v.joint_width));
  gpu::Gemm(exec_, OuterProduct(v.pair_count, v.histogram, kMaskCount, v.d_joint, v.joint_width,
                                l.mask_embedding, g));

  // The two nodes.
  std::visit([&](const auto& e) { NatPairSumsOn(e, v); }, exec_);
  gpu::Gemm(exec_, OuterProduct(v.source_count, v.source_extended, v.extended_width,
                                v.d_source_hidden, hidden, l.source_hidden, g));
  gpu::Gemm(exec_, OuterProduct(v.target_count, v.target_extended, v.extended_width,
                                v.d_target_hidden, hidden, l.target_hidden, g));
  gpu::Gemm(exec_, BackProduct(v.source_count, v.d_source_hidden, l.source_hidden, t, s,
                               v.d_source_extended, s));
  gpu::Gemm(exec_, BackProduct(v.target_count, v.d_target_hidden, l.target_hidden, t, s,
                               v.d_target_extended, s));
  std::visit([&](const auto& e) { NatSelfGruGradientOn(e, v); }, exec_);
  gpu::Gemm(exec_, OuterProduct(v.node_count, v.self_mixed, s, v.d_gate_input, 3 * s,
                                l.self_gate_input, g));
  gpu::Gemm(exec_,
            OuterProduct(v.node_count, ones, 1, v.d_gate_input, 3 * s, l.self_gate_input_bias, g));
  gpu::Gemm(exec_, OuterProduct(v.node_count, v.self_before, s, v.d_gate_state, 3 * s,
                                l.self_gate_state, g));
  gpu::Gemm(exec_,
            OuterProduct(v.node_count, ones, 1, v.d_gate_state, 3 * s, l.self_gate_state_bias, g));
  // The gates' own values are no longer needed: self_mixed's gradient takes their place.
  float* d_mixed = v.gate_state;
  gpu::Gemm(exec_, BackProduct(v.node_count, v.d_gate_input, l.self_gate_input, t, s, d_mixed, s));
  gpu::Gemm(exec_,
            OuterProduct(v.node_count, v.self_input, v.input_width, d_mixed, s, l.self_input, g));

  // The slots.
  std::visit([&](const auto& e) { NatSlotGradientOn(e, v); }, exec_);
  ProjectionGradient(v.key, self_state_.data(), l.slot_key);
  if (features_.feature_count() > 0) ProjectionGradient(v.event, features_.rows(), l.slot_event);
}

// Computed transposed: the part's rows fill vectors, its F columns would not.
void NatModel::ProjectionGradient(const NatProjected& view, const float* matrix,
                                  const NatPart& part) {
  const NatPart transposed{0, part.columns, part.rows};
  gpu::GemmArguments product =
      OuterProduct(view.distinct_count, view.d_projection, kSlotWidth, matrix, part.rows,
                   transposed, workspace_.transposed_gradient);
  product.b_row = view.distinct_row;
  gpu::Gemm(exec_, product);
  gpu::Transpose(exec_, part.columns, part.rows, workspace_.transposed_gradient,
                 view_.gradient + part.offset);
}

double NatModel::Learn(graph::EventSpan events, std::span<const graph::NodeId> negative) {
  WEFT_CHECK(options_.learning && ReadIsOf(events));
  double positive_loss = 0, negative_loss = 0;
  const auto positives = static_cast<std::size_t>(events.size());
  for (std::size_t i = 0; i < positives; ++i) positive_loss += LogisticLoss(view_.logit[i], true);
  for (std::size_t i = 0; i < negative.size(); ++i)
    if (negative[i] != graph::kNoNode)
      negative_loss += LogisticLoss(view_.logit[positives + i], false);
  ComputeGradient();
  ++weights_version_;
  adam_.Step(exec_, weights_.data(), view_.gradient, rate_factor_);
  return positive_loss / static_cast<double>(positives) +
         (view_.negative_count > 0 ? negative_loss / view_.negative_count : 0.0);
}

}  // namespace weft::operators::link
