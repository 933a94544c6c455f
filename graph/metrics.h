// MetricRegistry: counters, gauges and histograms with labels, updated without locks.
//
// Names are weft_<what>_<unit>[_total], times in seconds. Labels must be bounded (node, stream,
// port, feed), never data. A metric is looked up once, at Open, and its reference kept; it lives as
// long as the registry. rpc/ walks the registry and serialises it. Thread rule: everything from any
// thread. A snapshot sees each number whole, not all numbers at one instant.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"

namespace weft::graph {

// Only rises.
class Counter {
 public:
  void Add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  double Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_ = 0.0;
};

// Counts of observed durations in seconds, in buckets whose upper bounds are kBoundsSeconds and
// infinity.
class Histogram {
 public:
  static constexpr std::array<double, 22> kBoundsSeconds = {
      1e-6, 2.5e-6, 5e-6,   1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3,
      5e-3, 1e-2,   2.5e-2, 5e-2, 0.1,    0.25, 0.5,  1.0,    2.5,  5.0,  10.0};

  void Observe(double seconds);
  // Not cumulative; the last is everything above the largest bound.
  std::array<std::uint64_t, kBoundsSeconds.size() + 1> BucketCounts() const;
  std::uint64_t Count() const;
  double SumSeconds() const { return static_cast<double>(sum_ns_.load()) * 1e-9; }

 private:
  std::array<std::atomic<std::uint64_t>, kBoundsSeconds.size() + 1> buckets_{};
  std::atomic<std::int64_t> sum_ns_ = 0;
};

// Name and value of each label, sorted by name.
using Labels = std::vector<std::pair<std::string, std::string>>;

enum class MetricKind { kCounter, kGauge, kHistogram };

// One metric during a walk; exactly one of the three pointers is set.
struct MetricView {
  std::string_view name;
  std::string_view help;
  MetricKind kind = MetricKind::kCounter;
  const Labels* labels = nullptr;
  const Counter* counter = nullptr;
  const Gauge* gauge = nullptr;
  const Histogram* histogram = nullptr;
};

class MetricRegistry {
 public:
  MetricRegistry() = default;
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;

  // The metric with this name and these labels, made on first use. `help` is one sentence; the
  // first one given stays. One name has one kind.
  Counter& GetCounter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& GetGauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& GetHistogram(std::string_view name, std::string_view help, Labels labels = {});

  // Calls `visit` with every metric, sorted by name and labels. `visit` must not use the registry.
  void Visit(absl::FunctionRef<void(const MetricView&)> visit) const;

 private:
  struct Family {
    std::string help;
    MetricKind kind = MetricKind::kCounter;
    std::map<Labels, std::unique_ptr<Counter>> counters;
    std::map<Labels, std::unique_ptr<Gauge>> gauges;
    std::map<Labels, std::unique_ptr<Histogram>> histograms;
  };

  Family& GetFamily(std::string_view name, std::string_view help, MetricKind kind);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace weft::graph
