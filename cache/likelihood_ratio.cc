#include "cache/likelihood_ratio.h"

#include <vector>

namespace weft::cache {
namespace {

constexpr std::uint64_t kTableSize = 8192;

template <class Function>
std::vector<std::int64_t> Table(Function function) {
  std::vector<std::int64_t> table;
  for (std::uint64_t n = 0; n < kTableSize; ++n) table.push_back(function(n));
  return table;
}

}  // namespace

const CountEntropy& TabledCountEntropy() {
  static const auto& table = *new std::vector<std::int64_t>(Table(CountEntropy::Compute));
  static const CountEntropy entropy{table.data(), table.size()};
  return entropy;
}

std::int64_t CountLog(std::uint64_t n) {
  static const auto& table = *new std::vector<std::int64_t>(Table(gpu::FixedLog));
  return n < kTableSize ? table[n] : gpu::FixedLog(n);
}

}  // namespace weft::cache
