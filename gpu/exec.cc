#include "gpu/exec.h"

namespace weft::gpu {

HostVectors WidestVectors() {
  static const bool wide = __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return wide ? HostVectors::kAvx512 : HostVectors::kAvx2;
}

}  // namespace weft::gpu
