// EventBuilder: events one by one into EventColumns, with each key once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "weft/v1/ingest.pb.h"

namespace weft::rpc {

class EventBuilder {
 public:
  // Whether an event with this many features can go into the batch at hand.
  bool Fits(std::size_t feature_count) const {
    return columns_.time_us_size() == 0 ||
           static_cast<std::size_t>(columns_.feature_count()) == feature_count;
  }
  void Add(std::string_view source, std::string_view target, std::int64_t time_us,
           std::optional<float> label, std::span<const float> features);
  std::int64_t size() const { return columns_.time_us_size(); }
  // Of the batch as a message, at most.
  std::int64_t bytes() const { return bytes_; }
  // The batch; the builder is empty afterwards.
  v1::EventColumns Take();

 private:
  std::uint32_t KeyIndex(std::string_view key);

  v1::EventColumns columns_;
  std::int64_t bytes_ = 0;
  absl::flat_hash_map<std::string_view, std::uint32_t> keys_;  // views into columns_
};

}  // namespace weft::rpc
