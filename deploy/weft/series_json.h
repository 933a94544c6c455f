// What is said of series, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "weft/v1/sequence.pb.h"

namespace weft::deploy {

// The same fields in every command's output.
nlohmann::ordered_json ForecastsJson(
    const google::protobuf::RepeatedPtrField<v1::StepForecast>& forecasts);
nlohmann::ordered_json ExpertsJson(
    const google::protobuf::RepeatedPtrField<v1::ExpertOpinion>& experts);
// A number, or null.
nlohmann::ordered_json NumberJson(double number);
const char* NameOf(v1::SequenceModelKind kind);

}  // namespace weft::deploy
