#include "operators/sequence/settings_message.h"

#include <algorithm>

#include "graph/text.h"

namespace weft::operators::sequence {
namespace {

using graph::Concat;

std::string Path(const char* field, int index) { return Concat(field, "[", index, "]"); }

std::optional<SettingsProblem> ReadFields(const v1::SeriesModel& message,
                                          SeriesSettings& settings) {
  if (message.field_size() > static_cast<int>(SeriesSettings::kMostFields))
    return SettingsProblem{"field", Concat("expected at most ", SeriesSettings::kMostFields,
                                           " fields, got ", message.field_size())};
  if (message.field_size() > 0) settings.fields.clear();
  for (int i = 0; i < message.field_size(); ++i) {
    const v1::SeriesField& field = message.field(i);
    if (field.feature() < 0 || field.feature() > SeriesSettings::kMostFeature)
      return SettingsProblem{
          Path("field", i) + ".feature",
          Concat("expected 0 to ", SeriesSettings::kMostFeature, ", got ", field.feature())};
    const bool is_category = field.kind() == v1::SERIES_FIELD_KIND_CATEGORY;
    if (is_category && settings.kind != SeriesKind::kHtm)
      return SettingsProblem{Path("field", i) + ".kind",
                             "expected a number, as only the model htm takes categories"};
    settings.fields.push_back(
        {field.feature(), is_category ? FieldKind::kCategory : FieldKind::kNumber});
  }
  if (settings.fields.front().kind == FieldKind::kCategory)
    return SettingsProblem{"field[0].kind", "expected a number, as the first field is foretold"};
  return std::nullopt;
}

}  // namespace

std::optional<SettingsProblem> ReadHorizons(
    const google::protobuf::RepeatedField<std::int64_t>& list,
    std::vector<std::int64_t>& horizons) {
  if (list.size() > static_cast<int>(SeriesSettings::kMostHorizons))
    return SettingsProblem{"horizon", Concat("expected at most ", SeriesSettings::kMostHorizons,
                                             " horizons, got ", list.size())};
  if (!list.empty()) horizons.clear();
  for (int i = 0; i < list.size(); ++i) {
    const std::int64_t horizon = list[i];
    const std::int64_t least = horizons.empty() ? 1 : horizons.back() + 1;
    if (horizon < least || horizon > SeriesSettings::kMostHorizon)
      return SettingsProblem{Path("horizon", i),
                             Concat("expected rising numbers from 1 to ",
                                    SeriesSettings::kMostHorizon, ", got ", horizon)};
    horizons.push_back(horizon);
  }
  return std::nullopt;
}

std::variant<SeriesSettings, SettingsProblem> SettingsFrom(const v1::SeriesModel& message) {
  SeriesSettings settings;
  if (message.model() == v1::SERIES_MODEL_KIND_HTM) settings.kind = SeriesKind::kHtm;
  if (auto problem = ReadFields(message, settings)) return *std::move(problem);
  if (auto problem = ReadHorizons(message.horizon(), settings.horizons)) return *std::move(problem);
  if (message.step_us() < 0)
    return SettingsProblem{"step_us", Concat("expected 0 or more, got ", message.step_us())};
  settings.step_us = message.step_us();
  settings.seed = message.seed();
  return settings;
}

}  // namespace weft::operators::sequence
