#include "tests/harness/graph_run.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <utility>

#include "graph/check.h"
#include "graph/clock.h"
#include "graph/cold_store.h"
#include "graph/graph.h"
#include "graph/graph_spec.h"
#include "graph/log_record.h"
#include "graph/metrics.h"
#include "tests/harness/memory_checkpoints.h"

namespace weft::tests {
namespace {

using graph::EventBatch;
using graph::Graph;
using graph::LogPosition;
using graph::Packet;

// A graph with its subscriptions, feeding one RunResult.
class Run {
 public:
  Run(std::string_view spec, const RunSettings& settings) : spec_(spec), settings_(settings) {}

  absl::Status Build() {
    WEFT_ASSIGN(const graph::ParsedSpec parsed,
                graph::ParsedSpec::Parse(spec_, "test.pbtxt", *settings_.catalog));
    graph::Environment environment;
    environment.catalog = settings_.catalog;
    environment.executor = settings_.executor;
    environment.clock = &clock_;
    environment.metrics = &metrics_;
    environment.cold = &cold_;
    WEFT_ASSIGN(graph_, Graph::Build(parsed, environment));
    for (const std::string& name : graph_->outputs()) WEFT_TRY(SubscribeOutput(name));
    for (const std::string& name : graph_->inputs()) WEFT_TRY(SubscribeInput(name));
    return absl::OkStatus();
  }

  absl::Status Push(const InputStep& step) {
    if (step.packet.empty()) return graph_->AdvanceTime(step.input, step.position, step.time_us);
    return graph_->Push(step.input, step.packet);
  }

  // Replaces the graph by one that starts from a checkpoint of it.
  absl::Status SaveAndLoad() {
    MemoryCheckpoints store;
    WEFT_ASSIGN(const graph::CheckpointManifest manifest, graph_->Checkpoint(store));
    const std::vector<std::string> inputs = graph_->inputs();
    const std::lock_guard lock(mutex_);
    graph_ = nullptr;
    for (std::size_t i = 0; i < inputs.size(); ++i) resume_[inputs[i]] = manifest.applied[i];
    WEFT_TRY(Build());
    const auto reader = store.OpenNewest();
    return graph_->Restore(*reader);
  }

  // Whether the checkpoint that the graph started from contains the step.
  bool IsContained(const InputStep& step) const {
    const auto found = resume_.find(step.input);
    if (found == resume_.end()) return false;
    const LogPosition position = step.packet.empty() ? step.position : step.packet.position();
    return found->second.feed == position.feed && position < found->second;
  }

  Graph& graph() { return *graph_; }

  RunResult TakeResult() {
    graph_ = nullptr;
    return std::move(result_);
  }

 private:
  absl::Status SubscribeOutput(const std::string& name) {
    std::vector<OutputPacket>& packets = result_.outputs[name];
    return graph_->OnOutput(name, [this, &packets](const Packet& packet) {
      packets.push_back({packet.position(), packet.end(), packet.time_us(), packet.row_count(),
                         settings_.encoders->Encode(packet)});
    });
  }

  absl::Status SubscribeInput(const std::string& name) {
    std::vector<LogPosition>& applied = result_.applied[name];
    return graph_->OnApplied(name,
                             [&applied](LogPosition position) { applied.push_back(position); });
  }

  const std::string spec_;
  const RunSettings settings_;
  graph::MemoryColdStore cold_;  // of one graph and of the one that goes on from its checkpoint
  graph::SystemClock clock_;
  graph::MetricRegistry metrics_;
  std::mutex mutex_;
  RunResult result_;
  std::map<std::string, LogPosition> resume_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace

PayloadEncoders::PayloadEncoders() {
  Add<EventBatch>([](const EventBatch& events) {
    graph::LogRecord record;
    record.events = events;
    std::string bytes;
    graph::EncodeLogRecord(record, bytes);
    return bytes;
  });
}

std::string PayloadEncoders::Encode(const Packet& packet) const {
  const auto found = encoders_.find(packet.type());
  WEFT_CHECK(found != encoders_.end());
  return found->second(packet);
}

absl::StatusOr<RunResult> RunGraph(std::string_view spec, const std::vector<InputStep>& steps,
                                   const RunSettings& settings) {
  Run run(spec, settings);
  WEFT_TRY(run.Build());
  WEFT_TRY(run.graph().Start());
  const std::int64_t save_after = settings.save_after;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(steps.size()); ++i) {
    if (i == save_after) {
      WEFT_TRY(run.SaveAndLoad());
      WEFT_TRY(run.graph().Start());
      for (std::int64_t j = 0; j < i; ++j) {
        const InputStep& step = steps[static_cast<std::size_t>(j)];
        if (!run.IsContained(step)) WEFT_TRY(run.Push(step));
      }
    }
    WEFT_TRY(run.Push(steps[static_cast<std::size_t>(i)]));
  }
  WEFT_TRY(run.graph().Drain());
  WEFT_ASSIGN(graph::CheckpointManifest state, run.graph().StateHash());
  WEFT_TRY(run.graph().Close());
  RunResult result = run.TakeResult();
  result.state = std::move(state);
  return result;
}

std::vector<InputStep> FeedSteps(std::string_view input, std::uint32_t feed,
                                 const std::vector<EventBatch>& batches,
                                 graph::TimeUs lateness_us) {
  std::vector<InputStep> steps;
  LogPosition position{0, feed, 0};
  graph::TimeUs latest_us = 0;
  for (const EventBatch& batch : batches) {
    for (const graph::TimeUs time_us : batch.time_us) latest_us = std::max(latest_us, time_us);
    InputStep step;
    step.input = std::string(input);
    step.packet = Packet::Make<EventBatch>(std::make_shared<const EventBatch>(batch), position,
                                           latest_us - lateness_us);
    steps.push_back(std::move(step));
    position.offset += static_cast<std::uint64_t>(std::max<std::int64_t>(batch.size(), 1));
  }
  return steps;
}

EventBatch RandomEvents(std::uint64_t seed, std::int64_t count, graph::NodeId node_count,
                        graph::TimeUs first_time_us) {
  std::mt19937_64 random(seed);
  EventBatch events;
  events.Reserve(count);
  graph::TimeUs time_us = first_time_us;
  for (std::int64_t i = 0; i < count; ++i) {
    events.source.push_back(static_cast<graph::NodeId>(random() % node_count));
    events.target.push_back(static_cast<graph::NodeId>(random() % node_count));
    events.time_us.push_back(time_us);
    time_us += static_cast<graph::TimeUs>(random() % 3);
  }
  return events;
}

}  // namespace weft::tests
