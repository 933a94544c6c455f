#include "operators/link/weft_columns.h"

#include <algorithm>

#include "gpu/memory.h"

namespace weft::operators::link {

WeftGroups WeftGroupsOf(LinkReads reads) {
  switch (reads) {
    case LinkReads::kBeforeEvent:
      return WeftGroups::kEvent;
    case LinkReads::kBeforeBatch:
      return WeftGroups::kStep;
    default:
      return WeftGroups::kTime;
  }
}

WeftColumns::WeftColumns(const WeftColumnsOptions& options, const gpu::Exec& exec)
    : options_(options),
      exec_(exec),
      table_(options.table, gpu::MemoryOf(exec)),
      event_(options.step_events, gpu::MemoryOf(exec)),
      own_(options.step_events, gpu::MemoryOf(exec)),
      source_row_(options.step_events, gpu::MemoryOf(exec)),
      row_count_(options.step_events, gpu::MemoryOf(exec)),
      source_(1, gpu::MemoryOf(exec)),
      columns_(options.step_events * kWeftStride, gpu::MemoryOf(exec)) {}

void WeftColumns::Advance(graph::EventSpan events, float* rows, std::int64_t stride) {
  for (std::int64_t begin = 0; begin < events.size(); begin += options_.step_events) {
    const std::int64_t end = std::min(events.size(), begin + options_.step_events);
    AdvancePiece(events, begin, end);
    gpu::Synchronize(exec_);
    for (std::int64_t i = begin; i < end; ++i)
      std::copy_n(columns_.data() + (i - begin) * kWeftStride, kWeftColumnCount, rows + i * stride);
  }
}

// Rows are found as of each event, as WeftModel does.
void WeftColumns::AdvancePiece(graph::EventSpan events, std::int64_t begin, std::int64_t end) {
  gpu::Synchronize(exec_);
  for (std::int64_t i = begin; i < end; ++i) {
    const auto e = static_cast<std::size_t>(i);
    const std::int64_t at = i - begin;
    own_[at] = {events.target[e], table_.nodes().Find(events.target[e])};
    source_row_[at] = table_.nodes().Find(events.source[e]);
    row_count_[at] = static_cast<std::uint32_t>(table_.nodes().size());
    event_[at] = table_.Admit(events.source[e], events.target[e], events.time_us[e]);
  }
  WeftStepView view = {};
  view.rows = table_.rows();
  view.stream = &table_.stream();
  view.source = source_.data();
  view.groups = WeftGroupsOf(options_.reads);
  view.event_count = static_cast<std::int32_t>(end - begin);
  view.event = event_.data();
  view.own = own_.data();
  view.source_row = source_row_.data();
  view.row_count = row_count_.data();
  view.positive = columns_.data();
  std::visit([&](const auto& e) { WeftAdvanceOn(e, view); }, exec_);
}

}  // namespace weft::operators::link
