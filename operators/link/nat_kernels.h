// The arrays of one NAT micro-batch and the kernels over them (nat_forward_kernels.cc,
// nat_backward_kernels.cc). Section numbers are those of nat.md beside this file.
#pragma once

#include <cstdint>

#include "cache/neighbor_cache.h"
#include "operators/link/nat_weights.h"

namespace weft::operators::link {

// What is kept of a node beside its cache row and its state vector; all zero for a node never seen.
struct NatRecord {
  std::int64_t last_out_us;
  std::int64_t last_in_us;
  std::uint32_t last_out_ordinal;
  std::uint32_t last_in_ordinal;
  std::uint32_t out_count;
  std::uint32_t in_count;
  std::uint32_t opponent;  // of the last event
  std::uint32_t padding;

  // Of the last event in either direction; 0 for a node never seen.
  std::uint32_t LastOrdinal() const {
    if (out_count == 0 || in_count == 0) return out_count == 0 ? last_in_ordinal : last_out_ordinal;
    const bool out = static_cast<std::int32_t>(last_out_ordinal - last_in_ordinal) > 0;
    return out ? last_out_ordinal : last_in_ordinal;
  }
};

// A row of a matrix times a part of the weights, kept as long as both stay.
struct NatProjection {
  float value[kSlotWidth];
  std::uint64_t version;  // of the weights that it was made with; 0: none
  std::uint64_t padding;
};

// What slots read through a projection: the states of their neighbours, or the features of their
// events.
struct NatProjected {
  NatProjection* projection;       // by row of the matrix; null if there is nothing to read
  const std::uint32_t* entry_row;  // [M] the row that an entry reads
  std::int32_t stale_count;
  const std::uint32_t* stale_row;  // [N] rows whose projection has to be made anew
  float* stale_product;            // [N x F]
  // Gradients: the distinct rows, and the entries that read each.
  std::int32_t distinct_count;
  const std::uint32_t* distinct_row;  // [K]
  const std::int32_t* entries_begin;  // [K + 1]
  const std::int32_t* entries;
  float* d_projection;  // [K x F]
};

// The moment that a batch is read at. Ages are measured in mean gaps between events, so that
// nothing depends on the unit of time, and in events.
struct NatNow {
  std::int64_t time_us = 0;
  std::uint32_t ordinal = 1;  // of the next event
  float gaps_per_us = 0.0f;   // 1 / mean time between events
};

// Plain pointers, borrowed from NatWorkspace; index ranges in brackets. U nodes, M cache entries, N
// projections to be renewed, Q pairs, A distinct sources, B distinct targets, K distinct keys.
struct NatView {
  NatDimensions dimensions;
  std::int32_t extended_width;  // S + node features
  std::int32_t input_width;     // S + node features + event features
  std::int32_t joint_width;
  NatNow now;

  // State by row.
  const float* self_state;  // [rows x S]
  const NatRecord* record;  // [rows]

  // Weights (parts of one array).
  const float* weights;
  const NatWeights* layout_on_host;  // never read by a body

  // Nodes.
  std::int32_t node_count;
  const std::uint32_t* node_id;       // [U]
  const std::uint32_t* node_row;      // [U]
  const std::uint32_t* opponent_row;  // [U]
  float* node_raw;                    // [6 x U] ages and counts, then their logarithms
  const float* event_feature;         // rows of event features
  const std::uint32_t* node_event;    // [U] row of the node's last event
  float* self_input;                  // [U x input] opponent's state, node and event features
  float* self_before;                 // [U x S]
  float* self_mixed;                  // [U x S] Lin_s of the input
  float* gate_input;                  // [U x 3S] then reset, update, candidate
  float* gate_state;                  // [U x 3S]
  float* extended;                    // [U x extended] the node's new state, then node features

  // Cache entries.
  cache::NeighborReads reads;
  std::int64_t entry_stride;    // of the arrays [.. x M]
  NatProjected key;             // neighbours' states
  NatProjected event;           // events' features
  float* slot_feature;          // [slot features x M]
  float* slot_input;            // [F x M] x of the slots' GRU
  float* slot_gate;             // [3F x M] reset, update, candidate
  float* slot_candidate_state;  // [F x M] W_hn h + b_hn
  float* slot_after;            // [F x M] z'
  float* node_sum;              // [U x F]
  // The distinct keys of each node, in the range of its entries: those of hop 1 in their places,
  // then the others.
  std::int32_t* distinct_count;  // [U]
  std::uint32_t* distinct_key;   // [M]
  std::uint8_t* distinct_mask;   // [M] bit h: present at hop h
  float* distinct_state;         // [M x F] sum of z' over its entries
  std::int32_t* distinct_of;     // [M] entry -> its distinct key's place
  float* mask_count;             // [U x 8] keys by mask

