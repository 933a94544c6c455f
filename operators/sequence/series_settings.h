// How a series is followed: by which model, from which fields of its records, and how far ahead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/time.h"

namespace weft::operators::sequence {

enum class SeriesKind : std::uint8_t {
  kWeft,  // AnomalyEnsemble and SequenceForecaster
  kHtm,   // HTM as it is published
};

enum class FieldKind : std::uint8_t {
  kNumber,
  kCategory,  // numbers that are names; of kHtm only
};

struct FieldSettings {
  std::int32_t feature = 0;  // of the event
  FieldKind kind = FieldKind::kNumber;
};

struct SeriesSettings {
  static constexpr std::size_t kMostFields = 16, kMostHorizons = 16;
  static constexpr std::int32_t kMostFeature = 4095;
  static constexpr std::int64_t kMostHorizon = 10'000;

  SeriesKind kind = SeriesKind::kWeft;
  std::vector<FieldSettings> fields = {{}};  // the first is the one that is foretold
  std::vector<std::int64_t> horizons = {1};  // records ahead, rising
  graph::TimeUs step_us = 0;                 // between records; 0: found from the first ones
  std::uint64_t seed = 0;                    // of kHtm

  // To save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.kind);
    archive.Array(self.fields, kMostFields);
    archive.Array(self.horizons, kMostHorizons);
    archive.Value(self.step_us);
    archive.Value(self.seed);
    if constexpr (Archive::kLoads)
      archive.Check(!self.fields.empty() && !self.horizons.empty(), "a field and a horizon");
  }
};

}  // namespace weft::operators::sequence
