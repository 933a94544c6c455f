#include "rpc/thread_slice.h"

#include <cstdint>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft::rpc {
namespace {

// glibc 2.36 has neither the structure nor the call (man sched_setattr).
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // 0: the usual slice
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

void AskForSlices(std::uint64_t slice_ns) {
  SchedulingAttributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;  // somebody has decided otherwise
  attributes.runtime_ns = slice_ns;
  static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace

void AskForShortSlices() { AskForSlices(100'000); }
void AskForUsualSlices() { AskForSlices(0); }

}  // namespace weft::rpc
