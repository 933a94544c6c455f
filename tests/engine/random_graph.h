// Random graphs of the operators of tests/harness, for stress tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/harness/graph_run.h"

namespace weft::tests {

struct RandomGraph {
  std::string spec;
  std::vector<InputStep> steps;
};

// Up to 12 nodes, up to 3 inputs, joins, fan-out, widening, gates, small stream capacities and
// uneven micro-batches, all from the seed.
RandomGraph MakeRandomGraph(std::uint64_t seed);

}  // namespace weft::tests
