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
#include "graph/operator.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "operators/sequence/feature_value.h"
#include "operators/sequence/opinion_batch.h"
#include "operators/sequence/series_options.h"
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
    contract.state_version = 2;
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
    KeptSeriesOptions series;
    WEFT_TRY(ReadSeriesOptions(context, message, kUsualSeries, series));
    typename Expert::Options options;
    WEFT_TRY(Expert::Read(context, options));
    kept_.emplace(series, [options](graph::NodeId) { return Kept{Expert(options)}; });
    gauges_.emplace(context);
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
    for (std::size_t i = 0; i < said->series.size(); ++i) {
      WEFT_ASSIGN(Kept* const kept, kept_->Latest(said->series[i], context.end_position()));
      column.push_back(kept->Say(said->time_us[i], said->value[i]));
    }
    gauges_->Set(*kept_);
    if (said->size() > 0) context.Emit<OpinionBatch>(kOpinions, std::move(said));
    return absl::OkStatus();
  }

  absl::Status Save(graph::CheckpointSink& sink) const override {
    return graph::SaveState("series", *kept_, sink);
  }
  absl::Status Load(graph::CheckpointSource& source) override {
    return graph::LoadState("series", *kept_, source);
  }

 private:
  struct Kept {
    Expert expert;
    double last = 0.0;

    double Say(graph::TimeUs time_us, double value) {
      if (std::isfinite(value)) last = value;
      return expert.Next(time_us, last);
    }
    template <class Self, class Archive>
    static void VisitState(Self& self, Archive& archive) {
      archive.Value(self.last);
      Expert::VisitState(self.expert, archive);
    }
  };

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

  std::string name_;
  std::int32_t feature_ = 0;
  std::optional<KeptSeries<Kept>> kept_;
  std::optional<SeriesGauges> gauges_;
};

}  // namespace weft::operators::sequence
