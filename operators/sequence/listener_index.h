// ListenerIndex: by cell, the segments of a temporal memory that have a synapse on it, and which of
// these are connected. It is what a step reads, and half of the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weft::operators::sequence {

// A segment listens to a cell at most once. About 2 bytes a synapse, and 16 a cell for every 65,535
// segments. Thread-compatible.
class ListenerIndex {
 public:
  explicit ListenerIndex(std::int64_t cells) : cells_(static_cast<std::size_t>(cells)) {}

  void Clear() { pages_.clear(); }
  void Add(std::uint32_t cell, std::uint32_t segment, bool connected);
  // The segment must listen to the cell.
  void Remove(std::uint32_t cell, std::uint32_t segment);
  void SetConnected(std::uint32_t cell, std::uint32_t segment, bool connected);
  // Asks memory for what Remove and SetConnected will look at.
  void Prefetch(std::span<const std::uint16_t> cells, std::uint32_t segment) const;

  // Synapses on these cells.
  std::int64_t SynapsesOn(std::span<const std::uint32_t> cells) const;
  // Adds 1 for each synapse on these cells to the count of its segment, and kConnectedOne if it is
  // connected.
  static constexpr std::uint16_t kConnectedOne = 1 << 8;
  void Count(std::span<const std::uint32_t> cells, std::vector<std::uint16_t>& count) const;
  // The same; segments that come to their first one are appended to `touched`.
  void Count(std::span<const std::uint32_t> cells, std::vector<std::uint16_t>& count,
             std::vector<std::uint32_t>& touched) const;

  std::size_t bytes() const;

 private:
  // Numbers of segments within their page fit 16 bits, and so does how many there are.
  static constexpr std::uint32_t kPage = 65'535;

  // Those that are connected come first.
  struct List {
    std::unique_ptr<std::uint16_t[]> segment;
    std::uint16_t size = 0, connected = 0, capacity = 0;
  };
  using Page = std::vector<List>;  // by cell

  static void MoveTo(List& list, std::uint32_t capacity);
  static void PrefetchAhead(const Page& page, std::span<const std::uint32_t> cells, std::size_t i);

  std::size_t cells_;
  std::vector<Page> pages_;
};

}  // namespace weft::operators::sequence
