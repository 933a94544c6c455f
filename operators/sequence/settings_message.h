// SeriesSettings from the message that options and commands have.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "operators/sequence/series_settings.h"
#include "weft/operators/sequence/v1/sequence.pb.h"

namespace weft::operators::sequence {

// What is wrong with a message: the field, as a path, and what was expected.
struct SettingsProblem {
  std::string field;
  std::string problem;
};

// With defaults filled in; the problem if it has one.
std::variant<SeriesSettings, SettingsProblem> SettingsFrom(const v1::SeriesModel& message);

// Sets `horizons` to a list unless that is empty.
std::optional<SettingsProblem> ReadHorizons(
    const google::protobuf::RepeatedField<std::int64_t>& list, std::vector<std::int64_t>& horizons);

}  // namespace weft::operators::sequence
