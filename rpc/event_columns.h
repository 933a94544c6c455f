// ColumnsView: a client's EventColumns, checked, with one kind of key. Everything that can be
// judged of a batch without knowing the feed's state is judged here, so that it happens outside the
// sequencer's lock.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/log_record.h"
#include "weft/v1/ingest.pb.h"

namespace weft::rpc {

// What a feed takes; the defaults are those of weft.config.v1.FeedConfig.
struct FeedLimits {
  std::int32_t key_bytes = 256;
  std::int32_t feature_count = 0;
  std::int64_t batch_events = 16384;
  std::int64_t window_events = 131072;
  std::int64_t max_producers = 1024;
  bool missing_values = false;  // NaN is a value that is missing
};

class ColumnsView {
 public:
  // `columns` outlives the view. INVALID_ARGUMENT for columns that contradict each other and for a
  // batch that is too big: the client is broken. What is wrong with single events is in Verdict().
  static absl::StatusOr<ColumnsView> Check(const v1::EventColumns& columns,
                                           const FeedLimits& limits);

  std::uint64_t first_seq() const { return columns_->first_seq(); }
  std::int64_t size() const { return columns_->time_us_size(); }
  // Distinct keys, as text.
  std::span<const std::string_view> keys() const { return keys_; }
  std::uint32_t source(std::int64_t i) const { return columns_->source(static_cast<int>(i)); }
  std::uint32_t target(std::int64_t i) const { return columns_->target(static_cast<int>(i)); }
  std::int64_t time_us(std::int64_t i) const { return columns_->time_us(static_cast<int>(i)); }
  bool has_labels() const { return columns_->label_size() > 0; }
  float label(std::int64_t i) const {
    return has_labels() ? columns_->label(static_cast<int>(i)) : 0.0F;
  }
  std::span<const float> features(std::int64_t i) const {
    const auto width = static_cast<std::size_t>(columns_->feature_count());
    return {columns_->feature().data() + static_cast<std::size_t>(i) * width, width};
  }
  // Why event `i` cannot be accepted, whatever the feed's state; nothing if it can.
  std::optional<graph::RejectReason> Verdict(std::int64_t i) const;
  std::uint64_t Digest(std::int64_t i) const;

 private:
  ColumnsView(const v1::EventColumns& columns, const FeedLimits& limits);
  std::optional<graph::RejectReason> KeyVerdict(std::string_view key) const;
  bool MayBe(float value) const {
    return std::isfinite(value) || (missing_values_ && std::isnan(value));
  }

  const v1::EventColumns* columns_;
  std::int32_t key_bytes_max_;
  std::int32_t feature_count_max_;
  bool missing_values_;
  std::string integer_text_;  // where integer keys are text
  std::vector<std::string_view> keys_;
};

}  // namespace weft::rpc
