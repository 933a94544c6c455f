// GFLOP/s of the shapes that the link model uses.
#include <vector>

#include <benchmark/benchmark.h>

#include "gpu/gemm.h"

namespace weft::gpu {
namespace {

void Multiply(benchmark::State& state) {
  const std::int64_t m = state.range(0), k = state.range(1), n = state.range(2);
  std::vector<float> a(static_cast<std::size_t>(m * k), 0.5f),
      b(static_cast<std::size_t>(k * n), 0.25f), c(static_cast<std::size_t>(m * n));
  const GemmArguments g{.m = m,
                        .n = n,
                        .k = k,
                        .a = a.data(),
                        .a_row_stride = k,
                        .b = b.data(),
                        .b_row_stride = n,
                        .c = c.data(),
                        .c_row_stride = n};
  for (auto _ : state) {
    Gemm(HostExec{}, g);
    benchmark::ClobberMemory();
  }
  state.counters["GFLOP/s"] = benchmark::Counter(
      2e-9 * static_cast<double>(m * n * k) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}
BENCHMARK(Multiply)
    ->Args({300, 72, 216})
    ->Args({80, 72, 216})
    ->Args({80, 216, 72})
    ->Args({64, 72, 144})
    ->Args({72, 80, 216});

}  // namespace
}  // namespace weft::gpu
