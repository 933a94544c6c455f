#include "operators/sequence/sparsey_operator.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "operators/sequence/latest_series.h"
#include "operators/sequence/share_option.h"
#include "operators/sequence/sparse_batch.h"
#include "weft/operators/sequence/v1/htm.pb.h"

namespace weft::operators::sequence {
namespace {

absl::Status ReadMac(const graph::OpenContext& context, const v1::Sparsey& message,
                     SparseyOptions& mac) {
  constexpr std::int64_t kMostModules = 1024, kMostExponent = 20;
  WEFT_TRY(graph::ReadBound(context, "modules", message.modules(), 1, kMostModules, mac.modules));
  WEFT_TRY(graph::ReadBound(context, "cells", message.cells(), 2,
                            std::min(kMostModules, kMostSparseBits / mac.modules), mac.cells));
  WEFT_TRY(
      graph::ReadBound(context, "exponent", message.exponent(), 1, kMostExponent, mac.exponent));
  mac.has_past = message.has_past();
  mac.backs_off = message.back_off() != 0.0;
  WEFT_TRY(ReadShare(context, "back_off", message.back_off(), mac.back_off));
  if (message.sigmoid() == v1::SPARSEY_SIGMOID_KIND_STEEP) mac.sigmoid = SparseySigmoid::kSteep;
  WEFT_TRY(ReadShare(context, "saturation", message.saturation(), mac.saturation));
  if (message.seed() != 0) mac.seed = message.seed();
  return absl::OkStatus();
}

}  // namespace

graph::Contract SparseyOperator::contract() {
  graph::Contract contract;
  contract.Input(kInput).Output(kCodes);
  contract.options_type = v1::Sparsey::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  return contract;
}

absl::Status SparseyOperator::Open(graph::OpenContext& context) {
  const auto& message = context.Options<v1::Sparsey>();
  SparseySeriesOptions options;
  WEFT_TRY(ReadMac(context, message, options.mac));
  if (message.learn_records() < 0)
    return context.OptionError("learn_records",
                               graph::Concat("expected 0 or more, got ", message.learn_records()));
  options.learn_records = message.learn_records();
  if (message.episode_gap_us() < 0)
    return context.OptionError("episode_gap_us",
                               graph::Concat("expected 0 or more, got ", message.episode_gap_us()));
  options.episode_gap_us = message.episode_gap_us();
  std::int64_t most_series = kUsualMachines;
  WEFT_TRY(
      graph::ReadBound(context, "max_series", message.max_series(), 1, kMostSeries, most_series));
  cells_ = options.mac.cells;
  modules_ = options.mac.modules;
  machines_.emplace(
      most_series, [](std::int64_t width) { return width >= 1 && width <= kMostSparseBits; },
      [options](std::int64_t width) mutable {
        options.mac.inputs = width;
        return SparseySeries(options);
      });
  series_ = &context.metrics().GetGauge("weft_sequence_series", "Series that are followed.",
                                        {{"node", std::string(context.node_name())}});
  return absl::OkStatus();
}

absl::Status SparseyOperator::Process(graph::ProcessContext& context) {
  const SparseBatch& input = context.Get(kInput);
  WEFT_TRY(machines_->CheckWidth(input.width));
  auto codes = std::make_shared<SparseBatch>();
  codes->width = std::int64_t{cells_} * modules_;
  std::vector<std::uint32_t> bits;
  for (auto i = static_cast<std::size_t>(context.begin());
       i < static_cast<std::size_t>(context.end()); ++i) {
    const SparseyCode code =
        machines_->Latest(input.series[i]).Next(input.time_us[i], input.Bits(i));
    bits.clear();
    for (std::size_t m = 0; m < code.winner.size(); ++m)
      bits.push_back(static_cast<std::uint32_t>(m) * static_cast<std::uint32_t>(cells_) +
                     code.winner[m]);
    codes->Add(input.series[i], input.time_us[i], input.value[i], 1.0 - code.familiarity, bits);
  }
  series_->Set(static_cast<double>(machines_->size()));
  if (codes->size() > 0) context.Emit<SparseBatch>(kCodes, std::move(codes));
  return absl::OkStatus();
}

absl::Status SparseyOperator::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("series", *machines_, sink);
}

absl::Status SparseyOperator::Load(graph::CheckpointSource& source) {
  return graph::LoadState("series", *machines_, source);
}

}  // namespace weft::operators::sequence
