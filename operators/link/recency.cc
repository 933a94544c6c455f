#include "operators/link/recency.h"

#include <algorithm>

#include "gpu/elementary.h"
#include "graph/check.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

// The mix: the two recencies count alike, the other two signals mostly part what is equally recent.
// The same for every data set; how they were chosen: recency.md.
constexpr float kPairRecency = 1.0f;
constexpr float kTargetRecency = 1.0f;
constexpr float kCommonPartners = 0.1f;
constexpr float kPopularity = 0.1f;

// 1 for what has just happened, falling with the logarithm of its age; 0 for what never happened.
float Freshness(std::int64_t now, std::int64_t last) {
  if (last == 0) return 0.0f;
  return 1.0f / (1.0f + gpu::Log1p(static_cast<float>(now - last)));
}

}  // namespace

Recency::Recency(const RecencyOptions& options)
    : options_(options),
      nodes_(options.max_nodes),
      activity_(static_cast<std::size_t>(options.max_nodes)),
      partner_(static_cast<std::size_t>(options.max_nodes * options.partners_per_node),
               graph::kNoNode),
      partner_clock_(partner_.size()) {}

std::int64_t Recency::bytes_per_node() const {
  const auto partner_bytes =
      static_cast<std::int64_t>(sizeof(graph::NodeId) + sizeof(std::int64_t));
  return LruIndex::bytes_per_slot() + static_cast<std::int64_t>(sizeof(Activity)) +
         options_.partners_per_node * partner_bytes;
}

void Recency::ResetState() {
  nodes_.Clear();
  clock_ = 0;
}

std::int64_t Recency::PairClock(std::uint32_t source_slot, graph::NodeId target) const {
  const auto width = static_cast<std::size_t>(options_.partners_per_node);
  const std::size_t row = source_slot * width;
  for (std::size_t i = row; i < row + width; ++i) {
    if (partner_[i] == target) return partner_clock_[i];
  }
  return 0;
}

std::int32_t Recency::CommonPartners(std::uint32_t one, std::uint32_t other) const {
  const auto width = static_cast<std::size_t>(options_.partners_per_node);
  const graph::NodeId* const first = partner_.data() + one * width;
  const graph::NodeId* const second = partner_.data() + other * width;
  std::int32_t common = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (first[i] == graph::kNoNode) continue;
    std::int32_t equal = 0;
    for (std::size_t j = 0; j < width; ++j) equal += first[i] == second[j];
    common += equal;
  }
  return common;
}

float Recency::ScoreOf(std::uint32_t source_slot, graph::NodeId target) const {
  const std::uint32_t target_slot = nodes_.Find(target);
  if (target_slot == LruIndex::kNone) return 0.0f;
  const Activity& activity = activity_[target_slot];
  float score = kTargetRecency * Freshness(clock_, activity.last_clock);
  score += kPopularity * gpu::Log1p(static_cast<float>(activity.event_count)) /
           gpu::Log1p(static_cast<float>(clock_));
  if (source_slot == LruIndex::kNone) return score;
  const auto common = static_cast<float>(CommonPartners(source_slot, target_slot));
  score += kCommonPartners * common / (1.0f + common);
  return score + kPairRecency * Freshness(clock_, PairClock(source_slot, target));
}

void Recency::Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
                    std::span<float> positive_score, std::span<float> negative_score) {
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    const std::uint32_t source_slot = nodes_.Find(events.source[i]);
    positive_score[i] = ScoreOf(source_slot, events.target[i]);
    if (!negative.empty()) negative_score[i] = ScoreOf(source_slot, negative[i]);
  }
}

std::uint32_t Recency::TouchNode(graph::NodeId node) {
  const LruIndex::Touched touched = nodes_.Touch(node);
  if (touched.inserted) {
    const auto width = static_cast<std::ptrdiff_t>(options_.partners_per_node);
    const std::ptrdiff_t row = touched.slot * width;
    activity_[touched.slot] = {};
    std::fill_n(partner_.begin() + row, width, graph::kNoNode);
    std::fill_n(partner_clock_.begin() + row, width, 0);
  }
  return touched.slot;
}

void Recency::AddPartner(std::uint32_t slot, graph::NodeId partner) {
  const auto width = static_cast<std::size_t>(options_.partners_per_node);
  const std::size_t row = slot * width;
  // Free places have clock 0, so they go before the partner met longest ago.
  std::size_t place = row;
  for (std::size_t i = row; i < row + width; ++i) {
    if (partner_[i] == partner) {
      place = i;
      break;
    }
    if (partner_clock_[i] < partner_clock_[place]) place = i;
  }
  partner_[place] = partner;
  partner_clock_[place] = clock_;
}

void Recency::Observe(graph::EventSpan events) {
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    ++clock_;
    const graph::NodeId source = events.source[i];
    const graph::NodeId target = events.target[i];
    AddPartner(TouchNode(source), target);
    const std::uint32_t target_slot = TouchNode(target);
    if (source != target) AddPartner(target_slot, source);
    activity_[target_slot].last_clock = clock_;
    ++activity_[target_slot].event_count;
  }
}

void Recency::ScorePairs(std::span<const graph::NodeId> source,
                         std::span<const graph::NodeId> target, graph::TimeUs,
                         std::span<float> score) const {
  for (std::size_t i = 0; i < source.size(); ++i) {
    score[i] = ScoreOf(nodes_.Find(source[i]), target[i]);
  }
}

absl::Status Recency::SaveState(graph::CheckpointSink& sink) const {
  const auto count = static_cast<std::size_t>(nodes_.size());
  const std::size_t partners = count * static_cast<std::size_t>(options_.partners_per_node);
  WEFT_TRY(nodes_.Save("nodes", sink));
  WEFT_TRY(WriteValue("clock", clock_, sink));
  WEFT_TRY(WriteArray("activity", std::span(activity_.data(), count), sink));
  WEFT_TRY(WriteArray("partners", std::span(partner_.data(), partners), sink));
  return WriteArray("partner_clocks", std::span(partner_clock_.data(), partners), sink);
}

absl::Status Recency::LoadState(graph::CheckpointSource& source) {
  WEFT_TRY(nodes_.Load("nodes", source));
  WEFT_TRY(ReadValue("clock", clock_, source));
  std::vector<Activity> activity;
  std::vector<graph::NodeId> partner;
  std::vector<std::int64_t> partner_clock;
  WEFT_TRY(ReadArray("activity", activity_.size(), activity, source));
  WEFT_TRY(ReadArray("partners", partner_.size(), partner, source));
  WEFT_TRY(ReadArray("partner_clocks", partner_.size(), partner_clock, source));
  const auto count = static_cast<std::size_t>(nodes_.size());
  const std::size_t partners = count * static_cast<std::size_t>(options_.partners_per_node);
  if (activity.size() != count || partner.size() != partners || partner_clock.size() != partners) {
    return absl::DataLossError("sections of recency do not fit its options");
  }
  std::copy(activity.begin(), activity.end(), activity_.begin());
  std::copy(partner.begin(), partner.end(), partner_.begin());
  std::copy(partner_clock.begin(), partner_clock.end(), partner_clock_.begin());
  return absl::OkStatus();
}

}  // namespace weft::operators::link
