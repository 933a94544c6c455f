#include "rpc/event_builder.h"

#include <string>
#include <utility>

namespace weft::rpc {

std::uint32_t EventBuilder::KeyIndex(std::string_view key) {
  const auto found = keys_.find(key);
  if (found != keys_.end()) return found->second;
  const auto index = static_cast<std::uint32_t>(columns_.key_size());
  // Strings of a repeated field stay where they are, so the view does too.
  std::string& kept = *columns_.add_key();
  kept.assign(key);
  // With its tag and length.
  bytes_ += static_cast<std::int64_t>(key.size()) + 6;
  keys_.emplace(kept, index);
  return index;
}

void EventBuilder::Add(std::string_view source, std::string_view target, std::int64_t time_us,
                       std::optional<float> label, std::span<const float> features) {
  columns_.add_source(KeyIndex(source));
  columns_.add_target(KeyIndex(target));
  columns_.add_time_us(time_us);
  if (label || columns_.label_size() > 0) {
    // Events before the first label of the batch have 0, as later ones without a label do.
    columns_.mutable_label()->Resize(columns_.time_us_size(), 0.0F);
    columns_.set_label(columns_.time_us_size() - 1, label.value_or(0.0F));
  }
  columns_.set_feature_count(static_cast<std::int32_t>(features.size()));
  columns_.mutable_feature()->Add(features.begin(), features.end());
  // Two indexes, the time and the label.
  constexpr std::int64_t kEventBytes = 2 * 5 + 10 + 4;
  bytes_ += kEventBytes + static_cast<std::int64_t>(features.size_bytes());
}

v1::EventColumns EventBuilder::Take() {
  keys_.clear();
  bytes_ = 0;
  return std::exchange(columns_, v1::EventColumns());
}

}  // namespace weft::rpc
