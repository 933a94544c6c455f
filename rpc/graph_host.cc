#include "rpc/graph_host.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "graph/check.h"
#include "graph/clock.h"
#include "graph/text.h"
#include "operators/hierarchy/hierarchy_reader.h"
#include "operators/hierarchy/salience.h"
#include "operators/link/link_evaluation_reader.h"
#include "operators/link/link_types.h"
#include "operators/sequence/sequence_reader.h"
#include "rpc/error_details.h"
#include "rpc/logging.h"

namespace weft::rpc {

using graph::CheckpointManifest;
using graph::Concat;
using graph::LogPosition;

namespace {

constexpr std::chrono::milliseconds kLookEvery{50};
constexpr std::int64_t kReadDeadlineUs = 5'000'000;

// kAfterAllTime for what does not fit, infinity above all.
std::int64_t Microseconds(double seconds) {
  const double microseconds = seconds * static_cast<double>(graph::kMicrosecondsPerSecond);
  if (microseconds >= static_cast<double>(graph::kAfterAllTime)) return graph::kAfterAllTime;
  return static_cast<std::int64_t>(microseconds);
}

// The details of an error are bytes for programs.
std::string WithoutDetails(const absl::Status& status) {
  return status.ToString(absl::StatusToStringMode::kWithNoExtraData);
}

// Name of the node from which the first input comes; empty if it enters the graph.
std::string ProducerOf(const graph::ParsedSpec& spec, const graph::ParsedSpec::Node& node) {
  const int stream = node.inputs.front().stream;
  const int producer = spec.streams()[static_cast<std::size_t>(stream)].node;
  return producer < 0 ? "" : spec.nodes()[static_cast<std::size_t>(producer)].name;
}

Sequencer::Options SequencerOptions(const config::v1::FeedConfig& config, std::string name,
                                    std::uint32_t feed) {
  Sequencer::Options options;
  options.feed_name = std::move(name);
  options.feed = feed;
  options.lateness_us = config.lateness_us();
  options.max_ahead_us = Microseconds(config.max_ahead_seconds());
  options.idle_after_ns =
      static_cast<std::int64_t>(config.idle_after_seconds() * graph::kNanosecondsPerSecond);
  options.limits.key_bytes = config.max_key_bytes();
  options.limits.feature_count = config.feature_count();
  options.limits.missing_values = config.missing_values();
  options.limits.batch_events = config.max_batch_events();
  options.limits.window_events = config.window_events();
  options.limits.max_producers = config.max_producers();
  return options;
}

}  // namespace

GraphHost::GraphHost(Options options, const Environment& environment)
    : options_(std::move(options)), environment_(environment) {}

GraphHost::~GraphHost() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (housekeeper_.joinable()) housekeeper_.join();
  writer_.reset();
  for (Feed& feed : feeds_) feed.feeder.reset();
  if (graph_ != nullptr) graph_->Close().IgnoreError();
  graph_.reset();
}

void GraphHost::OnBuilt(
    std::function<absl::Status(graph::Graph&, const graph::ParsedSpec&)> built) {
  built_ = std::move(built);
}

absl::Status GraphHost::Open(std::function<void(Phase)> phase_changed) {
  phase_changed_ = std::move(phase_changed);
  WEFT_ASSIGN(
      graph::ParsedSpec spec,
      graph::ParsedSpec::Parse(options_.graph_text, options_.graph_name, *environment_.catalog));
  spec_ = std::make_unique<graph::ParsedSpec>(std::move(spec));
  WEFT_TRY(OpenStorage());
  WEFT_TRY(RestoreGraph());
  WEFT_TRY(BuildFeeds());
  if (built_) WEFT_TRY(built_(*graph_, *spec_));
  WEFT_TRY(graph_->Start());
  WEFT_TRY(Replay());
  WEFT_TRY(FindReaders());
  SetPhase(Phase::kServing);
  housekeeper_ = std::thread([this] { KeepHouse(); });
  return absl::OkStatus();
}

