// ExpertOperator: an expert as an operator: records come in as events, or with what other experts
// said of them, and go out with what this one says of them as well.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "graph/check.h"
#include "graph/event_batch.h"
#include "graph/metrics.h"
#include "graph/operator.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "operators/sequence/feature_value.h"
#include "operators/sequence/latest_series.h"
#include "operators/sequence/opinion_batch.h"
#include "operators/sequence/series_settings.h"

namespace weft::operators::sequence {

// An Expert has
//   using Message: its options, with `feature` and `max_series`;
//   static absl::Status Read(context, Options&): reads them into what it is made from;
//   double Next(time_us, value): what it says of the next record; NaN: nothing;
//   VisitState.
// A value that is missing is the one before.
template <class Expert>
class ExpertOperator final : public graph::Operator {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::In<OpinionBatch> kHeard{"HEARD"};
  static constexpr graph::Out<OpinionBatch> kOpinions{"OPINIONS"};

  static graph::Contract contract() {
    graph::Contract contract;
    contract.Input(kEvents, /*optional=*/true).Input(kHeard, /*optional=*/true);
    contract.Output(kOpinions, /*optional=*/false);
    contract.options_type = Expert::Message::descriptor()->full_name();
    contract.reads = graph::Reads::kBeforeBatch;
    return contract;
  }

  absl::Status Open(graph::OpenContext& context) override {
    if (context.IsInputConnected(kEvents.name) == context.IsInputConnected(kHeard.name))
      return context.OptionError("input",
                                 "expected exactly one of EVENTS and HEARD to be connected");
    const auto& message = context.Options<typename Expert::Message>();
    name_ = std::string(context.node_name());
    WEFT_TRY(graph::ReadBound(context, "feature", message.feature(), 0,
                              SeriesSettings::kMostFeature, feature_));
    std::int64_t most_series = kUsualSeries;
    WEFT_TRY(
        graph::ReadBound(context, "max_series", message.max_series(), 1, kMostSeries, most_series));
    WEFT_TRY(Expert::Read(context, options_));
    kept_.emplace(most_series);
    series_ = &context.metrics().GetGauge("weft_sequence_series", "Series that are followed.",
                                          {{"node", name_}});
    return absl::OkStatus();
  }

  absl::Status Process(graph::ProcessContext& context) override {
    auto said = std::make_shared<OpinionBatch>();
    const auto begin = static_cast<std::size_t>(context.begin());
    const auto end = static_cast<std::size_t>(context.end());
    if (context.port() == kEvents.name) {
      Take(context.Get(kEvents), begin, end, *said);
    } else {
      Take(context.Get(kHeard), begin, end, *said);
    }
    said->expert.push_back(name_);
    std::vector<double>& column = said->opinion.emplace_back();
    for (std::size_t i = 0; i < said->series.size(); ++i)
      column.push_back(Say(said->series[i], said->time_us[i], said->value[i]));
    series_->Set(static_cast<double>(kept_->size()));
    if (said->size() > 0) context.Emit<OpinionBatch>(kOpinions, std::move(said));
    return absl::OkStatus();
  }

  absl::Status Save(graph::CheckpointSink& sink) const override {
    graph::SavingArchive archive(kSection, sink);
    kept_->Save(archive, [](const Kept& kept, auto& to) { Visit(kept, to); });
    return archive.status();
  }
  absl::Status Load(graph::CheckpointSource& source) override {
    graph::LoadingArchive archive(kSection, source);
    kept_->Load(
        archive, [this](graph::NodeId) { return Kept{Expert(options_)}; },
        [](Kept& kept, auto& to) { Visit(kept, to); });
    return archive.status();
  }

 private:
  static constexpr std::string_view kSection = "series";
  struct Kept {
    Expert expert;
    double last = 0.0;
  };

  template <class Self, class Archive>
  static void Visit(Self& kept, Archive& archive) {
    archive.Value(kept.last);
    Expert::VisitState(kept.expert, archive);
  }
  void Take(const graph::EventBatch& events, std::size_t begin, std::size_t end, OpinionBatch& to) {
    for (std::size_t i = begin; i < end; ++i) {
      to.series.push_back(events.source[i]);
      to.time_us.push_back(events.time_us[i]);
      to.value.push_back(FeatureValue(events, i, feature_));
    }
  }
  void Take(const OpinionBatch& heard, std::size_t begin, std::size_t end, OpinionBatch& to) {
    const auto part = [begin, end](const auto& column) {
      return std::remove_cvref_t<decltype(column)>(
          column.begin() + static_cast<std::ptrdiff_t>(begin),
          column.begin() + static_cast<std::ptrdiff_t>(end));
    };
    to.series = part(heard.series);
    to.time_us = part(heard.time_us);
    to.value = part(heard.value);
    to.expert = heard.expert;
    for (const std::vector<double>& column : heard.opinion) to.opinion.push_back(part(column));
  }
  double Say(graph::NodeId series, graph::TimeUs time_us, double value) {
    Kept& kept = kept_->Latest(series, [this] { return Kept{Expert(options_)}; });
    if (std::isfinite(value)) kept.last = value;
    return kept.expert.Next(time_us, kept.last);
  }

  std::string name_;
  std::int32_t feature_ = 0;
  typename Expert::Options options_;
  std::optional<LatestSeries<Kept>> kept_;
  graph::Gauge* series_ = nullptr;
};

}  // namespace weft::operators::sequence
