#include "graph/metrics.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "graph/text.h"

namespace weft::graph {
namespace {

TEST(Metrics, SameNameAndLabelsAreTheSameMetric) {
  MetricRegistry registry;
  Counter& counter = registry.GetCounter("weft_a_total", "A.", {{"x", "1"}, {"b", "2"}});
  counter.Add(3);
  EXPECT_EQ(&registry.GetCounter("weft_a_total", "Other.", {{"b", "2"}, {"x", "1"}}), &counter);
  EXPECT_NE(&registry.GetCounter("weft_a_total", "A.", {{"b", "3"}}), &counter);
  EXPECT_EQ(counter.Value(), 3u);
}

TEST(Metrics, HistogramCountsIntoBuckets) {
  Histogram histogram;
  histogram.Observe(0.0);
  histogram.Observe(1e-6);  // a bound belongs to its bucket
  histogram.Observe(2e-3);
  histogram.Observe(100.0);
  const auto counts = histogram.BucketCounts();
  EXPECT_EQ(counts[0], 2u);
  EXPECT_EQ(counts[10], 1u);
  EXPECT_EQ(counts.back(), 1u);
  EXPECT_EQ(histogram.Count(), 4u);
  EXPECT_NEAR(histogram.SumSeconds(), 100.002001, 1e-9);
}

TEST(Metrics, VisitsSortedByNameAndLabels) {
  MetricRegistry registry;
  registry.GetGauge("weft_b", "B.").Set(1.5);
  registry.GetCounter("weft_a_total", "A.", {{"n", "2"}}).Add();
  registry.GetCounter("weft_a_total", "A.", {{"n", "1"}}).Add(2);
  registry.GetHistogram("weft_c_seconds", "C.").Observe(1.0);
  std::vector<std::string> seen;
  registry.Visit([&](const MetricView& view) {
    std::string text = Concat(view.name, "|", view.help, "|");
    for (const auto& [name, value] : *view.labels) text += Concat(name, "=", value, "|");
    if (view.counter != nullptr) text += Concat(view.counter->Value());
    if (view.gauge != nullptr) text += Concat(view.gauge->Value());
    if (view.histogram != nullptr) text += Concat(view.histogram->Count());
    seen.push_back(text);
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"weft_a_total|A.|n=1|2", "weft_a_total|A.|n=2|1",
                                            "weft_b|B.|1.5", "weft_c_seconds|C.|1"}));
}

TEST(MetricsThreads, UpdatesAreNotLost) {
  MetricRegistry registry;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&registry] {
        Counter& counter = registry.GetCounter("weft_n_total", "N.");
        Histogram& histogram = registry.GetHistogram("weft_n_seconds", "N.");
        for (int j = 0; j < 10'000; ++j) {
          counter.Add();
          histogram.Observe(1e-3);
        }
      });
    }
  }
  EXPECT_EQ(registry.GetCounter("weft_n_total", "").Value(), 40'000u);
  EXPECT_NEAR(registry.GetHistogram("weft_n_seconds", "").SumSeconds(), 40.0, 1e-6);
}

}  // namespace
}  // namespace weft::graph
