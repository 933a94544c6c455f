// HtmCode: what a classifier reads of HTM at a record, as one sparse code: the cells that are
// active, which tell what came before; the columns, which are the same whatever came before; and
// the bits of the input, which say of a field what holds whatever the others are.
//
// Source: our own mix. With the cells alone, as published, a change of some hours of the day must
// be learned anew for each day of the week and each context.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::operators::sequence {

// Thread-compatible.
class HtmCode {
 public:
  HtmCode(std::int64_t cells, std::int64_t columns, std::int64_t inputs)
      : cells_(cells), columns_(columns), inputs_(inputs) {}

  std::int64_t width() const { return cells_ + columns_ + inputs_; }
  // Bits that are on, rising.
  std::span<const std::uint32_t> bits() const { return bits_; }

  void Set(std::span<const std::uint32_t> cells, std::span<const std::uint32_t> columns,
           std::span<const std::uint32_t> input) {
    bits_.assign(cells.begin(), cells.end());
    Append(columns, cells_);
    Append(input, cells_ + columns_);
  }

  // State to save, and to load into one of the same width.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Array(self.bits_, static_cast<std::uint64_t>(self.width()));
    if constexpr (Archive::kLoads)
      archive.Check(std::ranges::is_sorted(self.bits_) &&
                        (self.bits_.empty() || self.bits_.back() < self.width()),
                    "bits of a code, rising");
  }

 private:
  void Append(std::span<const std::uint32_t> bits, std::int64_t first) {
    for (const std::uint32_t bit : bits) bits_.push_back(static_cast<std::uint32_t>(first) + bit);
  }

  std::int64_t cells_, columns_, inputs_;
  std::vector<std::uint32_t> bits_;
};

}  // namespace weft::operators::sequence
