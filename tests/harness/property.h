// What every graph must keep, as one call for tests: the same bytes out and the same state on 1, 2
// and 8 threads, on a serial executor in any order, after saving and loading in the middle, and on
// replay; and nothing of the future in any output.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "tests/harness/graph_run.h"

namespace weft::tests {

struct PropertyCase {
  std::string spec;
  std::vector<InputStep> steps;
  const graph::Catalog* catalog = nullptr;
  const PayloadEncoders* encoders = nullptr;
  std::uint64_t seed = 1;  // of schedules and of the places where is saved
};

// Success, or what differs first. `result`, if given, receives the run on one thread.
testing::AssertionResult HoldsOnThreads(const PropertyCase& property, RunResult* result = nullptr);
testing::AssertionResult HoldsOnSerialSchedules(const PropertyCase& property, int schedule_count);
testing::AssertionResult HoldsAfterSaveAndLoad(const PropertyCase& property);
testing::AssertionResult HoldsOnReplay(const PropertyCase& property);

// Replaces the events from some offset on by others (`noise` gets a batch, its first row to change
// and a seed; by default targets and labels change) and expects every output packet with all its
// rows before it to stay as it was. Graphs with one input of EventBatch.
using Noise = std::function<void(graph::EventBatch&, std::int64_t, std::uint64_t)>;
void ScrambleTargets(graph::EventBatch& events, std::int64_t first, std::uint64_t seed);
testing::AssertionResult DoesNotLeakTheFuture(const PropertyCase& property,
                                              const Noise& noise = ScrambleTargets);

// All of them.
testing::AssertionResult HoldsEverything(const PropertyCase& property);

// Empty if the runs agree on outputs, applied positions and state; otherwise the first difference.
std::string FirstDifference(const RunResult& expected, const RunResult& actual);

}  // namespace weft::tests
