#include "graph/metrics.h"

#include <algorithm>
#include <cmath>

#include "graph/check.h"

namespace weft::graph {
namespace {

// The metric with these labels, made on first use.
template <class Metric>
Metric& FindOrMake(std::map<Labels, std::unique_ptr<Metric>>& metrics, Labels labels) {
  std::sort(labels.begin(), labels.end());
  std::unique_ptr<Metric>& metric = metrics[std::move(labels)];
  if (metric == nullptr) metric = std::make_unique<Metric>();
  return *metric;
}

}  // namespace

void Histogram::Observe(double seconds) {
  const auto bound = std::lower_bound(kBoundsSeconds.begin(), kBoundsSeconds.end(), seconds);
  const auto bucket = static_cast<std::size_t>(bound - kBoundsSeconds.begin());
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(std::llround(seconds * 1e9), std::memory_order_relaxed);
}

std::array<std::uint64_t, Histogram::kBoundsSeconds.size() + 1> Histogram::BucketCounts() const {
  std::array<std::uint64_t, kBoundsSeconds.size() + 1> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = buckets_[i].load(std::memory_order_relaxed);
  }
  return counts;
}

std::uint64_t Histogram::Count() const {
  std::uint64_t count = 0;
  for (const std::uint64_t bucket : BucketCounts()) count += bucket;
  return count;
}

Counter& MetricRegistry::GetCounter(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(mutex_);
  return FindOrMake(GetFamily(name, help, MetricKind::kCounter).counters, std::move(labels));
}

Gauge& MetricRegistry::GetGauge(std::string_view name, std::string_view help, Labels labels) {
  const std::lock_guard lock(mutex_);
  return FindOrMake(GetFamily(name, help, MetricKind::kGauge).gauges, std::move(labels));
}

Histogram& MetricRegistry::GetHistogram(std::string_view name, std::string_view help,
                                        Labels labels) {
  const std::lock_guard lock(mutex_);
  return FindOrMake(GetFamily(name, help, MetricKind::kHistogram).histograms, std::move(labels));
}

MetricRegistry::Family& MetricRegistry::GetFamily(std::string_view name, std::string_view help,
                                                  MetricKind kind) {
  const auto [found, is_new] = families_.try_emplace(std::string(name));
  Family& family = found->second;
  if (is_new) {
    family.help = std::string(help);
    family.kind = kind;
  }
  WEFT_CHECK(family.kind == kind);
  return family;
}

void MetricRegistry::Visit(absl::FunctionRef<void(const MetricView&)> visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    MetricView view;
    view.name = name;
    view.help = family.help;
    view.kind = family.kind;
    for (const auto& [labels, counter] : family.counters) {
      view.labels = &labels;
      view.counter = counter.get();
      visit(view);
    }
    for (const auto& [labels, gauge] : family.gauges) {
      view.labels = &labels;
      view.gauge = gauge.get();
      visit(view);
    }
    for (const auto& [labels, histogram] : family.histograms) {
      view.labels = &labels;
      view.histogram = histogram.get();
      visit(view);
    }
  }
}

}  // namespace weft::graph
