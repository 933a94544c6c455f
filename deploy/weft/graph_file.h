// A graph spec from a file, checked against the product's operators.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "graph/graph_spec.h"

namespace weft::deploy {

// The whole text of a file. NOT_FOUND and the like as for any file; RESOURCE_EXHAUSTED above
// `max_bytes`.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, std::size_t max_bytes);

absl::StatusOr<graph::ParsedSpec> ReadGraphFile(const std::string& path);

}  // namespace weft::deploy