absl::Status GraphHost::OpenStorage() {
  storage::DataDirectory::Options options;
  options.path = options_.config.data_dir();
  options.min_free_bytes = options_.config.log().min_free_bytes();
  const config::v1::HistoryConfig& history = options_.config.history();
  options.history.events_per_node = history.retained_events_per_node();
  options.history.max_age_us = Microseconds(history.retained_seconds());
  WEFT_ASSIGN(directory_, storage::DataDirectory::Open(std::move(options)));
  interner_ = std::make_unique<Interner>(options_.config.feed().max_nodes());
  return interner_->Load(directory_->dictionary());
}

absl::Status GraphHost::BuildGraph() {
  graph::Environment environment;
  environment.catalog = environment_.catalog;
  environment.executor = environment_.executor;
  environment.clock = environment_.clock;
  environment.metrics = environment_.metrics;
  environment.trace = environment_.trace;
  environment.device = environment_.device;
  environment.feature_count = options_.config.feed().feature_count();
  environment.cold = &directory_->cold();
  WEFT_ASSIGN(graph_, graph::Graph::Build(*spec_, environment));
  return absl::OkStatus();
}

absl::Status GraphHost::RestoreGraph() {
  WEFT_ASSIGN(const std::vector<CheckpointManifest> manifests, directory_->checkpoints().List());
  for (const CheckpointManifest& manifest : manifests) {
    WEFT_TRY(BuildGraph());
    absl::Status status = directory_->VerifyCheckpoint(manifest.id);
    if (status.ok()) {
      auto reader = directory_->checkpoints().Open(manifest.id);
      status = reader.ok() ? graph_->Restore(**reader) : reader.status();
    }
    if (status.ok()) {
      history_end_ = restored_ = manifest.applied;
      Log(LogLevel::kInfo, "checkpoint restored", {{"checkpoint", Concat(manifest.id)}});
      return absl::OkStatus();
    }
    Log(LogLevel::kWarning, "checkpoint cannot be used",
        {{"checkpoint", Concat(manifest.id)}, {"error", WithoutDetails(status)}});
  }
  // Without a checkpoint the state is rebuilt from the whole log, if that is still there.
  for (const graph::ParsedSpec::Input& input : spec_->inputs()) {
    WEFT_ASSIGN(const std::uint32_t feed, directory_->dictionary().FeedNumber(input.name));
    WEFT_ASSIGN(const LogPosition begin, directory_->LogBegin(feed));
    if (begin.offset == 0) continue;
    return absl::FailedPreconditionError(
        Concat("no checkpoint fits this graph, and the log of feed \"", input.name, "\" begins at ",
               begin.offset, ", so the state cannot be rebuilt from it"));
  }
  return BuildGraph();
}

LogPosition GraphHost::ReplayFrom(std::uint32_t feed) const {
  for (const LogPosition& position : restored_) {
    if (position.feed == feed) return position;
  }
  return {0, feed, 0};
}

absl::Status GraphHost::BuildFeeds() {
  writer_ =
      std::make_unique<LogWriter>(&directory_->log(), environment_.metrics,
                                  [this](const absl::Status& status) { OnWriterStopped(status); });
  for (const graph::ParsedSpec::Input& input : spec_->inputs()) {
    WEFT_ASSIGN(const std::uint32_t number, directory_->dictionary().FeedNumber(input.name));
    Feed feed;
    feed.feeder = std::make_unique<Feeder>(graph_.get(), &directory_->log(), input.name,
                                           [this](const absl::Status& status) { Fail(status); });
    feed.sequencer = std::make_unique<Sequencer>(
        SequencerOptions(options_.config.feed(), input.name, number),
        Sequencer::Environment{interner_.get(), writer_.get(), environment_.clock,
                               environment_.metrics},
        [feeder = feed.feeder.get()](DurableRecord record) { feeder->Deliver(std::move(record)); });
    WEFT_TRY(feed.sequencer->Load(directory_->log()));
    WEFT_TRY(
        graph_->OnApplied(input.name, [sequencer = feed.sequencer.get()](LogPosition position) {
          sequencer->OnApplied(position);
        }));
    feeds_.push_back(std::move(feed));
  }
  return absl::OkStatus();
}

