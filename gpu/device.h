// Devices by name: "host", or "cuda:0" in a build with CUDA.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gpu/exec.h"

namespace weft::gpu {

// An Exec on the named device, or nothing and, in `error`, why: an unknown name, a build without
// CUDA, no such device, a driver that is too old.
std::optional<Exec> OpenExec(std::string_view device, std::string& error);

// One line for `weft doctor`: "host", or the device's name, memory and driver.
std::string DescribeDevice(std::string_view device);

}  // namespace weft::gpu
