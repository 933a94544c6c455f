#include "operators/link/label_history.h"

#include "gpu/elementary.h"

namespace weft::operators::link {
namespace {

std::uint64_t PairKey(graph::NodeId source, graph::NodeId target) {
  return std::uint64_t{source} << 32 | target;
}

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

// The record of a key that has just become active; empty if the row is new.
template <class Index, class Records>
typename Records::value_type& Admit(Index& index, typename Index::Key key, Records& records) {
  const auto [row, fresh] = index.Admit(key);
  if (row >= records.size()) records.resize(row + 1);
  if (fresh) records[row] = {};
  return records[row];
}

}  // namespace

LabelHistory::LabelHistory(const Options& options)
    : nodes_(options.max_nodes), pairs_(options.max_pairs), node_(1), pair_(1) {}

float SmoothedRate(const LabelRecord& record, float base_rate, float prior) {
  return (static_cast<float>(record.positives) + prior * base_rate) /
         (static_cast<float>(record.count) + prior);
}

float LabelHistory::base_rate() const {
  return static_cast<float>(all_.positives + 1) / static_cast<float>(all_.count + 2);
}

const LabelRecord& LabelHistory::Of(LabelOwner owner, graph::NodeId source,
                                    graph::NodeId target) const {
  switch (owner) {
    case LabelOwner::kSourceSent:
      return node_[nodes_.Find(source)].sent;
    case LabelOwner::kSourceReceived:
      return node_[nodes_.Find(source)].received;
    case LabelOwner::kTargetSent:
      return node_[nodes_.Find(target)].sent;
    case LabelOwner::kTargetReceived:
      return node_[nodes_.Find(target)].received;
    case LabelOwner::kPair:
      return pair_[pairs_.Find(PairKey(source, target))];
    case LabelOwner::kReverse:
      return pair_[pairs_.Find(PairKey(target, source))];
    default:
      return all_;
  }
}

void LabelHistory::Read(graph::NodeId source, graph::NodeId target, float* columns) const {
  const float base = base_rate();
  for (std::int32_t o = 0; o < static_cast<std::int32_t>(LabelOwner::kCount); ++o) {
    const LabelRecord& record = Of(static_cast<LabelOwner>(o), source, target);
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
  Add(label, Admit(nodes_, source, node_).sent);
  Add(label, Admit(nodes_, target, node_).received);
  Add(label, Admit(pairs_, PairKey(source, target), pair_));
  Add(label, all_);
}

}  // namespace weft::operators::link
