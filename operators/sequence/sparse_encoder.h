// `sparse_encoder`: events -> sparse bits of their fields. See sparse_encoder.md.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "graph/event_batch.h"
#include "graph/operator.h"
#include "operators/sequence/sparse_batch.h"
#include "operators/sequence/sparse_bits.h"

namespace weft::operators::sequence {

class SparseEncoder final : public graph::Operator {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<SparseBatch> kSparse{"SDR"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;

 private:
  // Appends a field's bits of an event.
  using Encode = std::function<void(const graph::EventBatch&, std::size_t, SparseBits&)>;

  std::vector<Encode> encoders_;
  std::int32_t value_feature_ = 0;
};

}  // namespace weft::operators::sequence
