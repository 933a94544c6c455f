#include "operators/link/label_history.h"

#include "gpu/elementary.h"

namespace weft::operators::link {
namespace {

struct Label {
  bool positive;
  float base_rate;        // before it
  std::uint32_t ordinal;  // its place in the stream
};

void Add(const Label& label, LabelRecord& record) {
  const float answer = label.positive ? 1.0f : 0.0f;
  for (int r = 0; r < kLabelRates; ++r) {
    if (record.count == 0) record.rate[r] = label.base_rate;
    record.rate[r] += kLabelRateSteps[r] * (answer - record.rate[r]);
  }
  ++record.count;
  record.positives += label.positive ? 1 : 0;
  record.last = label.positive;
  if (label.positive) record.last_positive = label.ordinal;
}

}  // namespace

float SmoothedRate(const LabelRecord& record, float base_rate, float prior) {
  return (static_cast<float>(record.positives) + prior * base_rate) /
         (static_cast<float>(record.count) + prior);
}

float LabelHistory::base_rate() const {
  return static_cast<float>(all_.positives + 1) / static_cast<float>(all_.count + 2);
}

void LabelHistory::Read(graph::NodeId source, graph::NodeId target, float* columns) const {
  const float base = base_rate();
  for (std::int32_t o = 0; o <= static_cast<std::int32_t>(RecordOwner::kCount); ++o) {
    const auto owner = static_cast<RecordOwner>(o);
    const LabelRecord& record = owner == RecordOwner::kCount ? all_ : Of(owner, source, target);
    const bool known = record.count > 0;
    const float share = SmoothedRate(record, base, 1.0f);
    columns[kLabelCount] = gpu::Log1p(static_cast<float>(record.count));
    columns[kLabelPositives] = gpu::Log1p(static_cast<float>(record.positives));
    columns[kLabelLogOdds] = gpu::Log(share / (1.0f - share));
    columns[kLabelLast] = !known ? 0.0f : record.last ? 1.0f : -1.0f;
    columns[kLabelSince] = record.last_positive == 0
                               ? gpu::Log1p(static_cast<float>(all_.count)) + 1.0f
                               : gpu::Log1p(static_cast<float>(all_.count - record.last_positive));
    for (int r = 0; r < kLabelRates; ++r)
      columns[kLabelRateFirst + r] = known ? record.rate[r] : base;
    columns += kLabelRecordColumns;
  }
}

void LabelHistory::Observe(graph::NodeId source, graph::NodeId target, bool positive) {
  const Label label = {.positive = positive, .base_rate = base_rate(), .ordinal = all_.count + 1};
  Add(label, records_.Sent(source));
  Add(label, records_.Received(target));
  Add(label, records_.Pair(source, target));
  Add(label, all_);
}

}  // namespace weft::operators::link
