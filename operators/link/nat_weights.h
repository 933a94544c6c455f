// The trainable numbers of NAT, as named parts of one flat array: weights, gradients and the
// optimiser's moments share this layout, and a model file is the array.
#pragma once

#include <cstdint>

#include "cache/neighbor_cache.h"

namespace weft::operators::link {

// Widths. The names in comments are the paper's.
struct NatDimensions {
  std::int32_t self_width = 72;     // S
  std::int32_t mask_width = 16;     // P: embedding of a distance mask
  std::int32_t hidden_width = 144;  // of the scoring layer; the paper's is d_n + 2S
  std::int32_t feature_count = 0;   // d_e: features of an event

  bool operator==(const NatDimensions&) const = default;
};

inline constexpr std::int32_t kSlotWidth = cache::kStateWidth;  // F
inline constexpr std::int32_t kSlotGates = 3 * kSlotWidth;
inline constexpr std::int32_t kNodeMaskCount = 8;  // at which hops of one node a key is
inline constexpr std::int32_t kMaskCount = kNodeMaskCount * kNodeMaskCount;
// Inputs that say when and how often; see NatNodeFeatures and NatSlotFeatures.
inline constexpr std::int32_t kNodeFeatureCount = 8;
inline constexpr std::int32_t kSlotFeatureCount = 3;
// Beside the mask embedding, a pair's joint vector holds: the sums of slot states over both nodes,
// over the neighbours that they share (one sum a node), the states of each other's slot, and for
// each of these two slots a flag and its features.
inline constexpr std::int32_t kJointStateWidth = 5 * kSlotWidth + 2 * (1 + kSlotFeatureCount);

// [offset, offset + rows * columns) of the flat array, row by row.
struct NatPart {
  std::int64_t offset = 0;
  std::int32_t rows = 0;
  std::int32_t columns = 0;
  std::int64_t size() const { return std::int64_t{rows} * columns; }
};

struct NatWeights {
  explicit NatWeights(const NatDimensions& dimensions);

  NatDimensions dimensions;
  NatPart self_input;       // (S + node features + d_e) x S     Lin_s
  NatPart self_gate_input;  // S x 3S                      W_i of the node's GRU: reset, update,
                            // candidate
  NatPart self_gate_input_bias;
  NatPart self_gate_state;  // S x 3S                      W_h
  NatPart self_gate_state_bias;
  NatPart
      slot_key;  // S x F                       the part of Lin_n that reads the neighbour's state
  NatPart slot_feature;     // slot features x F           the part that reads age and count
  NatPart slot_event;       // d_e x F                     the part that reads the event's features
  NatPart slot_gate_input;  // F x 3F                      W_i of the slots' GRU
  NatPart slot_gate_input_bias;
  NatPart slot_gate_state;  // F x 3F
  NatPart slot_gate_state_bias;
  NatPart mask_embedding;  // 64 x P                      E
  NatPart joint_hidden;    // (P + joint state) x hidden
  NatPart source_hidden;   // (S + node features) x hidden
  NatPart target_hidden;   // (S + node features) x hidden
  NatPart hidden_bias;
  NatPart output;  // hidden
  NatPart output_bias;
  std::int64_t count = 0;  // of all

  std::int32_t extended_width() const { return dimensions.self_width + kNodeFeatureCount; }
  std::int32_t input_width() const { return extended_width() + dimensions.feature_count; }
  std::int32_t joint_width() const { return dimensions.mask_width + kJointStateWidth; }

  // Xavier-uniform matrices, unit-normal mask embeddings, zero biases, from a counter hash of
  // `seed`.
  void Initialize(std::uint64_t seed, float* weights) const;
};

}  // namespace weft::operators::link
