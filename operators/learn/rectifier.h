// Rectified units (rectifier_kernels.cc): what is negative becomes 0.
#pragma once

#include <cstdint>

#include "gpu/exec.h"

namespace weft::operators::learn {

template <class E>
void RectifyOn(const E& exec, std::int64_t count, float* values);
// Lets a gradient through where the rectified value is above zero.
template <class E>
void RectifierGradientOn(const E& exec, std::int64_t count, const float* values, float* gradient);

}  // namespace weft::operators::learn
