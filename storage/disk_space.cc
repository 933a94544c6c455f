#include "storage/disk_space.h"

#include "absl/strings/str_cat.h"

namespace weft::storage {

absl::Status DiskSpace::Check(std::uint64_t wanted_bytes) const {
  return CheckLeaves(reserved_bytes_, wanted_bytes);
}

absl::Status DiskSpace::CheckWithinReserve(std::uint64_t wanted_bytes) const {
  return CheckLeaves(0, wanted_bytes);
}

absl::Status DiskSpace::CheckLeaves(std::uint64_t reserved_bytes,
                                    std::uint64_t wanted_bytes) const {
  const std::uint64_t free_bytes = free_bytes_();
  if (free_bytes >= reserved_bytes && free_bytes - reserved_bytes >= wanted_bytes) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(absl::StrCat("the disk is full: ", free_bytes,
                                                   " bytes free, at least ",
                                                   reserved_bytes + wanted_bytes, " must be"));
}

}  // namespace weft::storage
