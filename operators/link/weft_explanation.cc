// WeftModel: why it scores a pair as it does.
#include <algorithm>
#include <cmath>
#include <span>

#include "gpu/memory.h"
#include "operators/learn/shapley_values.h"
#include "operators/link/weft_workspace.h"

namespace weft::operators::link {
namespace {

// Partners that change the log-odds by less do not matter.
constexpr float kLeastContribution = 0.01f;
constexpr std::size_t kMostPartners = 8;

std::size_t LogitOf(PairQuestion question) { return static_cast<std::size_t>(question); }

// Columns of the groups in `known` as they are, the others at their means.
void FillRow(std::span<const WeftGroup> groups, std::uint32_t known, const float* row,
             std::span<const float> means, float* to) {
  std::copy_n(means.data(), kWeftStride, to);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if ((known >> g & 1) == 0) continue;
    for (const WeftColumnRange& range : groups[g].columns)
      std::copy(row + range.begin, row + range.end, to + range.begin);
  }
}

void EmptySlot(const cache::PartnerRow& row, std::int32_t slot) {
  using cache::SlotArray;
  row.Words(SlotArray::kKey)[slot] = cache::kNobody;
  for (const SlotArray array :
       {SlotArray::kOutOrdinal, SlotArray::kInOrdinal, SlotArray::kRow, SlotArray::kOutCount,
        SlotArray::kInCount, SlotArray::kPastContacts, SlotArray::kNext, SlotArray::kClock})
    row.Words(array)[slot] = 0;
  row.Floats(SlotArray::kGap)[slot] = 0.0f;
  row.Times(SlotArray::kOutTime)[slot] = 0;
  row.Times(SlotArray::kInTime)[slot] = 0;
}

PartnerContribution ContactsOf(const cache::PartnerRow& row, std::int32_t slot) {
  using cache::SlotArray;
  const cache::Contacts contacts = cache::AllContacts(row, slot);
  PartnerContribution partner;
  partner.partner = row.Words(SlotArray::kKey)[slot];
  partner.sent_count = contacts.out;
  partner.received_count = contacts.in;
  if (row.Words(SlotArray::kOutCount)[slot] > 0)
    partner.last_sent_us = row.Times(SlotArray::kOutTime)[slot];
  if (row.Words(SlotArray::kInCount)[slot] > 0)
    partner.last_received_us = row.Times(SlotArray::kInTime)[slot];
  return partner;
}

}  // namespace

// All coalitions of groups are one pass of the head each: with ten groups 1,024, a quarter of a
// millisecond.
void WeftModel::ExplainGroups(const float* row, PairQuestion question,
                              PairExplanation& explanation) const {
  Workspace& w = *workspace_;
  const std::span<const WeftGroup> groups = WeftGroupList();
  const std::uint32_t coalitions = 1u << groups.size();
  std::vector<float> value(coalitions);
  for (std::uint32_t begin = 0; begin < coalitions; begin += kReadPairs) {
    const auto count = std::min<std::uint32_t>(kReadPairs, coalitions - begin);
    w.logits.resize(count * kHeadLogits);
    for (std::uint32_t i = 0; i < count; ++i)
      FillRow(groups, begin + i, row, head_.means(),
              w.read_features.data() + std::int64_t{i} * kWeftStride);
    head_.Logits(w.read_features.data(), count, w.logits.data());
    for (std::uint32_t i = 0; i < count; ++i)
      value[begin + i] = w.logits[i * kHeadLogits + LogitOf(question)];
  }
  explanation.mean_log_odds = value.front();
  explanation.log_odds = value.back();
  const std::vector<double> gain = learn::ShapleyValues(groups.size(), value);
  for (std::size_t g = 0; g < groups.size(); ++g)
    explanation.groups.push_back({groups[g].name, static_cast<float>(gain[g])});
}

// Each partner of the source is forgotten for the length of one score. That is safe, and leaves no
// trace, because nobody else uses the table meanwhile.
void WeftModel::ExplainPartners(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us,
                                PairQuestion question, PairExplanation& explanation) const {
  const std::uint32_t source_row = table_.nodes().Find(source);
  if (source_row == cache::kNoRow) return;
  const cache::PartnerRow row = table_.rows().At(source_row);
  const std::vector<std::byte> kept(row.base, row.base + table_.row_bytes());
  for (std::int32_t slot = 0; slot < row.slots; ++slot) {
    if (row.Words(cache::SlotArray::kKey)[slot] == cache::kNobody) continue;
    PartnerContribution partner = ContactsOf(row, slot);
    EmptySlot(row, slot);
    partner.log_odds = explanation.log_odds - LogOddsOf(source, target, time_us, question);
    std::ranges::copy(kept, row.base);
    if (std::abs(partner.log_odds) >= kLeastContribution) explanation.partners.push_back(partner);
  }
  std::ranges::stable_sort(explanation.partners, [](const auto& a, const auto& b) {
    return std::abs(a.log_odds) > std::abs(b.log_odds);
  });
  if (explanation.partners.size() > kMostPartners) explanation.partners.resize(kMostPartners);
}

float WeftModel::LogOddsOf(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us,
                           PairQuestion question) const {
  PairScore ignored;
  ScorePairs(std::span(&source, 1), std::span(&target, 1), time_us, std::span(&ignored, 1));
  return workspace_->logits[LogitOf(question)];
}

std::optional<PairExplanation> WeftModel::Explain(graph::NodeId source, graph::NodeId target,
                                                  graph::TimeUs time_us,
                                                  PairQuestion question) const {
  PairExplanation explanation;
  LogOddsOf(source, target, time_us, question);
  gpu::Synchronize(exec_);
  const float* const features = workspace_->read_features.data();
  const std::vector<float> row(features, features + kWeftStride);
  ExplainGroups(row.data(), question, explanation);
  if (source != graph::kNoNode) ExplainPartners(source, target, time_us, question, explanation);
  return explanation;
}

}  // namespace weft::operators::link
