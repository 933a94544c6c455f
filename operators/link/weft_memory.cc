#include "operators/link/weft_memory.h"

#include <algorithm>

#include "gpu/host_device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/section.h"

namespace weft::operators::link {
namespace {

constexpr std::uint64_t kAdding = 1;
constexpr std::uint64_t kDrawing = 2;
// Of how many rows at least one is taken in.
constexpr std::int64_t kRarest = 64;

}  // namespace

WeftMemory::WeftMemory(std::uint64_t seed) : seed_(seed) {}

void WeftMemory::Add(const float* features, const WeftLesson& lesson) {
  const std::int64_t index = seen_++;
  std::int64_t place = index;
  if (index >= kRows) {
    const auto range = static_cast<std::uint64_t>(std::min(index + 1, kRows * kRarest));
    place = static_cast<std::int64_t>(
        gpu::CounterHash(seed_, static_cast<std::uint64_t>(index), kAdding) % range);
    if (place >= kRows) return;
  } else {
    features_.resize(static_cast<std::size_t>(seen_ * kWeftStride));
    lessons_.resize(static_cast<std::size_t>(seen_));
  }
  std::copy_n(features, kWeftStride, features_.data() + place * kWeftStride);
  lessons_[static_cast<std::size_t>(place)] = lesson;
}

bool WeftMemory::Draw(std::span<WeftLesson> lessons, float* features) {
  if (size() < 2 * static_cast<std::int64_t>(lessons.size())) return false;
  for (WeftLesson& lesson : lessons) {
    const std::uint64_t hash =
        gpu::CounterHash(seed_, static_cast<std::uint64_t>(drawn_++), kDrawing);
    const std::uint64_t place = hash % static_cast<std::uint64_t>(size());
    lesson = lessons_[place];
    std::copy_n(features_.data() + place * kWeftStride, kWeftStride, features);
    features += kWeftStride;
  }
  return true;
}

void WeftMemory::Clear() {
  seen_ = drawn_ = 0;
  features_.clear();
  lessons_.clear();
}

absl::Status WeftMemory::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteValue("memory", seen_, sink));
  WEFT_TRY(WriteValue("memory", drawn_, sink));
  WEFT_TRY(WriteArray("memory", std::span<const WeftLesson>(lessons_), sink));
  return WriteArray("memory", std::span<const float>(features_), sink);
}

absl::Status WeftMemory::Load(graph::CheckpointSource& source) {
  Clear();
  WEFT_TRY(ReadValue("memory", seen_, source));
  WEFT_TRY(ReadValue("memory", drawn_, source));
  WEFT_TRY(ReadArray("memory", kRows, lessons_, source));
  WEFT_TRY(ReadArray("memory", kRows * kWeftStride, features_, source));
  if (seen_ >= 0 && static_cast<std::int64_t>(lessons_.size()) == size() &&
      features_.size() == lessons_.size() * kWeftStride)
    return absl::OkStatus();
  const std::size_t count = lessons_.size();
  Clear();
  return absl::DataLossError(
      graph::Concat("section memory: expected as many rows as lessons, got ", count, " lessons"));
}

}  // namespace weft::operators::link
