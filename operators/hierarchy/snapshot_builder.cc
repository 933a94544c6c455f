#include "operators/hierarchy/snapshot_builder.h"

#include "graph/check.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "weft/operators/hierarchy/v1/hierarchy.pb.h"

namespace weft::operators::hierarchy {
namespace {

constexpr std::int64_t kMostWidthUs = std::int64_t{366} * 24 * 3600 * 1'000'000;
constexpr std::int64_t kMostEmpty = 4096;
constexpr std::int64_t kMostEvents = 1 << 24;
constexpr std::int32_t kMostAutoEvents = 1'000'000;

absl::StatusOr<SnapshotOptions> SnapshotOptionsOf(const graph::OpenContext& context) {
  const auto& message = context.Options<v1::SnapshotBuilder>();
  SnapshotOptions options;
  options.each_time = message.each_time();
  if (message.each_time() && message.width_us() != 0)
    return context.OptionError("width_us", "expected none together with each_time");
  if (message.width_us() < 0 || message.width_us() > kMostWidthUs)
    return context.OptionError(
        "width_us", graph::Concat("expected 1 to ", kMostWidthUs, ", got ", message.width_us()));
  if (message.width_us() > 0) options.width_us = message.width_us();
  if (message.auto_events() < 0 || message.auto_events() > kMostAutoEvents)
    return context.OptionError("auto_events", graph::Concat("expected 0 to ", kMostAutoEvents,
                                                            ", got ", message.auto_events()));
  if (message.auto_events() > 0 && (message.each_time() || message.width_us() > 0))
    return context.OptionError("auto_events", "expected none together with width_us or each_time");
  options.auto_events = message.auto_events();
  if (message.has_max_empty()) {
    if (message.max_empty() < 0 || message.max_empty() > kMostEmpty)
      return context.OptionError(
          "max_empty", graph::Concat("expected 0 to ", kMostEmpty, ", got ", message.max_empty()));
    options.most_empty = message.max_empty();
  }
  if (message.max_events() < 0 || message.max_events() > kMostEvents)
    return context.OptionError(
        "max_events", graph::Concat("expected 1 to ", kMostEvents, ", got ", message.max_events()));
  if (message.max_events() > 0) options.most_events = message.max_events();
  return options;
}

}  // namespace

graph::Contract SnapshotBuilder::contract() {
  graph::Contract contract;
  contract.Input(kEvents);
  contract.Output(kSnapshots);
  contract.options_type = v1::SnapshotBuilder::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.micro_batch = 1024;
  return contract;
}

absl::Status SnapshotBuilder::Open(graph::OpenContext& context) {
  WEFT_ASSIGN(const SnapshotOptions options, SnapshotOptionsOf(context));
  cutter_.emplace(options);
  const graph::Labels labels = {{"node", std::string(context.node_name())}};
  late_ = &context.metrics().GetCounter("weft_snapshot_late_events_total",
                                        "Events of snapshots that had been closed.", labels);
  left_out_ = &context.metrics().GetCounter("weft_snapshot_left_out_events_total",
                                            "Events beyond max_events of their snapshot.", labels);
  return absl::OkStatus();
}

absl::Status SnapshotBuilder::Process(graph::ProcessContext& context) {
  cutter_->Add(graph::EventSpan::Of(context.Get(kEvents), context.begin(), context.end()));
  Count();
  // Later rows of the packet may be of times before its watermark.
  if (context.end() < context.packet().row_count()) return absl::OkStatus();
  auto snapshots = std::make_shared<SnapshotBatch>();
  cutter_->Take(context.packet().time_us(), *snapshots);
  if (snapshots->size() > 0) context.Emit<SnapshotBatch>(kSnapshots, std::move(snapshots));
  return absl::OkStatus();
}

// The counters count since the start of the process, the cutter since the start of the stream.
void SnapshotBuilder::Count() {
  late_->Add(static_cast<std::uint64_t>(cutter_->late_count() - counted_late_));
  left_out_->Add(static_cast<std::uint64_t>(cutter_->left_out_count() - counted_left_out_));
  counted_late_ = cutter_->late_count();
  counted_left_out_ = cutter_->left_out_count();
}

absl::Status SnapshotBuilder::Save(graph::CheckpointSink& sink) const {
  return graph::SaveState("snapshots", *cutter_, sink);
}

absl::Status SnapshotBuilder::Load(graph::CheckpointSource& source) {
  WEFT_TRY(graph::LoadState("snapshots", *cutter_, source));
  counted_late_ = cutter_->late_count();
  counted_left_out_ = cutter_->left_out_count();
  return absl::OkStatus();
}

}  // namespace weft::operators::hierarchy