absl::Status GraphHost::Replay() {
  const auto start = std::chrono::steady_clock::now();
  for (Feed& feed : feeds_) feed.feeder->Start(ReplayFrom(feed.sequencer->options().feed));
  for (Feed& feed : feeds_) WEFT_TRY(feed.feeder->WaitReplayed());
  WEFT_TRY(graph_->Drain());
  replay_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const Feed& feed : feeds_) replayed_count_ += feed.feeder->replayed().entry_count;
  Log(LogLevel::kInfo, "log replayed",
      {{"entries", Concat(replayed_count_)}, {"seconds", Concat(replay_seconds_)}});
  return absl::OkStatus();
}

const std::string& GraphHost::FindSalienceNode(const std::string& hierarchy) const {
  static const std::string& kNone = *new std::string();
  const auto found = salience_nodes_.find(hierarchy);
  return found == salience_nodes_.end() ? kNone : found->second;
}

absl::Status GraphHost::FindReaders() {
  for (const graph::ParsedSpec::Node& node : spec_->nodes()) {
    WEFT_TRY(graph_->Read(
        node.name, kReadDeadlineUs, [&](const graph::Operator& candidate, LogPosition) {
          if (dynamic_cast<const operators::link::LinkEvaluationReader*>(&candidate) != nullptr)
            evaluation_nodes_.push_back(node.name);
          if (dynamic_cast<const operators::hierarchy::HierarchyReader*>(&candidate) != nullptr)
            hierarchy_nodes_.push_back(node.name);
          if (dynamic_cast<const operators::sequence::SequenceReader*>(&candidate) != nullptr)
            sequence_nodes_.push_back(node.name);
          if (dynamic_cast<const operators::hierarchy::SalienceReader*>(&candidate) != nullptr)
            salience_nodes_.emplace(ProducerOf(*spec_, node), node.name);
          const auto* const reader = dynamic_cast<const operators::link::LinkReader*>(&candidate);
          if (reader == nullptr) return;
          link_nodes_.push_back(node.name);
          if (first_link_node_.empty() && reader->learned()) first_link_node_ = node.name;
        }));
  }
  if (first_link_node_.empty() && !link_nodes_.empty()) first_link_node_ = link_nodes_.front();
  return absl::OkStatus();
}

void GraphHost::SetPhase(Phase phase) {
  phase_ = phase;
  if (phase_changed_) phase_changed_(phase);
}

void GraphHost::Fail(const absl::Status& status) {
  {
    const std::scoped_lock lock(mutex_);
    // A graph that is being closed refuses what is still fed to it.
    if (stopping_ || !failure_.ok()) return;
    failure_ = status;
  }
  Log(LogLevel::kError, "the graph or its log has failed", {{"error", WithoutDetails(status)}});
  SetPhase(Phase::kFailed);
}

void GraphHost::OnWriterStopped(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    Log(LogLevel::kError, "the log cannot be written for now", {{"error", WithoutDetails(status)}});
  } else {
    Fail(status);
  }
  for (const Feed& feed : feeds_) feed.sequencer->OnWriterStopped();
}

absl::Status GraphHost::CheckServing() const {
  switch (phase()) {
    case Phase::kRecovering:
      return WithReason(absl::UnavailableError("the server is recovering"),
                        v1::ERROR_REASON_RECOVERING);
    case Phase::kServing:
    case Phase::kDraining:
      return absl::OkStatus();
    case Phase::kFailed:
      break;
  }
  const std::scoped_lock lock(mutex_);
  return WithReason(failure_, v1::ERROR_REASON_SERVER_FAILED);
}

absl::StatusOr<Sequencer*> GraphHost::FindSequencer(std::string_view feed) {
  std::vector<std::string> names;
  for (const Feed& candidate : feeds_) {
    if (candidate.sequencer->options().feed_name == feed) return candidate.sequencer.get();
    names.push_back(candidate.sequencer->options().feed_name);
  }
  return WithReason(absl::NotFoundError(Concat("there is no feed \"", feed, "\"; the graph has: ",
                                               graph::JoinNames(names, ", ", "none"))),
                    v1::ERROR_REASON_UNKNOWN_FEED, {{"feed", std::string(feed)}});
}

