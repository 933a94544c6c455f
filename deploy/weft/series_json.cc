#include "deploy/weft/series_json.h"

#include <cmath>

namespace weft::deploy {

using nlohmann::ordered_json;

ordered_json ForecastsJson(const google::protobuf::RepeatedPtrField<v1::StepForecast>& forecasts) {
  ordered_json steps = ordered_json::array();
  for (const v1::StepForecast& step : forecasts)
    steps.push_back({{"horizon", step.horizon()},
                     {"mean", step.mean()},
                     {"p10", step.p10()},
                     {"p50", step.p50()},
                     {"p90", step.p90()},
                     {"interpolated", step.interpolated()}});
  return steps;
}

ordered_json ExpertsJson(const google::protobuf::RepeatedPtrField<v1::ExpertOpinion>& experts) {
  ordered_json opinions = ordered_json::object();
  for (const v1::ExpertOpinion& opinion : experts) opinions[opinion.expert()] = opinion.rarity();
  return opinions;
}

ordered_json NumberJson(double number) {
  return std::isfinite(number) ? ordered_json(number) : ordered_json(nullptr);
}

const char* NameOf(v1::SequenceModelKind kind) {
  return kind == v1::SEQUENCE_MODEL_KIND_HTM ? "htm" : "weft";
}

}  // namespace weft::deploy
