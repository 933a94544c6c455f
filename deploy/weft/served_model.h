// `weft serve --model`: a graph whose link model starts from a trained file.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace weft::deploy {

// The graph spec `text` with `model_file` and its digest in the options of every `nat` node, so
// that the file is part of the graph's identity. INVALID_ARGUMENT if the graph has no such node or
// is not a graph spec; the file's own errors as they come. `graph_name` is what errors call the
// text.
absl::StatusOr<std::string> WithModelFile(const std::string& text, const std::string& graph_name,
                                          const std::string& model_file);

}  // namespace weft::deploy
