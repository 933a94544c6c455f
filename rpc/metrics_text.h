// The metrics in the text format of Prometheus.
#pragma once

#include <string>

#include "graph/metrics.h"

namespace weft::rpc {

std::string MetricsText(const graph::MetricRegistry& metrics);

}  // namespace weft::rpc
