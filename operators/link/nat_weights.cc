#include "operators/link/nat_weights.h"

#include <cmath>

#include "gpu/host_device.h"

namespace weft::operators::link {
namespace {

// Uniform in [-1, 1).
float Symmetric(std::uint64_t seed, std::int64_t index, std::uint64_t draw) {
  return 2.0f * gpu::UnitFloat(gpu::CounterHash(seed, static_cast<std::uint64_t>(index), draw)) -
         1.0f;
}

void FillXavier(std::uint64_t seed, const NatPart& part, float* weights) {
  const float bound = std::sqrt(6.0f / static_cast<float>(part.rows + part.columns));
  for (std::int64_t i = part.offset; i < part.offset + part.size(); ++i)
    weights[i] = bound * Symmetric(seed, i, 0);
}

// Sum of 12 uniforms: variance 1 after scaling, bits that no libm decides.
void FillNormal(std::uint64_t seed, const NatPart& part, float* weights) {
  for (std::int64_t i = part.offset; i < part.offset + part.size(); ++i) {
    float sum = 0.0f;
    for (std::uint64_t draw = 0; draw < 12; ++draw) sum += Symmetric(seed, i, draw);
    weights[i] = 0.5f * sum;
  }
}

}  // namespace

NatWeights::NatWeights(const NatDimensions& d) : dimensions(d) {
  const auto place = [this](NatPart& part, std::int32_t rows, std::int32_t columns) {
    part = {count, rows, columns};
    count += part.size();
  };
  const std::int32_t s = d.self_width;
  place(self_input, input_width(), s);
  place(self_gate_input, s, 3 * s);
  place(self_gate_input_bias, 1, 3 * s);
  place(self_gate_state, s, 3 * s);
  place(self_gate_state_bias, 1, 3 * s);
  place(slot_key, s, kSlotWidth);
  place(slot_feature, kSlotFeatureCount, kSlotWidth);
  place(slot_event, d.feature_count, kSlotWidth);
  place(slot_gate_input, kSlotWidth, kSlotGates);
  place(slot_gate_input_bias, 1, kSlotGates);
  place(slot_gate_state, kSlotWidth, kSlotGates);
  place(slot_gate_state_bias, 1, kSlotGates);
  place(mask_embedding, kMaskCount, d.mask_width);
  place(joint_hidden, joint_width(), d.hidden_width);
  place(source_hidden, extended_width(), d.hidden_width);
  place(target_hidden, extended_width(), d.hidden_width);
  place(hidden_bias, 1, d.hidden_width);
  place(output, 1, d.hidden_width);
  place(output_bias, 1, 1);
}

void NatWeights::Initialize(std::uint64_t seed, float* weights) const {
  for (std::int64_t i = 0; i < count; ++i) weights[i] = 0.0f;
  for (const NatPart* part :
       {&self_input, &self_gate_input, &self_gate_state, &slot_key, &slot_feature, &slot_event,
        &slot_gate_input, &slot_gate_state, &joint_hidden, &source_hidden, &target_hidden, &output})
    FillXavier(seed, *part, weights);
  FillNormal(seed, mask_embedding, weights);
}

}  // namespace weft::operators::link
