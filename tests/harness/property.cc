#include "tests/harness/property.h"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

#include "graph/text.h"
#include "tests/harness/watched_executor.h"

namespace weft::tests {
namespace {

using graph::Concat;
using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

constexpr int kThreadsWanted = 3;
// Fewer tasks than this may happen to run on fewer threads.
constexpr std::int64_t kTasksEnough = 500;

RunSettings SettingsOf(const PropertyCase& property, graph::Executor& executor) {
  RunSettings settings;
  settings.catalog = property.catalog;
  settings.encoders = property.encoders;
  settings.executor = &executor;
  return settings;
}

absl::StatusOr<RunResult> RunSerially(const PropertyCase& property, std::uint64_t seed,
                                      std::int64_t save_after = -1) {
  graph::SerialExecutor executor(seed);
  RunSettings settings = SettingsOf(property, executor);
  settings.save_after = save_after;
  return RunGraph(property.spec, property.steps, settings);
}

std::string Describe(const OutputPacket& packet) {
  return Concat("position ", packet.position.feed, ":", packet.position.offset, " time ",
                packet.time_us, " us, ", packet.row_count, " rows");
}

std::string OutputDifference(const std::string& name, const std::vector<OutputPacket>& expected,
                             const std::vector<OutputPacket>& actual) {
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    if (expected[i] == actual[i]) continue;
    return Concat("output \"", name, "\", packet ", i, ": expected ", Describe(expected[i]),
                  ", got ", Describe(actual[i]),
                  expected[i].bytes == actual[i].bytes ? "" : "; the bytes differ");
  }
  if (expected.size() == actual.size()) return "";
  return Concat("output \"", name, "\": expected ", expected.size(), " packets, got ",
                actual.size());
}

// Offsets from which on to change events: late in the largest packet of each third of the steps, so
// that some micro-batches of that packet come before.
std::vector<std::uint64_t> Cuts(const std::vector<InputStep>& steps) {
  constexpr std::size_t kParts = 3;
  std::vector<std::uint64_t> cuts;
  for (std::size_t part = 0; part < kParts; ++part) {
    const InputStep* largest = nullptr;
    for (std::size_t i = steps.size() * part / kParts; i < steps.size() * (part + 1) / kParts;
         ++i) {
      if (steps[i].packet.empty()) continue;
      if (largest == nullptr || steps[i].packet.row_count() > largest->packet.row_count()) {
        largest = &steps[i];
      }
    }
    if (largest == nullptr) continue;
    const auto rows = static_cast<std::uint64_t>(largest->packet.row_count());
    cuts.push_back(largest->packet.position().offset + rows * 3 / 4);
  }
  return cuts;
}

// Changes the events of the step's packet from offset `cut` on.
void AddNoise(InputStep& step, std::uint64_t cut, const Noise& noise, std::uint64_t seed) {
  if (step.packet.empty()) return;
  const std::uint64_t begin = step.packet.position().offset;
  if (begin + static_cast<std::uint64_t>(step.packet.row_count()) <= cut) return;
  auto events = std::make_shared<graph::EventBatch>(step.packet.Get<graph::EventBatch>());
  noise(*events, cut > begin ? static_cast<std::int64_t>(cut - begin) : 0, seed + begin);
  step.packet = graph::Packet::Make<graph::EventBatch>(std::move(events), step.packet.position(),
                                                       step.packet.time_us());
}

// Those that are of entries before `cut` alone.
std::vector<OutputPacket> Before(const std::vector<OutputPacket>& packets, std::uint64_t cut) {
  std::vector<OutputPacket> kept;
  for (const OutputPacket& packet : packets) {
    if (packet.end.offset <= cut) kept.push_back(packet);
  }
  return kept;
}

// `reference`, compared with `run` under the name `what`.
AssertionResult Compare(std::string_view what, const RunResult& reference,
                        const absl::StatusOr<RunResult>& run) {
  if (!run.ok()) return AssertionFailure() << what << ": " << run.status();
  const std::string difference = FirstDifference(reference, *run);
  if (difference.empty()) return AssertionSuccess();
  return AssertionFailure() << what << ": " << difference;
}

}  // namespace

std::string FirstDifference(const RunResult& expected, const RunResult& actual) {
  for (const auto& [name, packets] : expected.outputs) {
    const auto found = actual.outputs.find(name);
    if (found == actual.outputs.end()) return Concat("output \"", name, "\" is missing");
    const std::string difference = OutputDifference(name, packets, found->second);
    if (!difference.empty()) return difference;
  }
  if (expected.applied != actual.applied) return "other positions were reported as applied";
  for (std::size_t i = 0; i < expected.state.operators.size(); ++i) {
    const auto& entry = expected.state.operators[i];
    if (entry.hash != actual.state.operators[i].hash) {
      return Concat("node \"", entry.name, "\" ends in another state");
    }
  }
  return expected.state.state_hash == actual.state.state_hash ? "" : "the state hashes differ";
}

