// What dense layers have in common: their products, as arguments of gpu::Gemm, and their first
// weights. Rows are examples.
#pragma once

#include <cstdint>

#include "gpu/gemm.h"
#include "gpu/host_device.h"

namespace weft::operators::learn {

// Uniform in [-bound, bound]; weight i depends on the seed and i alone.
inline void FillUniform(std::uint64_t seed, std::int64_t begin, std::int64_t count, float bound,
                        float* weights) {
  for (std::int64_t i = begin; i < begin + count; ++i) {
    const std::uint64_t hash = gpu::CounterHash(seed, static_cast<std::uint64_t>(i), 0);
    weights[i] = bound * (2.0f * gpu::UnitFloat(hash) - 1.0f);
  }
}

// to[rows x outputs] = from[rows x inputs] weight[inputs x outputs] + bias. Rows of `from` are
// `from_stride` apart; bias may be null.
inline gpu::GemmArguments DenseLayer(std::int64_t rows, std::int64_t inputs, const float* from,
                                     std::int64_t from_stride, std::int64_t outputs,
                                     const float* weight, const float* bias, float* to) {
  return {.m = rows,
          .n = outputs,
          .k = inputs,
          .a = from,
          .a_row_stride = from_stride,
          .b = weight,
          .b_row_stride = outputs,
          .c = to,
          .c_row_stride = outputs,
          .bias = bias};
}

// to[columns x right_width] = left^T right over `rows` rows: the derivative of a layer's weights
// from its inputs and the derivatives of its outputs.
inline gpu::GemmArguments OuterProduct(std::int64_t rows, const float* left,
                                       std::int64_t left_stride, std::int64_t columns,
                                       const float* right, std::int64_t right_width, float* to) {
  return {.m = columns,
          .n = right_width,
          .k = rows,
          .a = left,
          .a_row_stride = 1,
          .a_column_stride = left_stride,
          .b = right,
          .b_row_stride = right_width,
          .c = to,
          .c_row_stride = right_width};
}

}  // namespace weft::operators::learn
