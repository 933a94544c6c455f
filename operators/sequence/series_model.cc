#include "operators/sequence/series_model.h"

#include "operators/sequence/htm_series.h"
#include "operators/sequence/weft_series.h"

namespace weft::operators::sequence {

std::unique_ptr<SeriesModel> MakeSeriesModel(const SeriesSettings& settings) {
  if (settings.kind == SeriesKind::kHtm) return std::make_unique<HtmSeries>(settings);
  return std::make_unique<WeftSeries>(settings);
}

}  // namespace weft::operators::sequence
