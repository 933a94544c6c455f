#include "operators/sequence/listener_index.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"

namespace weft::operators::sequence {
namespace {

// The place of a segment that is among them.
std::uint32_t PlaceOf(const std::uint16_t* segments, std::uint16_t segment) {
  std::uint32_t place = 0;
  while (segments[place] != segment) ++place;
  return place;
}

}  // namespace

std::size_t ListenerIndex::bytes() const {
  std::size_t bytes = pages_.size() * cells_ * sizeof(List);
  for (const Page& page : pages_)
    for (const List& list : page) bytes += list.capacity * sizeof(std::uint16_t);
  return bytes;
}

void ListenerIndex::MoveTo(List& list, std::uint32_t capacity) {
  auto larger = std::make_unique_for_overwrite<std::uint16_t[]>(capacity);
  std::copy_n(list.segment.get(), list.size, larger.get());
  list.segment = std::move(larger);
  list.capacity = static_cast<std::uint16_t>(capacity);
}

void ListenerIndex::Add(std::uint32_t cell, std::uint32_t segment, bool connected) {
  const std::uint32_t page = segment / kPage;
  while (pages_.size() <= page) pages_.emplace_back(cells_);
  List& list = pages_[page][cell];
  if (list.size == list.capacity) {
    WEFT_CHECK(list.size < kPage);  // no more segments than a page has
    // They are most of the memory: a sixteenth more at a time, up to what an allocation holds.
    const std::uint32_t wanted = list.size + list.size / 16u + 1;
    MoveTo(list, std::min((wanted + 3) / 8 * 8 + 4, kPage));
  }
  const auto number = static_cast<std::uint16_t>(segment % kPage);
  list.segment[list.size] = number;
  if (connected) std::swap(list.segment[list.connected++], list.segment[list.size]);
  ++list.size;
}

void ListenerIndex::Remove(std::uint32_t cell, std::uint32_t segment) {
  List& list = pages_[segment / kPage][cell];
  std::uint32_t place = PlaceOf(list.segment.get(), static_cast<std::uint16_t>(segment % kPage));
  if (place < list.connected) {
    list.segment[place] = list.segment[--list.connected];
    place = list.connected;
  }
  list.segment[place] = list.segment[--list.size];
  // Noise moves synapses from cell to cell: each would keep the most it ever had.
  if (list.capacity > 2 * list.size + 16) MoveTo(list, (list.size + 3u) / 8 * 8 + 4);
}

void ListenerIndex::SetConnected(std::uint32_t cell, std::uint32_t segment, bool connected) {
  List& list = pages_[segment / kPage][cell];
  const std::uint32_t place =
      PlaceOf(list.segment.get(), static_cast<std::uint16_t>(segment % kPage));
  if (connected == (place < list.connected)) return;
  const std::uint32_t border = connected ? list.connected++ : --list.connected;
  std::swap(list.segment[place], list.segment[border]);
}

void ListenerIndex::Prefetch(std::span<const std::uint16_t> cells, std::uint32_t segment) const {
  const Page& page = pages_[segment / kPage];
  for (const std::uint16_t cell : cells) __builtin_prefetch(&page[cell]);
  for (const std::uint16_t cell : cells) __builtin_prefetch(page[cell].segment.get());
}

std::int64_t ListenerIndex::SynapsesOn(std::span<const std::uint32_t> cells) const {
  std::size_t all = 0;
  for (const Page& page : pages_)
    for (const std::uint32_t cell : cells) all += page[cell].size;
  return static_cast<std::int64_t>(all);
}

// Lists lie anywhere in memory: those of the cells that come soon are asked for ahead.
void ListenerIndex::PrefetchAhead(const Page& page, std::span<const std::uint32_t> cells,
                                  std::size_t i) {
  constexpr std::size_t kAhead = 8, kLines = 2, kLine = 64;
  if (i + kAhead >= cells.size()) return;
  const auto* const list = reinterpret_cast<const char*>(page[cells[i + kAhead]].segment.get());
  for (std::size_t line = 0; line < kLines; ++line) __builtin_prefetch(list + line * kLine);
}

void ListenerIndex::Count(std::span<const std::uint32_t> cells,
                          std::vector<std::uint16_t>& count) const {
  for (std::size_t p = 0; p < pages_.size(); ++p) {
    std::uint16_t* const to = count.data() + p * kPage;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      PrefetchAhead(pages_[p], cells, i);
      const List& list = pages_[p][cells[i]];
      const std::uint16_t* const segment = list.segment.get();
      const std::uint32_t connected = list.connected, size = list.size;
      for (std::uint32_t k = 0; k < connected; ++k)
        to[segment[k]] = static_cast<std::uint16_t>(to[segment[k]] + 1 + kConnectedOne);
      for (std::uint32_t k = connected; k < size; ++k)
        to[segment[k]] = static_cast<std::uint16_t>(to[segment[k]] + 1);
    }
  }
}

void ListenerIndex::Count(std::span<const std::uint32_t> cells, std::vector<std::uint16_t>& count,
                          std::vector<std::uint32_t>& touched) const {
  for (std::size_t p = 0; p < pages_.size(); ++p) {
    const auto first = static_cast<std::uint32_t>(p) * kPage;
    std::uint16_t* const to = count.data() + first;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      PrefetchAhead(pages_[p], cells, i);
      const List& list = pages_[p][cells[i]];
      for (std::uint32_t k = 0; k < list.size; ++k) {
        const std::uint16_t segment = list.segment[k];
        if (to[segment] == 0) touched.push_back(first + segment);
        const int one = k < list.connected ? 1 + kConnectedOne : 1;
        to[segment] = static_cast<std::uint16_t>(to[segment] + one);
      }
    }
  }
}

}  // namespace weft::operators::sequence
