// The scale on which counts and durations are a model's inputs.
#pragma once

#include <algorithm>

#include "gpu/elementary.h"

namespace weft::operators::hierarchy {

// ln(1 + value), of 0 for what is below it. The same bits everywhere.
inline float Log1p(double value) { return gpu::Log1p(static_cast<float>(std::max(value, 0.0))); }

}  // namespace weft::operators::hierarchy
