// The vectorised path against the plain definition, bit for bit, and the same bits on any number of
// threads.
#include "gpu/gemm.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

namespace weft::gpu {
namespace {

std::vector<float> RandomFloats(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

struct Problem {
  std::vector<float> a, b, c, bias;
  GemmArguments arguments;
};

Problem MakeProblem(std::int64_t m, std::int64_t n, std::int64_t k, bool transposed) {
  Problem p{RandomFloats(m * k, 1),
            RandomFloats(k * n, 2),
            RandomFloats(m * n, 3),
            RandomFloats(n, 4),
            {}};
  p.arguments = {.m = m, .n = n, .k = k, .b_row_stride = n, .c_row_stride = n};
  p.arguments.a_row_stride = transposed ? 1 : k;
  p.arguments.a_column_stride = transposed ? m : 1;
  return p;
}

// With the widest vectors, with AVX2, or by the plain definition.
enum class Path { kWidest, kAvx2, kPlain };

std::vector<float> Product(const Problem& p, bool bias, bool accumulate, Path path) {
  std::vector<float> c = p.c;
  GemmArguments g = p.arguments;
  g.a = p.a.data();
  g.b = p.b.data();
  g.c = c.data();
  g.bias = bias ? p.bias.data() : nullptr;
  g.accumulate = accumulate;
  if (path == Path::kPlain) {
    GemmOn(HostExec{}, g);
  } else {
    Gemm(path == Path::kAvx2 ? HostExec{.vectors = HostVectors::kAvx2} : HostExec{}, g);
  }
  return c;
}

TEST(Gemm, HasTheBitsOfThePlainDefinitionForEveryShape) {
  for (std::int64_t m : {0, 1, 2, 5, 6, 7, 8, 13, 96})
    for (std::int64_t n : {1, 4, 7, 8, 12, 16, 23, 31, 48, 72, 216})
      for (std::int64_t k : {0, 1, 3, 72})
        for (const bool transposed : {false, true}) {
          const Problem p = MakeProblem(m, n, k, transposed);
          for (const auto& [bias, accumulate] :
               {std::pair(false, false), {true, false}, {true, true}}) {
            const std::vector<float> expected = Product(p, bias, accumulate, Path::kPlain);
            EXPECT_EQ(Product(p, bias, accumulate, Path::kAvx2), expected) << m << n << k;
            EXPECT_EQ(Product(p, bias, accumulate, Path::kWidest), expected) << m << n << k;
          }
        }
}

TEST(Gemm, GathersRowsAsIfTheyHadBeenCopied) {
  constexpr std::int64_t kM = 13, kN = 23, kK = 40;
  const Problem p = MakeProblem(kM, kN, kK, false);
  std::vector<std::uint32_t> a_row(kM), b_row(kK);
  for (std::size_t i = 0; i < a_row.size(); ++i) a_row[i] = static_cast<std::uint32_t>(5 * i % kM);
  for (std::size_t k = 0; k < b_row.size(); ++k) b_row[k] = static_cast<std::uint32_t>(7 * k % kK);
  Problem copied = p, gathered = p;
  for (std::size_t i = 0; i < a_row.size(); ++i)
    std::copy_n(p.a.begin() + a_row[i] * kK, kK, copied.a.begin() + static_cast<int>(i) * kK);
  for (std::size_t k = 0; k < b_row.size(); ++k)
    std::copy_n(p.b.begin() + b_row[k] * kN, kN, copied.b.begin() + static_cast<int>(k) * kN);
  gathered.arguments.a_row = a_row.data();
  gathered.arguments.b_row = b_row.data();
  const std::vector<float> expected = Product(copied, true, false, Path::kPlain);
  EXPECT_EQ(Product(gathered, true, false, Path::kAvx2), expected);
  EXPECT_EQ(Product(gathered, true, false, Path::kWidest), expected);
}

TEST(Gemm, IsNearTheProductInDouble) {
  const Problem p = MakeProblem(9, 17, 300, false);
  const std::vector<float> c = Product(p, false, false, Path::kWidest);
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t j = 0; j < 17; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 300; ++k)
        sum += static_cast<double>(p.a[i * 300 + k]) * p.b[k * 17 + j];
      EXPECT_NEAR(c[i * 17 + j], sum, 1e-4);
    }
}

TEST(GemmThreads, GivesTheSameBitsOnAnyNumberOfThreads) {
  const Problem p = MakeProblem(300, 216, 72, false);
  const std::vector<float> expected = Product(p, true, false, Path::kPlain);
  for (const int threads : {1, 2, 8}) {
    tbb::global_control allow(tbb::global_control::max_allowed_parallelism,
                              static_cast<std::size_t>(threads));
    tbb::task_arena arena(threads);
    arena.execute([&] { EXPECT_EQ(Product(p, true, false, Path::kWidest), expected) << threads; });
  }
}

TEST(Transpose, ExchangesRowsAndColumns) {
  for (const std::size_t rows : {1u, 5u, 8u, 17u, 72u})
    for (const std::size_t columns : {1u, 7u, 8u, 24u, 27u}) {
      const std::vector<float> from = RandomFloats(static_cast<std::int64_t>(rows * columns), 9);
      std::vector<float> to(from.size());
      Transpose(HostExec{}, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns),
                from.data(), to.data());
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j)
          EXPECT_EQ(to[j * rows + i], from[i * columns + j]);
    }
}

}  // namespace
}  // namespace weft::gpu