AssertionResult HoldsOnThreads(const PropertyCase& property, RunResult* result) {
  absl::StatusOr<RunResult> reference = absl::InternalError("not run");
  for (const int thread_count : {1, 2, 8}) {
    WatchedExecutor executor(thread_count);
    absl::StatusOr<RunResult> run =
        RunGraph(property.spec, property.steps, SettingsOf(property, executor));
    if (thread_count == 1) reference = run;
    if (!reference.ok()) return AssertionFailure() << reference.status();
    const AssertionResult same = Compare(Concat(thread_count, " threads"), *reference, run);
    if (!same) return same;
    if (thread_count >= kThreadsWanted && executor.tasks_run() >= kTasksEnough &&
        executor.threads_used() < kThreadsWanted) {
      return AssertionFailure() << "only " << executor.threads_used() << " of " << thread_count
                                << " threads ran tasks";
    }
  }
  if (result != nullptr) *result = *std::move(reference);
  return AssertionSuccess();
}

AssertionResult HoldsOnSerialSchedules(const PropertyCase& property, int schedule_count) {
  const absl::StatusOr<RunResult> reference = RunSerially(property, property.seed);
  if (!reference.ok()) return AssertionFailure() << reference.status();
  for (int i = 1; i < schedule_count; ++i) {
    const std::uint64_t seed = property.seed + static_cast<std::uint64_t>(i);
    const AssertionResult same =
        Compare(Concat("schedule seed ", seed), *reference, RunSerially(property, seed));
    if (!same) return same;
  }
  return AssertionSuccess();
}

AssertionResult HoldsAfterSaveAndLoad(const PropertyCase& property) {
  const absl::StatusOr<RunResult> reference = RunSerially(property, property.seed);
  if (!reference.ok()) return AssertionFailure() << reference.status();
  const auto count = static_cast<std::int64_t>(property.steps.size());
  for (const std::int64_t save_after : {std::int64_t{0}, count / 3, count / 2, count - 1}) {
    const AssertionResult serial =
        Compare(Concat("saved and loaded after ", save_after, " steps"), *reference,
                RunSerially(property, property.seed, save_after));
    if (!serial) return serial;
    WatchedExecutor executor(8);
    RunSettings settings = SettingsOf(property, executor);
    settings.save_after = save_after;
    const AssertionResult threaded =
        Compare(Concat("saved and loaded on 8 threads after ", save_after, " steps"), *reference,
                RunGraph(property.spec, property.steps, settings));
    if (!threaded) return threaded;
  }
  return AssertionSuccess();
}

AssertionResult HoldsOnReplay(const PropertyCase& property) {
  const absl::StatusOr<RunResult> first = RunSerially(property, property.seed);
  if (!first.ok()) return AssertionFailure() << first.status();
  return Compare("replay", *first, RunSerially(property, property.seed));
}

void ScrambleTargets(graph::EventBatch& events, std::int64_t first, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (auto i = static_cast<std::size_t>(first); i < events.target.size(); ++i) {
    events.target[i] = static_cast<graph::NodeId>(random() % (events.target[i] + 2u));
    if (!events.label.empty()) events.label[i] = static_cast<float>(random() % 7);
  }
}

AssertionResult DoesNotLeakTheFuture(const PropertyCase& property, const Noise& noise) {
  const absl::StatusOr<RunResult> reference = RunSerially(property, property.seed);
  if (!reference.ok()) return AssertionFailure() << reference.status();
  for (const std::uint64_t cut : Cuts(property.steps)) {
    PropertyCase noisy = property;
    for (InputStep& step : noisy.steps) AddNoise(step, cut, noise, property.seed);
    const absl::StatusOr<RunResult> run = RunSerially(noisy, property.seed);
    if (!run.ok()) return AssertionFailure() << run.status();
    for (const auto& [name, packets] : reference->outputs) {
      const std::string difference = OutputDifference(name, Before(packets, cut),
                                                      Before(run->outputs.find(name)->second, cut));
      if (!difference.empty()) {
        return AssertionFailure() << "events from offset " << cut
                                  << " on were changed: " << difference;
      }
    }
  }
  return AssertionSuccess();
}

AssertionResult HoldsEverything(const PropertyCase& property) {
  constexpr int kScheduleCount = 4;
  AssertionResult result = HoldsOnThreads(property);
  if (result) result = HoldsOnSerialSchedules(property, kScheduleCount);
  if (result) result = HoldsAfterSaveAndLoad(property);
  if (result) result = HoldsOnReplay(property);
  if (result) result = DoesNotLeakTheFuture(property);
  return result;
}

}  // namespace weft::tests
