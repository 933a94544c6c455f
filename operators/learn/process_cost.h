// What this process has used so far, for reports. Any thread.
#pragma once

#include <cstdint>

namespace weft::operators::learn {

// CPU time of all threads, of the user's and of the system's code.
double ProcessCpuSeconds();
// The most memory that was resident at once.
std::int64_t PeakResidentBytes();

}  // namespace weft::operators::learn
