#include "operators/link/edgebank.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "operators/link/probability_calibration.h"
#include "operators/link/section.h"

namespace weft::operators::link {

EdgeBank::EdgeBank(const EdgeBankOptions& options)
    : GroupedLinkModel(options.reads, options.batch),
      options_(options),
      pairs_(options.max_pairs),
      last_us_(static_cast<std::size_t>(options.max_pairs) + 1) {}

std::uint64_t EdgeBank::PairKey(graph::NodeId source, graph::NodeId target) const {
  if (!options_.directed && target < source) std::swap(source, target);
  return std::uint64_t{source} << 32 | target;
}

// In the middle of two bins of the calibration, and near each other: it keeps log-odds apart by a
// share of how far these are.
std::optional<float> EdgeBank::LogOdds(float random) const {
  constexpr float kSeen = 1.5f * ProbabilityCalibration::kWidth;
  return random > 0.5f ? kSeen : -kSeen;
}

std::unique_ptr<LinkModel> EdgeBank::Fork(std::int64_t /*node_limit*/) const {
  return std::make_unique<EdgeBank>(options_);
}

void EdgeBank::ResetState() { pairs_.Clear(); }

float EdgeBank::ScoreOf(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us) const {
  const std::uint32_t row = pairs_.Find(PairKey(source, target));
  if (row == cache::kNoRow) return 0.0f;
  if (options_.window_us == 0) return 1.0f;
  // Times may lie anywhere in int64, so the difference is taken without sign.
  const graph::TimeUs last_us = last_us_[row];
  if (last_us >= time_us) return 1.0f;
  const std::uint64_t age_us =
      static_cast<std::uint64_t>(time_us) - static_cast<std::uint64_t>(last_us);
  return age_us <= static_cast<std::uint64_t>(options_.window_us) ? 1.0f : 0.0f;
}

void EdgeBank::Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
                     std::span<float> positive_score, std::span<float> negative_score) {
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    positive_score[i] = ScoreOf(events.source[i], events.target[i], events.time_us[i]);
  }
  for (std::size_t i = 0; i < negative.size(); ++i) {
    negative_score[i] = ScoreOf(events.source[i], negative[i], events.time_us[i]);
  }
}

void EdgeBank::Observe(graph::EventSpan events) {
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    const auto [row, fresh] = pairs_.Admit(PairKey(events.source[i], events.target[i]));
    graph::TimeUs& last_us = last_us_[row];
    last_us = fresh ? events.time_us[i] : std::max(last_us, events.time_us[i]);
  }
}

void EdgeBank::ScorePairs(std::span<const graph::NodeId> source,
                          std::span<const graph::NodeId> target, graph::TimeUs time_us,
                          std::span<PairScore> score) const {
  for (std::size_t i = 0; i < source.size(); ++i)
    score[i] = PairScore::Of(ScoreOf(source[i], target[i], time_us));
}

absl::Status EdgeBank::SaveState(graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteRowIndex("pairs", pairs_, sink));
  const auto count = static_cast<std::size_t>(pairs_.size());
  return WriteArray("times", std::span(last_us_).subspan(1, count), sink);
}

absl::Status EdgeBank::LoadState(graph::CheckpointSource& source) {
  WEFT_TRY(ReadRowIndex("pairs", pairs_, source));
  std::vector<graph::TimeUs> last_us;
  WEFT_TRY(ReadArray("times", last_us_.size() - 1, last_us, source));
  if (static_cast<std::int64_t>(last_us.size()) != pairs_.size()) {
    return absl::DataLossError("section times: expected one time a pair");
  }
  std::copy(last_us.begin(), last_us.end(), last_us_.begin() + 1);
  return absl::OkStatus();
}

}  // namespace weft::operators::link