  // Pairs.
  std::int32_t pair_count;
  const std::int32_t* pair_source;        // [Q] node number
  const std::int32_t* pair_target;        // [Q]
  const std::int32_t* pair_source_index;  // [Q] number among the distinct sources
  const std::int32_t* pair_target_index;  // [Q]
  float* histogram;                       // [Q x 64] of masks, damped
  float* joint;                           // [Q x joint]
  std::int32_t match_stride;              // entries of a row at most
  std::int32_t* match_count;              // [Q] shared keys
  std::int32_t* match_source;             // [Q x match_stride] place in the source's distinct keys
  std::int32_t* match_target;             // [Q x match_stride]
  std::int32_t* direct_source;            // [Q] the source's entry of the target at hop 1, or -1
  std::int32_t* direct_target;            // [Q]
  std::int32_t source_count;
  std::int32_t target_count;
  const std::uint32_t* source_node;  // [A] node number
  const std::uint32_t* target_node;  // [B]
  float* source_extended;            // [A x extended]
  float* target_extended;            // [B x extended]
  float* source_hidden;              // [A x hidden]
  float* target_hidden;              // [B x hidden]
  float* hidden;                     // [Q x hidden]
  float* logit;                      // [Q]

  // Gradients; null unless learning.
  std::int32_t event_count;                // pairs [0, event_count) happened, the rest did not
  std::int32_t negative_count;             // of the rest, those whose target is a node
  float* d_logit;                          // [Q]
  float* d_hidden;                         // [Q x hidden]
  float* d_joint;                          // [Q x joint]
  const std::int32_t* source_pairs_begin;  // [A + 1] pairs by distinct source
  const std::int32_t* source_pairs;
  const std::int32_t* target_pairs_begin;  // [B + 1]
  const std::int32_t* target_pairs;
  const std::int32_t* node_source_index;  // [U] number among the sources, or -1
  const std::int32_t* node_target_index;  // [U]
  float* d_source_hidden;                 // [A x hidden]
  float* d_target_hidden;                 // [B x hidden]
  float* d_source_extended;               // [A x S]
  float* d_target_extended;               // [B x S]
  float* d_gate_input;                    // [U x 3S]
  float* d_gate_state;                    // [U x 3S]
  float* d_distinct;                      // [M x F]
  float* d_slot_after;                    // [F x M]
  float* d_slot_gate;                     // [3F x M] before the activations
  float* d_slot_candidate_state;          // [F x M]
  float* d_slot_input;                    // [F x M]
  float* gradient;                        // of all weights
};

// Forward, in this order; dense algebra stands between them.
template <class E>
void NatNodeInputsOn(const E& exec, const NatView& view);  // 1: node features, GRU inputs
template <class E>
void NatSelfGruOn(const E& exec, const NatView& view);  // 2
template <class E>
void NatKeepProjectionsOn(const E& exec, const NatProjected& projected);  // 3: what was stale
template <class E>
void NatSlotsOn(const E& exec, const NatView& view);  // 3: slot GRU, sums, distinct keys
template <class E>
void NatJointOn(const E& exec, const NatView& view);  // 4: joint vectors of the pairs
template <class E>
void NatHiddenStartOn(const E& exec, const NatView& view);  // 5
template <class E>
void NatLogitsOn(const E& exec, const NatView& view);  // 5

// Backward.
template <class E>
void NatLossGradientOn(const E& exec, const NatView& view);  // d_logit, d_hidden
template <class E>
void NatPairSumsOn(const E& exec, const NatView& view);  // d_source_hidden, d_target_hidden
template <class E>
void NatSelfGruGradientOn(const E& exec, const NatView& view);
template <class E>
void NatSlotGradientOn(
    const E& exec,
    const NatView& view);  // d_slot_*, the slot GRU's small matrices, d_key_projection

}  // namespace weft::operators::link
