// FrequentItems: the most frequent keys of a stream and about how often they came, in bounded
// memory.
//
// Source: Misra and Gries 1982, in the form that Anderson et al. 2017 ("A High-Performance
// Algorithm for Identifying Frequent Items in Data Streams") give it: when all counters are in use,
// their median is taken off each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weft::cache {

// Counts are at most the true ones, and too low by at most the sum of all counts / 512.
class FrequentItems {
 public:
  static constexpr std::int32_t kCounters = 1024;

  struct Item {
    std::uint64_t key = 0;
    std::uint64_t count = 0;
    bool operator==(const Item&) const = default;
  };

  FrequentItems();

  void Add(std::uint64_t key, std::uint64_t count = 1);
  void Add(const FrequentItems& other);
  void Clear();

  // In the order in which they came.
  std::span<const Item> items() const { return items_; }
  // The `most` with the highest counts, the highest first, of equal ones the lower key.
  std::vector<Item> Top(std::size_t most) const;

  // State to save, and to load: false for items that are none.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Array(self.items_, kCounters);
    if constexpr (Archive::kLoads) archive.Check(self.Reindex(), "distinct keys");
  }

 private:
  static constexpr std::size_t kPlaces = 4 * kCounters;
  // Of the key, or where it would be put.
  std::size_t PlaceOf(std::uint64_t key) const;
  void MakeRoom();
  // False if a key comes twice.
  bool Reindex();

  std::vector<Item> items_;
  std::vector<std::uint16_t> index_;  // 1 + the item's; 0: free
};

}  // namespace weft::cache
