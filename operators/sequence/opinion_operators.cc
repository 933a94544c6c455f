#include "operators/sequence/opinion_operators.h"

#include <cmath>

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/text.h"
#include "operators/sequence/share_option.h"

namespace weft::operators::sequence {
namespace {

std::vector<double> OpinionsOf(const OpinionBatch& heard, std::size_t row) {
  std::vector<double> opinions;
  for (const std::vector<double>& column : heard.opinion) opinions.push_back(column[row]);
  return opinions;
}

SequenceRow& AddRowOf(const OpinionBatch& heard, std::size_t row, SequenceBatch& to) {
  SequenceRow& added = to.rows.emplace_back();
  added.series = heard.series[row];
  added.time_us = heard.time_us[row];
  added.value = heard.value[row];
  return added;
}

}  // namespace

absl::Status OpinionRanks::Read(const graph::OpenContext& context, Options& options) {
  constexpr std::int64_t kMostRing = 1'000'000;
  const auto& message = context.Options<Message>();
  WEFT_TRY(graph::ReadBound(context, "ring", message.ring(), 10, kMostRing, options.ring));
  WEFT_TRY(graph::ReadBound(context, "skipped", message.skipped(), 1, kMostRing, options.skipped));
  return graph::ReadBound(context, "fewest", message.fewest(), 2,
                          static_cast<std::int64_t>(options.ring), options.fewest);
}

void OpinionRanks::Next(const OpinionBatch& heard, std::size_t row, OpinionBatch& to) {
  if (to.expert.empty()) {
    to.expert = heard.expert;
    to.opinion.resize(heard.expert.size());
  }
  to.series.push_back(heard.series[row]);
  to.time_us.push_back(heard.time_us[row]);
  to.value.push_back(heard.value[row]);
  for (std::size_t e = 0; e < ranks_.size(); ++e) {
    const double opinion = heard.opinion[e][row];
    if (std::isfinite(opinion)) rarity_[e] = ranks_[e].Next(opinion);
    to.opinion[e].push_back(rarity_[e]);
  }
}

absl::Status OpinionScore::Read(const graph::OpenContext& context, Options& options) {
  constexpr std::int64_t kMostHeld = 10'000;
  constexpr double kMostSharpness = 100.0;
  const auto& message = context.Options<Message>();
  WEFT_TRY(graph::ReadBound(context, "held", message.held(), 1, kMostHeld, options.held));
  return ReadShare(context, "sharpness", message.sharpness(), options.sharpness, kMostSharpness);
}

void OpinionScore::Next(const OpinionBatch& heard, std::size_t row, SequenceBatch& to) {
  std::vector<double> rarity = OpinionsOf(heard, row);
  for (double& one : rarity)
    if (!std::isfinite(one)) one = 0.0;
  SequenceRow& added = AddRowOf(heard, row, to);
  added.said.score = mixture_.Next(rarity) / RankCalibration::kMost;
  added.said.alarm = alarm_.Next(added.said.score);
}

absl::Status OpinionMixture::Read(const graph::OpenContext& context, Options& options) {
  return graph::ReadBound(context, "horizon", context.Options<Message>().horizon(), 1,
                          SeriesSettings::kMostHorizon, options.horizon);
}

void OpinionMixture::Next(const OpinionBatch& heard, std::size_t row, SequenceBatch& to) {
  if (std::isfinite(heard.value[row])) last_ = heard.value[row];
  AddRowOf(heard, row, to)
      .said.forecasts.push_back(mixture_.Next(heard.time_us[row], last_, OpinionsOf(heard, row)));
}

}  // namespace weft::operators::sequence
