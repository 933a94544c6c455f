// What operators that follow many series have in common: options for how many, and gauges.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "graph/check.h"
#include "graph/metrics.h"
#include "graph/operator.h"
#include "graph/option_bound.h"
#include "operators/sequence/kept_series.h"

namespace weft::operators::sequence {

// Reads `max_series`, `usual` if it is 0, and `max_stored_series` of an operator's options.
template <class Message>
absl::Status ReadSeriesOptions(const graph::OpenContext& context, const Message& message,
                               std::int64_t usual, KeptSeriesOptions& options) {
  options.cold = &context.cold();
  options.most = usual;
  WEFT_TRY(
      graph::ReadBound(context, "max_series", message.max_series(), 1, kMostSeries, options.most));
  return graph::ReadBound(context, "max_stored_series", message.max_stored_series(), 1,
                          kMostStoredSeries, options.most_stored);
}

// Of one node.
class SeriesGauges {
 public:
  explicit SeriesGauges(const graph::OpenContext& context) {
    const graph::Labels labels = {{"node", std::string(context.node_name())}};
    graph::MetricRegistry& metrics = context.metrics();
    followed_ = &metrics.GetGauge("weft_sequence_series", "Series that are followed.", labels);
    stored_ = &metrics.GetGauge("weft_sequence_stored_series",
                                "Series that gave way and are kept outside of memory.", labels);
    forgotten_ = &metrics.GetGauge("weft_sequence_forgotten_series",
                                   "Series that gave way and found no room there either.", labels);
    lost_ = &metrics.GetGauge(
        "weft_sequence_lost_series",
        "Series that began anew because what was stored of them was gone or damaged.", labels);
  }

  template <class Kept>
  void Set(const KeptSeries<Kept>& series) {
    followed_->Set(static_cast<double>(series.size()));
    stored_->Set(static_cast<double>(series.stored_count()));
    forgotten_->Set(static_cast<double>(series.forgotten_count()));
    lost_->Set(static_cast<double>(series.lost_count()));
  }

 private:
  graph::Gauge* followed_;
  graph::Gauge* stored_;
  graph::Gauge* forgotten_;
  graph::Gauge* lost_;
};

}  // namespace weft::operators::sequence
