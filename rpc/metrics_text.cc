#include "rpc/metrics_text.h"

#include <limits>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace weft::rpc {
namespace {

prometheus::MetricType ToPrometheus(graph::MetricKind kind) {
  switch (kind) {
    case graph::MetricKind::kCounter:
      return prometheus::MetricType::Counter;
    case graph::MetricKind::kGauge:
      return prometheus::MetricType::Gauge;
    case graph::MetricKind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram ToPrometheus(const graph::Histogram& histogram) {
  prometheus::ClientMetric::Histogram converted;
  const auto counts = histogram.BucketCounts();
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulative += counts[i];
    const double bound = i < graph::Histogram::kBoundsSeconds.size()
                             ? graph::Histogram::kBoundsSeconds[i]
                             : std::numeric_limits<double>::infinity();
    converted.bucket.push_back({cumulative, bound});
  }
  converted.sample_count = cumulative;
  converted.sample_sum = histogram.SumSeconds();
  return converted;
}

prometheus::ClientMetric ToPrometheus(const graph::MetricView& view) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : *view.labels) metric.label.push_back({name, value});
  if (view.counter != nullptr) metric.counter.value = static_cast<double>(view.counter->Value());
  if (view.gauge != nullptr) metric.gauge.value = view.gauge->Value();
  if (view.histogram != nullptr) metric.histogram = ToPrometheus(*view.histogram);
  return metric;
}

}  // namespace

std::string MetricsText(const graph::MetricRegistry& metrics) {
  std::vector<prometheus::MetricFamily> families;
  metrics.Visit([&](const graph::MetricView& view) {
    if (families.empty() || families.back().name != view.name) {
      prometheus::MetricFamily family;
      family.name = view.name;
      family.help = view.help;
      family.type = ToPrometheus(view.kind);
      families.push_back(std::move(family));
    }
    families.back().metric.push_back(ToPrometheus(view));
  });
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace weft::rpc
