// The flag --model of `weft serve`: a graph spec whose `nat` or `weft` nodes start from the
// weights of a file.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace weft::deploy {

// The spec `text` with the file and its digest in the options of every node whose operator the
// file's weights are of. The path is made absolute, because it is part of the graph's identity and
// a restart may come from another folder. NOT_FOUND, DATA_LOSS or FAILED_PRECONDITION for the file,
// INVALID_ARGUMENT for a spec that is wrong, that has no such node or that names another file
// already.
absl::StatusOr<std::string> WithModelFile(std::string_view text, std::string_view spec_name,
                                          const std::string& path);

}  // namespace weft::deploy
