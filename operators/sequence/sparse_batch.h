// SparseBatch: the sparse bits (SDR) of records, what the operators of HTM and Sparsey pass on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/event_batch.h"
#include "graph/packet.h"
#include "graph/time.h"

namespace weft::operators::sequence {

// The widest that an operator's options allow.
inline constexpr std::int64_t kMostSparseBits = 65'536;

// One row a record, in columns of equal length.
struct SparseBatch {
  std::int64_t width = 0;  // bits that there are
  std::vector<graph::NodeId> series;
  std::vector<graph::TimeUs> time_us;
  std::vector<double> value;        // of the record, for those who need it; NaN: missing
  std::vector<double> unpredicted;  // share of the bits, or of what they say, that was not expected
  std::vector<std::uint32_t> bits;  // that are on, rising in each row, row by row
  std::vector<std::uint64_t> bits_end;

  std::int64_t size() const { return static_cast<std::int64_t>(series.size()); }
  std::span<const std::uint32_t> Bits(std::size_t row) const {
    const std::uint64_t begin = row == 0 ? 0 : bits_end[row - 1];
    return {bits.data() + begin, static_cast<std::size_t>(bits_end[row] - begin)};
  }
  // A row of what another has at `row`, with other bits.
  void AddLike(const SparseBatch& other, std::size_t row, std::span<const std::uint32_t> of) {
    Add(other.series[row], other.time_us[row], other.value[row], other.unpredicted[row], of);
  }
  void Add(graph::NodeId of_series, graph::TimeUs at_us, double of_value, double share,
           std::span<const std::uint32_t> of) {
    series.push_back(of_series);
    time_us.push_back(at_us);
    value.push_back(of_value);
    unpredicted.push_back(share);
    bits.insert(bits.end(), of.begin(), of.end());
    bits_end.push_back(bits.size());
  }
};

}  // namespace weft::operators::sequence

WEFT_PACKET_TYPE(weft::operators::sequence::SparseBatch, "SparseBatch");
