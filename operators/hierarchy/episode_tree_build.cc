#include "operators/hierarchy/episode_tree_build.h"

#include <cmath>
#include <string>

#include "gpu/device.h"
#include "gpu/memory.h"
#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/state_archive.h"
#include "graph/text.h"
#include "weft/operators/hierarchy/v1/hierarchy.pb.h"

namespace weft::operators::hierarchy {
namespace {

constexpr std::int64_t kLeastLeaves = 64;
constexpr std::int64_t kMostLeaves = 1 << 24;
constexpr std::int64_t kLeastPairs = 1 << 16;
constexpr std::int64_t kMostPairs = 1 << 30;
constexpr std::int64_t kDefaultMarks = 4096;
constexpr std::int64_t kMostMarks = 1 << 20;
constexpr std::int64_t kMostReportEvery = 1 << 20;
constexpr double kMostKeepSeconds = 3.2e9;  // a century
constexpr double kMicroseconds = 1e6;

absl::StatusOr<cache::EpisodeTreeOptions> TreeOptionsOf(const graph::OpenContext& context) {
  const auto& message = context.Options<v1::EpisodeTreeBuild>();
  cache::EpisodeTreeOptions options;
  WEFT_TRY(graph::ReadBound(context, "max_leaves", message.max_leaves(), kLeastLeaves, kMostLeaves,
                            options.most_leaves));
  WEFT_TRY(graph::ReadBound(context, "max_pairs", message.max_pairs(), kLeastPairs, kMostPairs,
                            options.most_words));
  if (message.keep_seconds_size() > cache::kMostLevels)
    return context.OptionError(
        "keep_seconds", graph::Concat("expected at most ", cache::kMostLevels, " levels, got ",
                                      message.keep_seconds_size()));
  double before = 0.0;
  for (int level = 0; level < message.keep_seconds_size(); ++level) {
    const double seconds = message.keep_seconds(level);
    const std::string field = graph::Concat("keep_seconds[", level, "]");
    if (!(seconds >= 0.0 && seconds <= kMostKeepSeconds))
      return context.OptionError(
          field, graph::Concat("expected 0 to ", kMostKeepSeconds, ", got ", seconds));
    // 0 is for ever.
    const bool shorter = seconds > 0.0 && (seconds < before || (level > 0 && before == 0.0));
    if (shorter)
      return context.OptionError(field, "expected parents to be kept as long as their children");
    before = seconds;
    options.keep_us[static_cast<std::size_t>(level)] = std::llround(seconds * kMicroseconds);
  }
  return options;
}

}  // namespace

graph::Contract EpisodeTreeBuild::contract() {
  graph::Contract contract;
  contract.Input(kSegmented);
  for (const auto port : kMarks) contract.Input(port, /*optional=*/true);
  contract.Output(kEpisodes);
  contract.options_type = v1::EpisodeTreeBuild::descriptor()->full_name();
  contract.reads = graph::Reads::kBeforeBatch;
  contract.micro_batch = 256;
  contract.state_version = 2;
  return contract;
}

absl::Status EpisodeTreeBuild::Open(graph::OpenContext& context) {
  WEFT_ASSIGN(const cache::EpisodeTreeOptions options, TreeOptionsOf(context));
  std::string error;
  const std::optional<gpu::Exec> exec = gpu::OpenExec(context.device(), error);
  if (!exec) return absl::FailedPreconditionError(error);
  exec_ = *exec;
  tree_.emplace(options, gpu::MemoryOf(exec_));
  std::int64_t most_marks = kDefaultMarks;
  WEFT_TRY(graph::ReadBound(context, "max_marks",
                            context.Options<v1::EpisodeTreeBuild>().max_marks(), 1, kMostMarks,
                            most_marks));
  marks_.emplace(most_marks);
  WEFT_TRY(graph::ReadBound(context, "report_every",
                            context.Options<v1::EpisodeTreeBuild>().report_every(), 1,
                            kMostReportEvery, report_every_));
  sends_ = context.IsConnected(kEpisodes.name);
  const std::string node(context.node_name());
  snapshots_ = &context.metrics().GetCounter("weft_hierarchy_snapshots_total",
                                             "Snapshots taken in.", {{"node", node}});
  for (std::int32_t level = 1; level <= cache::kMostLevels; ++level)
    episodes_.push_back(
        &context.metrics().GetGauge("weft_hierarchy_episodes", "Closed episodes kept, by level.",
                                    {{"node", node}, {"level", std::to_string(level)}}));
  return absl::OkStatus();
}

void EpisodeTreeBuild::TakeMarks(const graph::MarkBatch& batch,
                                 const graph::ProcessContext& context) {
  for (std::int64_t row = context.begin(); row < context.end(); ++row)
    marks_->Add(batch.marks[static_cast<std::size_t>(row)], context.packet().time_us());
}

absl::Status EpisodeTreeBuild::Process(graph::ProcessContext& context) {
  for (const auto port : kMarks) {
    if (context.port() != port.name) continue;
    TakeMarks(context.Get(port), context);
    return absl::OkStatus();
  }
  const SegmentedSnapshots& segmented = context.Get(kSegmented);
  std::shared_ptr<EpisodeBatch> batch;
  for (std::int64_t row = context.begin(); row < context.end(); ++row) {
    const SnapshotBatch& snapshots = *segmented.snapshots;
    const std::int64_t at = segmented.begin + row;
    const auto place = static_cast<std::size_t>(at);
    changes_.clear();
    tree_->Push(snapshots.InteractionsOf(at), snapshots.begin_us[place], snapshots.end_us[place],
                segmented.decided.StepsOf(row), changes_);
    const bool reports = report_every_ > 0 && tree_->snapshot_count() % report_every_ == 0;
    if (!sends_ || (changes_.empty() && !reports)) continue;
    if (batch == nullptr) batch = std::make_shared<EpisodeBatch>();
    for (const cache::EpisodeChange& change : changes_) AppendChange(*tree_, change, *batch);
    if (reports)
      AppendGrowing(*tree_, segmented.decided.latest_score[static_cast<std::size_t>(row)], *batch);
  }
  snapshots_->Add(static_cast<std::uint64_t>(context.end() - context.begin()));
  for (std::int32_t level = 1; level <= cache::kMostLevels; ++level) {
    const cache::EpisodeRing& closed = tree_->closed(level);
    if (closed.end() == 0) break;
    episodes_[static_cast<std::size_t>(level) - 1]->Set(
        static_cast<double>(closed.end() - closed.first()));
  }
  if (batch != nullptr) context.Emit<EpisodeBatch>(kEpisodes, std::move(batch));
  return absl::OkStatus();
}

absl::Status EpisodeTreeBuild::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(graph::SaveState("tree", *tree_, sink));
  return graph::SaveState("marks", *marks_, sink);
}

absl::Status EpisodeTreeBuild::Load(graph::CheckpointSource& source) {
  WEFT_TRY(graph::LoadState("tree", *tree_, source));
  return graph::LoadState("marks", *marks_, source);
}

}  // namespace weft::operators::hierarchy
