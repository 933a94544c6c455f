#include "cache/frequent_items.h"

#include <algorithm>
#include <cstddef>

#include "gpu/host_device.h"

namespace weft::cache {

FrequentItems::FrequentItems() : index_(kPlaces) { items_.reserve(kCounters); }

std::size_t FrequentItems::PlaceOf(std::uint64_t key) const {
  std::size_t place = gpu::Mix64(key) % kPlaces;
  while (index_[place] != 0 && items_[index_[place] - 1u].key != key) place = (place + 1) % kPlaces;
  return place;
}

void FrequentItems::Add(std::uint64_t key, std::uint64_t count) {
  std::size_t place = PlaceOf(key);
  if (index_[place] != 0) {
    items_[index_[place] - 1u].count += count;
    return;
  }
  if (items_.size() == kCounters) {
    MakeRoom();
    place = PlaceOf(key);
  }
  items_.push_back({key, count});
  index_[place] = static_cast<std::uint16_t>(items_.size());
}

void FrequentItems::Clear() {
  if (items_.empty()) return;
  items_.clear();
  std::ranges::fill(index_, std::uint16_t{0});
}

void FrequentItems::Add(const FrequentItems& other) {
  for (const Item& item : other.items_) Add(item.key, item.count);
}

std::vector<FrequentItems::Item> FrequentItems::Top(std::size_t most) const {
  std::vector<Item> top(std::min(most, items_.size()));
  std::partial_sort_copy(items_.begin(), items_.end(), top.begin(), top.end(),
                         [](const Item& a, const Item& b) {
                           return a.count != b.count ? a.count > b.count : a.key < b.key;
                         });
  return top;
}

void FrequentItems::MakeRoom() {
  std::vector<std::uint64_t> counts;
  counts.reserve(items_.size());
  for (const Item& item : items_) counts.push_back(item.count);
  const auto median = counts.begin() + kCounters / 2;
  std::nth_element(counts.begin(), median, counts.end());
  std::erase_if(items_, [&](const Item& item) { return item.count <= *median; });
  for (Item& item : items_) item.count -= *median;
  Reindex();
}

bool FrequentItems::Reindex() {
  std::ranges::fill(index_, std::uint16_t{0});
  for (std::size_t i = 0; i < items_.size(); ++i) {
    // Only items up to this one are in the index.
    const std::size_t place = PlaceOf(items_[i].key);
    if (index_[place] != 0) return false;
    index_[place] = static_cast<std::uint16_t>(i + 1);
  }
  return true;
}

}  // namespace weft::cache
