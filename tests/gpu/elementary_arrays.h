// The elementary functions over arrays, so that a test can run them on either Exec.
#pragma once

#include <cstdint>

#include "gpu/exec.h"

namespace weft::gpu {

inline constexpr int kElementaryFunctionCount = 5;  // Exp, Log, Log1p, Tanh, Sigmoid

// to[function * count + i] = function(from[i]).
template <class E>
void ElementaryArraysOn(const E& exec, std::int64_t count, const float* from, float* to);

}  // namespace weft::gpu
