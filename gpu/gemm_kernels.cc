// Generic bodies of gpu/gemm.h.
#include "gpu/gemm.h"
#include "gpu/launch.h"

namespace weft::gpu {

struct GemmOutput {
  GemmArguments g;
  WEFT_HD void operator()(std::int64_t index) const {
    const std::int64_t i = index / g.n;
    const std::int64_t j = index % g.n;
    float* c = g.c + i * g.c_row_stride + j;
    float sum = g.accumulate ? *c : (g.bias != nullptr ? g.bias[j] : 0.0f);
    const float* a = g.a + (g.a_row == nullptr ? i : g.a_row[i]) * g.a_row_stride;
    for (std::int64_t k = 0; k < g.k; ++k) {
      const float* b = g.b + (g.b_row == nullptr ? k : g.b_row[k]) * g.b_row_stride;
      sum = Fma(a[k * g.a_column_stride], b[j], sum);
    }
    *c = sum;
  }
};

struct TransposeElement {
  std::int64_t rows;
  std::int64_t columns;
  const float* from;
  float* to;
  WEFT_HD void operator()(std::int64_t index) const {
    to[index] = from[(index % rows) * columns + index / rows];
  }
};

template <class E>
void GemmOn(const E& exec, const GemmArguments& arguments) {
  ForEachIndex(exec, arguments.m * arguments.n, GemmOutput{arguments});
}

template <class E>
void TransposeOn(const E& exec, std::int64_t rows, std::int64_t columns, const float* from,
                 float* to) {
  ForEachIndex(exec, rows * columns, TransposeElement{rows, columns, from, to});
}

template void GemmOn(const BuildExec&, const GemmArguments&);
template void TransposeOn(const BuildExec&, std::int64_t, std::int64_t, const float*, float*);

}  // namespace weft::gpu
