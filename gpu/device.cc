#include "gpu/device.h"

#include <charconv>

#if defined(WEFT_CUDA)
#include <cuda_runtime_api.h>
#endif

namespace weft::gpu {
namespace {

constexpr std::string_view kCudaPrefix = "cuda:";

// The N of "cuda:N", or -1.
int CudaNumber(std::string_view device) {
  if (!device.starts_with(kCudaPrefix)) return -1;
  device.remove_prefix(kCudaPrefix.size());
  int number = -1;
  const auto [end, code] = std::from_chars(device.data(), device.data() + device.size(), number);
  return code == std::errc{} && end == device.data() + device.size() ? number : -1;
}

}  // namespace

std::optional<Exec> OpenExec(std::string_view device, std::string& error) {
  if (device == "host") return Exec{HostExec{}};
  const int number = CudaNumber(device);
  if (number < 0) {
    error = "device: expected \"host\" or \"cuda:N\", got \"" + std::string(device) + "\"";
    return std::nullopt;
  }
#if defined(WEFT_CUDA)
  cudaStream_t stream = nullptr;
  cudaError_t code = cudaSetDevice(number);
  if (code == cudaSuccess) code = cudaStreamCreate(&stream);
  if (code != cudaSuccess) {
    error = std::string(device) + ": " + cudaGetErrorString(code);
    return std::nullopt;
  }
  return Exec{CudaExec{.stream = stream}};
#else
  error = std::string(device) + ": this build has no CUDA (configure with -DWEFT_CUDA=ON)";
  return std::nullopt;
#endif
}

std::string DescribeDevice(std::string_view device) {
#if defined(WEFT_CUDA)
  cudaDeviceProp properties;
  const int number = CudaNumber(device);
  if (number >= 0 && cudaGetDeviceProperties(&properties, number) == cudaSuccess)
    return std::string(properties.name) + ", " + std::to_string(properties.totalGlobalMem >> 30) +
           " GiB";
#endif
  return std::string(device);
}

}  // namespace weft::gpu
