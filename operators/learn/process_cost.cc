#include "operators/learn/process_cost.h"

#include <sys/resource.h>

namespace weft::operators::learn {
namespace {

rusage Usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

double ProcessCpuSeconds() {
  const rusage usage = Usage();
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

std::int64_t PeakResidentBytes() { return std::int64_t{Usage().ru_maxrss} * 1024; }

}  // namespace weft::operators::learn
