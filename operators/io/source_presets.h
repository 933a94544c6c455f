// Known files whose fields are not called as ours are, as data: how to read them as events without
// converting anything.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "operators/io/event_reader.h"

namespace weft::operators::io {

struct SourcePreset {
  std::string name;         // of --preset
  std::string description;  // one line, with where the file comes from
  FileFormat format = FileFormat::kAuto;
  TimeUnit time_unit = TimeUnit::kSeconds;
  FieldNames names;
};

// All of them, by name.
std::span<const SourcePreset> SourcePresets();

// NOT_FOUND with the known names (and a did-you-mean) for any other name.
absl::StatusOr<const SourcePreset*> FindSourcePreset(std::string_view name);

}  // namespace weft::operators::io
