#include "operators/link/recency.h"

#include <algorithm>

#include "gpu/elementary.h"
#include "graph/check.h"
#include "operators/link/recency_mix.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

float FreshnessOf(std::int64_t now, std::int64_t last) {
  return last == 0 ? 0.0f : Freshness(gpu::Log1p(static_cast<float>(now - last)));
}

}  // namespace

Recency::Recency(const RecencyOptions& options)
    : GroupedLinkModel(options.reads, options.batch),
      options_(options),
      nodes_(options.max_nodes),
      activity_(static_cast<std::size_t>(options.max_nodes) + 1),
      partner_(activity_.size() * static_cast<std::size_t>(options.partners_per_node),
               graph::kNoNode),
      partner_clock_(partner_.size()) {}

std::int64_t Recency::bytes_per_node() const {
  const auto partner_bytes =
      static_cast<std::int64_t>(sizeof(graph::NodeId) + sizeof(std::int64_t));
  return cache::RowIndex::kMaxBytesPerRow + static_cast<std::int64_t>(sizeof(Activity)) +
         options_.partners_per_node * partner_bytes;
}

// Scores are from 0 to about 2.2: some thirty bins of the calibration.
std::optional<float> Recency::LogOdds(float random) const { return 6.0f * (random - 0.5f); }

std::unique_ptr<LinkModel> Recency::Fork(std::int64_t node_limit) const {
  RecencyOptions options = options_;
  options.max_nodes = std::min(options.max_nodes, node_limit);
  return std::make_unique<Recency>(options);
}

void Recency::ResetState() {
  nodes_.Clear();
  clock_ = 0;
}

std::int64_t Recency::PairClock(std::uint32_t source_row, graph::NodeId target) const {
  const auto width = static_cast<std::size_t>(options_.partners_per_node);
  const std::size_t begin = source_row * width;
  for (std::size_t i = begin; i < begin + width; ++i) {
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

float Recency::ScoreOf(std::uint32_t source_row, graph::NodeId target) const {
  const std::uint32_t target_row = nodes_.Find(target);
  if (target_row == cache::kNoRow) return 0.0f;
  const Activity& activity = activity_[target_row];
  RecencySignals signals;
  signals.target_freshness = FreshnessOf(clock_, activity.last_clock);
  signals.log_target_count = gpu::Log1p(static_cast<float>(activity.event_count));
  signals.log_event_count = gpu::Log1p(static_cast<float>(clock_));
  if (source_row != cache::kNoRow) {
    signals.common_partners = static_cast<float>(CommonPartners(source_row, target_row));
    signals.pair_freshness = FreshnessOf(clock_, PairClock(source_row, target));
  }
  return RecencyMix(signals);
}

void Recency::Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
                    std::span<float> positive_score, std::span<float> negative_score) {
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    const std::uint32_t source_row = nodes_.Find(events.source[i]);
    positive_score[i] = ScoreOf(source_row, events.target[i]);
    if (!negative.empty()) negative_score[i] = ScoreOf(source_row, negative[i]);
  }
}

std::uint32_t Recency::TouchNode(graph::NodeId node) {
  const auto [row, fresh] = nodes_.Admit(node);
  if (fresh) {
    const auto width = static_cast<std::ptrdiff_t>(options_.partners_per_node);
    activity_[row] = {};
    std::fill_n(partner_.begin() + row * width, width, graph::kNoNode);
    std::fill_n(partner_clock_.begin() + row * width, width, 0);
  }
  return row;
}

void Recency::AddPartner(std::uint32_t row, graph::NodeId partner) {
  const auto width = static_cast<std::size_t>(options_.partners_per_node);
  const std::size_t begin = row * width;
  // Free places have clock 0, so they go before the partner met longest ago.
  std::size_t place = begin;
  for (std::size_t i = begin; i < begin + width; ++i) {
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
    const std::uint32_t target_row = TouchNode(target);
    if (source != target) AddPartner(target_row, source);
    activity_[target_row].last_clock = clock_;
    ++activity_[target_row].event_count;
  }
}

void Recency::ScorePairs(std::span<const graph::NodeId> source,
                         std::span<const graph::NodeId> target, graph::TimeUs,
                         std::span<PairScore> score) const {
  for (std::size_t i = 0; i < source.size(); ++i) {
    score[i] = PairScore::Of(ScoreOf(nodes_.Find(source[i]), target[i]));
  }
}

absl::Status Recency::SaveState(graph::CheckpointSink& sink) const {
  const auto count = static_cast<std::size_t>(nodes_.size());
  const auto width = static_cast<std::size_t>(options_.partners_per_node);
  WEFT_TRY(WriteRowIndex("nodes", nodes_, sink));
  WEFT_TRY(WriteValue("clock", clock_, sink));
  WEFT_TRY(WriteArray("activity", std::span(activity_).subspan(1, count), sink));
  WEFT_TRY(WriteArray("partners", std::span(partner_).subspan(width, count * width), sink));
  return WriteArray("partner_clocks", std::span(partner_clock_).subspan(width, count * width),
                    sink);
}

absl::Status Recency::LoadState(graph::CheckpointSource& source) {
  WEFT_TRY(ReadRowIndex("nodes", nodes_, source));
  WEFT_TRY(ReadValue("clock", clock_, source));
  std::vector<Activity> activity;
  std::vector<graph::NodeId> partner;
  std::vector<std::int64_t> partner_clock;
  WEFT_TRY(ReadArray("activity", activity_.size(), activity, source));
  WEFT_TRY(ReadArray("partners", partner_.size(), partner, source));
  WEFT_TRY(ReadArray("partner_clocks", partner_.size(), partner_clock, source));
  const auto count = static_cast<std::size_t>(nodes_.size());
  const auto width = static_cast<std::size_t>(options_.partners_per_node);
  if (activity.size() != count || partner.size() != count * width ||
      partner_clock.size() != count * width) {
    return absl::DataLossError("sections of recency do not fit its options");
  }
  std::copy(activity.begin(), activity.end(), activity_.begin() + 1);
  std::copy(partner.begin(), partner.end(), partner_.begin() + options_.partners_per_node);
  std::copy(partner_clock.begin(), partner_clock.end(),
            partner_clock_.begin() + options_.partners_per_node);
  return absl::OkStatus();
}

}  // namespace weft::operators::link
