// Random graphs give the same results on every schedule and any number of threads. Seeds can be
// given: WEFT_SEED=7.
#include "tests/engine/random_graph.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/harness/property.h"
#include "tests/harness/test_operators.h"
#include "tests/harness/watched_executor.h"

namespace weft::tests {
namespace {

PropertyCase MakeCase(std::uint64_t seed, const PayloadEncoders& encoders) {
  RandomGraph random = MakeRandomGraph(seed);
  PropertyCase property;
  property.spec = std::move(random.spec);
  property.steps = std::move(random.steps);
  property.catalog = &TestCatalog();
  property.encoders = &encoders;
  property.seed = seed;
  return property;
}

// Runs `holds` on `count` graphs; the first that fails is printed with its seed.
template <class Holds>
void ForEachSeed(std::uint64_t count, Holds holds) {
  const PayloadEncoders encoders;
  const char* given = std::getenv("WEFT_SEED");
  const std::uint64_t first = given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
  if (given != nullptr) count = 1;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const PropertyCase property = MakeCase(seed, encoders);
    const testing::AssertionResult result = holds(property);
    ASSERT_TRUE(result) << "WEFT_SEED=" << seed << "\n" << property.spec;
  }
}

TEST(RandomGraph, IsTheSameOnEverySerialSchedule) {
  ForEachSeed(150, [](const PropertyCase& property) {
    constexpr int kScheduleCount = 5;
    return HoldsOnSerialSchedules(property, kScheduleCount);
  });
}

TEST(RandomGraphThreads, IsTheSameOnAnyNumberOfThreads) {
  ForEachSeed(25, [](const PropertyCase& property) { return HoldsOnThreads(property); });
}

TEST(RandomGraphThreads, IsTheSameAfterSavingAndLoading) {
  ForEachSeed(25, [](const PropertyCase& property) { return HoldsAfterSaveAndLoad(property); });
}

TEST(RandomGraphThreads, ThreadsAndTheSerialScheduleAgree) {
  ForEachSeed(25, [](const PropertyCase& property) {
    graph::SerialExecutor serial(property.seed);
    WatchedExecutor threads(4);
    RunSettings settings;
    settings.catalog = property.catalog;
    settings.encoders = property.encoders;
    settings.executor = &serial;
    const auto expected = RunGraph(property.spec, property.steps, settings);
    settings.executor = &threads;
    const auto actual = RunGraph(property.spec, property.steps, settings);
    if (!expected.ok()) return testing::AssertionFailure() << expected.status();
    if (!actual.ok()) return testing::AssertionFailure() << actual.status();
    const std::string difference = FirstDifference(*expected, *actual);
    if (!difference.empty()) return testing::AssertionFailure() << difference;
    return testing::AssertionSuccess();
  });
}

TEST(RandomGraphThreadsLong, ThousandsOfGraphs) {
  ForEachSeed(3000, [](const PropertyCase& property) { return HoldsOnThreads(property); });
}

}  // namespace
}  // namespace weft::tests
