// WeftColumns: what `weft` reads of the pair of each event (weft_features.h), as it was before the
// event, without a head that scores it: what heads that answer other questions read.
#pragma once

#include <cstdint>

#include "cache/partner_table.h"
#include "gpu/buffer.h"
#include "gpu/exec.h"
#include "graph/event_batch.h"
#include "operators/link/link_reads.h"
#include "operators/link/weft_kernels.h"

namespace weft::operators::link {

// Of rows that are read by that rule.
WeftGroups WeftGroupsOf(LinkReads reads);

struct WeftColumnsOptions {
  cache::PartnerTableOptions table = {};
  LinkReads reads = LinkReads::kBeforeTime;
  std::int64_t step_events = 64;  // worked on together; B of before_batch(B)
};

// Thread-compatible. The same columns as WeftModel reads of the same events.
class WeftColumns {
 public:
  WeftColumns(const WeftColumnsOptions& options, const gpu::Exec& exec);

  // Writes kWeftColumnCount values of event i to rows + i * stride, and takes the events in. Of
  // before_batch, a call starts a new batch.
  void Advance(graph::EventSpan events, float* rows, std::int64_t stride);

 private:
  void AdvancePiece(graph::EventSpan events, std::int64_t begin, std::int64_t end);

  WeftColumnsOptions options_;
  gpu::Exec exec_;
  cache::PartnerTable table_;
  gpu::Buffer<cache::PartnerEvent> event_;
  gpu::Buffer<WeftTarget> own_;
  gpu::Buffer<std::uint32_t> source_row_;
  gpu::Buffer<std::uint32_t> row_count_;
  gpu::Buffer<WeftSource> source_;
  gpu::Buffer<float> columns_;
};

}  // namespace weft::operators::link
