// The groups of weft's columns, by name: what an ablation leaves out, and what an explanation adds
// up.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace weft::operators::link {

// Columns [begin, end).
struct WeftColumnRange {
  std::int32_t begin;
  std::int32_t end;
};

struct WeftGroup {
  std::string_view name;
  std::vector<WeftColumnRange> columns;
};

// Every column is in one group.
std::span<const WeftGroup> WeftGroupList();

// The groups of a list of names. INVALID_ARGUMENT, with the known names, for any other.
absl::StatusOr<std::vector<const WeftGroup*>> FindWeftGroups(std::span<const std::string> names);

}  // namespace weft::operators::link
