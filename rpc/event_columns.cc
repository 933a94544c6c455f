#include "rpc/event_columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/event_digest.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::RejectReason;

constexpr std::size_t kIntegerDigits = 20;  // of the longest int64, with its sign

absl::Status CheckLength(std::string_view column, int length, std::int64_t expected) {
  if (length == expected) return absl::OkStatus();
  return InvalidField(Concat("batch.", column),
                      Concat("expected ", expected, " values, got ", length));
}

absl::Status CheckIndexes(std::string_view column,
                          const google::protobuf::RepeatedField<std::uint32_t>& indexes,
                          std::size_t key_count) {
  if (indexes.empty()) return absl::OkStatus();
  const std::uint32_t largest = *std::max_element(indexes.begin(), indexes.end());
  if (largest < key_count) return absl::OkStatus();
  return InvalidField(Concat("batch.", column),
                      Concat("index ", largest, " of a key, there are ", key_count));
}

}  // namespace

ColumnsView::ColumnsView(const v1::EventColumns& columns, const FeedLimits& limits)
    : columns_(&columns),
      key_bytes_max_(limits.key_bytes),
      feature_count_max_(limits.feature_count),
      missing_values_(limits.missing_values) {
  keys_.reserve(static_cast<std::size_t>(columns.key_size() + columns.integer_key_size()));
  for (const std::string& key : columns.key()) keys_.emplace_back(key);
  // Reserved in full, so that the views into it stay.
  integer_text_.resize(static_cast<std::size_t>(columns.integer_key_size()) * kIntegerDigits);
  char* next = integer_text_.data();
  for (const std::int64_t key : columns.integer_key()) {
    char* const end = std::to_chars(next, next + kIntegerDigits, key).ptr;
    keys_.emplace_back(next, static_cast<std::size_t>(end - next));
    next = end;
  }
}

absl::StatusOr<ColumnsView> ColumnsView::Check(const v1::EventColumns& columns,
                                               const FeedLimits& limits) {
  const std::int64_t count = columns.time_us_size();
  if (count == 0) return InvalidField("batch.time_us", "expected at least one event");
  if (count > limits.batch_events) {
    return InvalidField("batch",
                        Concat("expected at most ", limits.batch_events, " events, got ", count));
  }
  if (columns.key_size() > 0 && columns.integer_key_size() > 0) {
    return InvalidField("batch", "expected key or integer_key, got both");
  }
  if (auto status = CheckLength("source", columns.source_size(), count); !status.ok()) {
    return status;
  }
  if (auto status = CheckLength("target", columns.target_size(), count); !status.ok()) {
    return status;
  }
  if (columns.label_size() > 0) {
    if (auto status = CheckLength("label", columns.label_size(), count); !status.ok()) {
      return status;
    }
  }
  if (columns.feature_count() < 0) {
    return InvalidField("batch.feature_count", "expected 0 or more");
  }
  if (auto status = CheckLength("feature", columns.feature_size(), count * columns.feature_count());
      !status.ok()) {
    return status;
  }
  const auto keys = static_cast<std::size_t>(columns.key_size() + columns.integer_key_size());
  if (auto status = CheckIndexes("source", columns.source(), keys); !status.ok()) return status;
  if (auto status = CheckIndexes("target", columns.target(), keys); !status.ok()) return status;
  if (columns.first_seq() > ~std::uint64_t{0} - static_cast<std::uint64_t>(count)) {
    return InvalidField("batch.first_seq", "expected less than 2^64 - batch size");
  }
  return ColumnsView(columns, limits);
}

std::optional<RejectReason> ColumnsView::KeyVerdict(std::string_view key) const {
  if (key.empty()) return RejectReason::kKeyEmpty;
  if (key.size() > static_cast<std::size_t>(key_bytes_max_)) return RejectReason::kKeyTooLong;
  return std::nullopt;
}

std::optional<RejectReason> ColumnsView::Verdict(std::int64_t i) const {
  if (const auto verdict = KeyVerdict(keys_[source(i)])) return verdict;
  if (const auto verdict = KeyVerdict(keys_[target(i)])) return verdict;
  const std::span<const float> values = features(i);
  if (values.size() > static_cast<std::size_t>(feature_count_max_)) {
    return RejectReason::kFeatureCount;
  }
  if (!MayBe(label(i))) return RejectReason::kNotFinite;
  for (const float value : values) {
    if (!MayBe(value)) return RejectReason::kNotFinite;
  }
  return std::nullopt;
}

std::uint64_t ColumnsView::Digest(std::int64_t i) const {
  return EventDigest(keys_[source(i)], keys_[target(i)], time_us(i), label(i), features(i));
}

}  // namespace weft::rpc
