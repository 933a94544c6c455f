#include "operators/sequence/forecast_experts.h"

#include "graph/check.h"
#include "graph/option_bound.h"
#include "graph/text.h"

namespace weft::operators::sequence {

absl::Status ReadForecast(const graph::OpenContext& context, ForecasterSettings& settings) {
  const auto& message = context.Options<v1::Forecast>();
  WEFT_TRY(graph::ReadBound(context, "horizon", message.horizon(), 1, SeriesSettings::kMostHorizon,
                            settings.horizons.front()));
  if (message.step_us() < 0)
    return context.OptionError("step_us",
                               graph::Concat("expected 0 or more, got ", message.step_us()));
  settings.step_us = message.step_us();
  return absl::OkStatus();
}

}  // namespace weft::operators::sequence
