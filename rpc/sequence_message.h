// Series and what is said of them as messages.
#pragma once

#include <span>
#include <vector>

#include "operators/sequence/sequence_row.h"
#include "operators/sequence/series_model.h"
#include "weft/operators/sequence/v1/sequence.pb.h"
#include "weft/v1/sequence.pb.h"

namespace weft::rpc {

v1::SequenceModelKind ToMessage(operators::sequence::SeriesKind kind);
void FillSettings(const operators::sequence::SeriesSettings& settings,
                  v1::SequenceSettings& message);
// As the operator takes it.
operators::sequence::v1::SeriesModel ToSeriesModel(const v1::SequenceSettings& settings);

void FillVerdict(const operators::sequence::SequenceRow& row, v1::RecordVerdict& message);

// The horizons that are foretold and, with `steps` above 0, all from 1 to that: between two that
// are foretold, and between now and the first of them, a straight line.
std::vector<v1::StepForecast> StepsOf(std::span<const operators::sequence::StepForecast> forecasts,
                                      double value, std::int64_t steps);

// `time_us` of the latest record.
void FillExplanation(const operators::sequence::SeriesExplanation& explanation,
                     const operators::sequence::SeriesSettings& settings, graph::TimeUs time_us,
                     v1::ExplainResponse& message);

}  // namespace weft::rpc
