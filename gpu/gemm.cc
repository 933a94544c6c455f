#include "gpu/gemm.h"

#include <type_traits>

namespace weft::gpu {

void Gemm(const Exec& exec, const GemmArguments& arguments) {
  std::visit(
      [&](const auto& e) {
        if constexpr (std::is_same_v<std::decay_t<decltype(e)>, HostExec>) {
          internal::GemmHost(e, arguments);
        } else {
          GemmOn(e, arguments);
        }
      },
      exec);
}

void Transpose(const Exec& exec, std::int64_t rows, std::int64_t columns, const float* from,
               float* to) {
  std::visit(
      [&](const auto& e) {
        if constexpr (std::is_same_v<std::decay_t<decltype(e)>, HostExec>) {
          internal::TransposeHost(rows, columns, from, to);
        } else {
          TransposeOn(e, rows, columns, from, to);
        }
      },
      exec);
}

}  // namespace weft::gpu
