// Exponential and logarithm of doubles, to the precision of floats: the same bits everywhere.
#pragma once

#include "gpu/elementary.h"

namespace weft::operators::sequence {

inline double Exp(double x) { return static_cast<double>(gpu::Exp(static_cast<float>(x))); }
inline double Log(double x) { return static_cast<double>(gpu::Log(static_cast<float>(x))); }

}  // namespace weft::operators::sequence
