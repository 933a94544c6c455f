// HeardOperator: what becomes of opinions, as an operator: a machine for each series hears what the
// experts say of each record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "graph/check.h"
#include "graph/operator.h"
#include "graph/state_archive.h"
#include "operators/sequence/expert_set.h"
#include "operators/sequence/machine_table.h"
#include "operators/sequence/opinion_batch.h"
#include "operators/sequence/series_options.h"

namespace weft::operators::sequence {

// A Machine has
//   using Message: its options, with `max_series`;
//   static absl::Status Read(context, Options&): reads them into what it is made from;
//   a constructor from the number of experts and the options;
//   kOut, an output port, and Next(heard, row, output), which appends to a batch of that type;
//   VisitState.
template <class Machine>
class HeardOperator final : public graph::Operator {
 public:
  using Output = typename decltype(Machine::kOut)::Type;
  static constexpr graph::In<OpinionBatch> kHeard{"HEARD"};

  static graph::Contract contract() {
    graph::Contract contract;
    contract.Input(kHeard).Output(Machine::kOut, /*optional=*/false);
    contract.options_type = Machine::Message::descriptor()->full_name();
    contract.reads = graph::Reads::kBeforeBatch;
    contract.state_version = 2;
    return contract;
  }

  absl::Status Open(graph::OpenContext& context) override {
    KeptSeriesOptions series;
    WEFT_TRY(ReadSeriesOptions(context, context.Options<typename Machine::Message>(), kUsualSeries,
                               series));
    typename Machine::Options options;
    WEFT_TRY(Machine::Read(context, options));
    machines_.emplace(
        series,
        [](std::int64_t experts) {
          return experts >= 1 && experts <= static_cast<std::int64_t>(ExpertSet::kMost);
        },
        [options](std::int64_t experts) {
          return Machine(static_cast<std::size_t>(experts), options);
        },
        "experts");
    gauges_.emplace(context);
    return absl::OkStatus();
  }

  absl::Status Process(graph::ProcessContext& context) override {
    const OpinionBatch& heard = context.Get(kHeard);
    WEFT_TRY(machines_->CheckWidth(static_cast<std::int64_t>(heard.expert.size())));
    auto output = std::make_shared<Output>();
    for (auto i = static_cast<std::size_t>(context.begin());
         i < static_cast<std::size_t>(context.end()); ++i) {
      WEFT_ASSIGN(Machine* const machine,
                  machines_->Latest(heard.series[i], context.end_position()));
      machine->Next(heard, i, *output);
    }
    gauges_->Set(machines_->kept());
    if (output->size() > 0) context.Emit<Output>(Machine::kOut, std::move(output));
    return absl::OkStatus();
  }

  absl::Status Save(graph::CheckpointSink& sink) const override {
    return graph::SaveState("series", *machines_, sink);
  }
  absl::Status Load(graph::CheckpointSource& source) override {
    return graph::LoadState("series", *machines_, source);
  }

 private:
  std::optional<MachineTable<Machine>> machines_;
  std::optional<SeriesGauges> gauges_;
};

}  // namespace weft::operators::sequence