Sequencer* GraphHost::FindSequencer(std::uint32_t feed) {
  for (const Feed& candidate : feeds_) {
    if (candidate.sequencer->options().feed == feed) return candidate.sequencer.get();
  }
  return nullptr;
}

std::vector<const Sequencer*> GraphHost::sequencers() const {
  std::vector<const Sequencer*> all;
  for (const Feed& feed : feeds_) all.push_back(feed.sequencer.get());
  return all;
}

std::uint64_t GraphHost::AppliedCount() const {
  std::uint64_t count = 0;
  for (const Feed& feed : feeds_) count += feed.sequencer->GetReport().applied.offset;
  return count;
}

std::uint64_t GraphHost::DurableCount() const {
  std::uint64_t count = 0;
  for (const Feed& feed : feeds_) count += feed.sequencer->GetReport().durable.offset;
  return count;
}

absl::StatusOr<Sequencer*> GraphHost::SequencerBefore(std::string_view node_name) {
  const std::vector<graph::ParsedSpec::Node>& nodes = spec_->nodes();
  const auto node = std::ranges::find(nodes, node_name, &graph::ParsedSpec::Node::name);
  if (node == nodes.end()) {
    return WithReason(absl::NotFoundError(Concat("the graph has no node \"", node_name, "\"")),
                      v1::ERROR_REASON_UNKNOWN_NODE, {{"node", std::string(node_name)}});
  }
  const int input = spec_->InputBefore(static_cast<int>(node - nodes.begin()));
  return feeds_[static_cast<std::size_t>(input)].sequencer.get();
}

absl::StatusOr<LogPosition> GraphHost::SendCommand(graph::Command command,
                                                   std::int64_t deadline_ns) {
  WEFT_ASSIGN(Sequencer* const sequencer, SequencerBefore(command.node));
  WEFT_ASSIGN(const LogPosition position, sequencer->SubmitCommand(std::move(command)));
  return WaitCarriedOut(*sequencer, position, deadline_ns);
}

absl::StatusOr<LogPosition> GraphHost::SendCommandAbout(
    std::string_view node_name, std::string_view key,
    const std::function<std::string(graph::NodeId)>& make_body, std::int64_t deadline_ns) {
  WEFT_ASSIGN(Sequencer* const sequencer, SequencerBefore(node_name));
  WEFT_ASSIGN(const LogPosition position,
              sequencer->SubmitCommandAbout(key, [&](graph::NodeId about) {
                return graph::Command{std::string(node_name), make_body(about)};
              }));
  return WaitCarriedOut(*sequencer, position, deadline_ns);
}

absl::StatusOr<LogPosition> GraphHost::WaitCarriedOut(Sequencer& sequencer, LogPosition position,
                                                      std::int64_t deadline_ns) {
  WEFT_TRY(writer_->Flush());
  LogPosition after = position;
  after.offset += 1;
  WEFT_TRY(sequencer.WaitApplied(after, deadline_ns));
  return position;
}

absl::StatusOr<CheckpointManifest> GraphHost::Checkpoint() {
  const std::scoped_lock lock(checkpoint_mutex_);
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<CheckpointManifest> manifest = graph_->Checkpoint(directory_->checkpoints());
  if (absl::IsResourceExhausted(manifest.status())) {
    return WithReason(manifest.status(), v1::ERROR_REASON_DISK_FULL);
  }
  WEFT_TRY(manifest.status());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  environment_.metrics
      ->GetHistogram("weft_checkpoint_duration_seconds",
                     "Time to cut, write and verify a checkpoint.")
      .Observe(taken.count());
  FollowWithHistory(manifest->applied);
  WEFT_TRY(TrimLog());
  return manifest;
}

absl::StatusOr<CheckpointManifest> GraphHost::StateHash() {
  const std::scoped_lock lock(checkpoint_mutex_);
  // Everything that is durable by now shall be in it.
  for (Feed& feed : feeds_) WEFT_TRY(feed.feeder->Flush());
  return graph_->StateHash();
}

absl::StatusOr<std::vector<CheckpointManifest>> GraphHost::Checkpoints() const {
  return directory_->checkpoints().List();
}

