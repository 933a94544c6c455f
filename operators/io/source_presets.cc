#include "operators/io/source_presets.h"

#include <vector>

#include "absl/strings/str_join.h"
#include "graph/text.h"
#include "operators/io/nearest_name.h"

namespace weft::operators::io {

std::span<const SourcePreset> SourcePresets() {
  static const auto* const kPresets = new std::vector<SourcePreset>{
      {.name = "vega-flights",
       .description =
           "US flights of early 2001: data/flights-*.json of the npm package vega-datasets; "
           "airports are nodes, "
           "features are the delay (minutes) and the distance (miles), local times are read as UTC",
       .format = FileFormat::kJson,
       .time_unit = TimeUnit::kSeconds,
       .names = {.source = "origin",
                 .target = "destination",
                 .time = "date",
                 .label = "",
                 .features = {"delay", "distance"}}},
  };
  return *kPresets;
}

absl::StatusOr<const SourcePreset*> FindSourcePreset(std::string_view name) {
  std::vector<std::string> known;
  for (const SourcePreset& preset : SourcePresets()) {
    if (preset.name == name) return &preset;
    known.push_back(preset.name);
  }
  return absl::NotFoundError(graph::Concat("expected a preset (", absl::StrJoin(known, ", "),
                                           "), got ", name, DidYouMean(name, known)));
}

}  // namespace weft::operators::io