absl::Status GraphHost::TrimLog() {
  const std::uint64_t retained = options_.config.log().retained_entries();
  if (retained == 0) return absl::OkStatus();
  WEFT_ASSIGN(const std::vector<CheckpointManifest> manifests, directory_->checkpoints().List());
  std::map<std::uint32_t, std::pair<std::size_t, std::uint64_t>> contained;
  for (const CheckpointManifest& manifest : manifests) {
    for (const LogPosition& position : manifest.applied) {
      auto& [count, offset] =
          contained.try_emplace(position.feed, 0, position.offset).first->second;
      ++count;
      offset = std::min(offset, position.offset);
    }
  }
  for (const auto& [feed, entry] : contained) {
    const auto& [count, offset] = entry;
    // Every restorable checkpoint has to contain what goes.
    if (count < manifests.size() || offset <= retained) continue;
    std::uint64_t first_kept = offset - retained;
    if (history() != nullptr) {
      WEFT_ASSIGN(const std::uint64_t needed_from, history()->NeededFrom(feed));
      first_kept = std::min(first_kept, needed_from);
    }
    WEFT_TRY(directory_->TrimLog({0, feed, first_kept}));
  }
  return absl::OkStatus();
}

void GraphHost::LookAfter(CheckpointPolicy& policy) {
  for (Feed& feed : feeds_) {
    // A full disk shows at the writer; a quiet feed can wait for it.
    feed.sequencer->Tick().IgnoreError();
  }
  CatchUpHistory();
  const std::uint64_t applied = AppliedCount();
  const std::uint64_t durable = DurableCount();
  ReportProgress(policy.ReplaySeconds(durable));
  policy.Observe(environment_.clock->NowNs(), applied, durable > applied);
  if (!policy.Due(environment_.clock->NowNs(), durable)) return;
  const std::int64_t start_ns = environment_.clock->NowNs();
  const absl::StatusOr<CheckpointManifest> manifest = Checkpoint();
  const std::int64_t end_ns = environment_.clock->NowNs();
  std::uint64_t contained = 0;
  if (manifest.ok()) {
    for (const LogPosition& position : manifest->applied) contained += position.offset;
  } else {
    Log(LogLevel::kError, "checkpoint failed", {{"error", WithoutDetails(manifest.status())}});
  }
  policy.Cut(end_ns, end_ns - start_ns, manifest.ok() ? contained : applied);
}

void GraphHost::ReportProgress(double replay_seconds) const {
  graph::MetricRegistry& metrics = *environment_.metrics;
  for (const Feed& feed : feeds_) {
    const Sequencer::Report report = feed.sequencer->GetReport();
    const graph::Labels labels = {{"feed", feed.sequencer->options().feed_name}};
    metrics.GetGauge("weft_log_entries", "Durable entries of the feed's log.", labels)
        .Set(static_cast<double>(report.durable.offset));
    metrics.GetGauge("weft_applied_lag_entries", "Durable entries not yet applied.", labels)
        .Set(static_cast<double>(report.durable.offset - report.applied.offset));
  }
  metrics.GetGauge("weft_dictionary_nodes", "Nodes in the dictionary.")
      .Set(static_cast<double>(interner_->size()));
  metrics.GetGauge("weft_replay_estimate_seconds", "How long a restart right now would replay.")
      .Set(replay_seconds);
}

void GraphHost::KeepHouse() {
  CheckpointPolicy policy(options_.config.recovery().max_replay_seconds(), AppliedCount());
  policy.Replayed(replayed_count_, replay_seconds_);
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, kLookEvery, [&] { return stopping_; })) return;
    }
    if (phase() == Phase::kServing) LookAfter(policy);
  }
}

absl::Status GraphHost::Drain() {
  if (phase() == Phase::kServing) SetPhase(Phase::kDraining);
  for (Feed& feed : feeds_) feed.sequencer->StartDrain();
  if (writer_ == nullptr) return absl::OkStatus();
  WEFT_TRY(CheckServing());
  WEFT_TRY(writer_->Flush());
  for (Feed& feed : feeds_) WEFT_TRY(feed.feeder->Flush());
  WEFT_TRY(graph_->Drain());
  // A checkpoint at the very end makes the next start quick.
  return Checkpoint().status();
}

}  // namespace weft::rpc
