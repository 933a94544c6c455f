#include "graph/log_record.h"

#include <bit>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include <xxhash.h>

#include "graph/check.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are copied as they are");

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHasLabels = 1;
constexpr std::size_t kVersionOffset = 0;
constexpr std::size_t kKindOffset = 1;
constexpr std::size_t kFlagsOffset = 2;
constexpr std::size_t kReservedOffset = 3;
constexpr std::size_t kNumbersOffset = 4;
constexpr std::size_t kHeaderBytes = 56;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kRejectBytes = 9;
constexpr std::size_t kVarintBytesMax = 10;

// The fixed-size numbers of the header, in the order in which they are written.
struct Numbers {
  std::uint64_t producer = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t seq_count = 0;
  std::int64_t watermark_us = 0;
  std::uint32_t event_count = 0;
  std::uint32_t feature_count = 0;
  std::uint32_t reject_count = 0;
  std::uint32_t control_bytes = 0;
  std::uint32_t time_bytes = 0;
};

template <class T>
void Append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <class T>
void AppendColumn(std::string& bytes, const std::vector<T>& column) {
  if (!column.empty()) {
    bytes.append(reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T));
  }
}

// Each time as the zigzag varint of its difference from the one before (the first from 0), modulo
// 2^64.
void AppendTimes(std::string& bytes, const std::vector<TimeUs>& times) {
  const std::size_t begin = bytes.size();
  bytes.resize(begin + times.size() * kVarintBytesMax);
  auto* out = reinterpret_cast<unsigned char*>(bytes.data()) + begin;
  const auto* const first = out;
  std::uint64_t previous = 0;
  for (const TimeUs time_us : times) {
    const auto delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(time_us) - previous);
    previous = static_cast<std::uint64_t>(time_us);
    auto rest = (static_cast<std::uint64_t>(delta) << 1) ^ static_cast<std::uint64_t>(delta >> 63);
    while (rest >= 0x80) {
      *out++ = static_cast<unsigned char>(rest | 0x80);
      rest >>= 7;
    }
    *out++ = static_cast<unsigned char>(rest);
  }
  bytes.resize(begin + static_cast<std::size_t>(out - first));
}

// Reads one varint of at most ten bytes; false when it does not end before `end` or does not fit 64
// bits.
bool ReadVarint(const unsigned char*& in, const unsigned char* end, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (in == end) return false;
    const std::uint64_t byte = *in++;
    if (shift == 63 && byte > 1) return false;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool ReadTimes(std::string_view bytes, std::size_t count, std::vector<TimeUs>& times) {
  times.resize(count);
  const auto* in = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = in + bytes.size();
  std::uint64_t previous = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t zigzag = 0;
    if (!ReadVarint(in, end, zigzag)) return false;
    previous += (zigzag >> 1) ^ (~(zigzag & 1) + 1);
    times[i] = static_cast<TimeUs>(previous);
  }
  return in == end;
}

// Takes pieces off the front of the columns, whose total length has been checked before.
class ColumnReader {
 public:
  explicit ColumnReader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view Take(std::size_t count) {
    WEFT_CHECK(count <= bytes_.size());
    const std::string_view piece = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return piece;
  }

  template <class T>
  void TakeColumn(std::size_t count, std::vector<T>& column) {
    const std::string_view piece = Take(count * sizeof(T));
    column.resize(count);
    if (count > 0) std::memcpy(column.data(), piece.data(), piece.size());
  }

  template <class T>
  T TakeNumber() {
    T value;
    std::memcpy(&value, Take(sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::string_view bytes_;
};

Numbers ReadNumbers(std::string_view bytes) {
  ColumnReader reader(bytes);
  Numbers numbers;
  numbers.producer = reader.TakeNumber<std::uint64_t>();
  numbers.first_seq = reader.TakeNumber<std::uint64_t>();
  numbers.seq_count = reader.TakeNumber<std::uint64_t>();
  numbers.watermark_us = reader.TakeNumber<std::int64_t>();
  numbers.event_count = reader.TakeNumber<std::uint32_t>();
  numbers.feature_count = reader.TakeNumber<std::uint32_t>();
  numbers.reject_count = reader.TakeNumber<std::uint32_t>();
  numbers.control_bytes = reader.TakeNumber<std::uint32_t>();
  numbers.time_bytes = reader.TakeNumber<std::uint32_t>();
  return numbers;
}

absl::Status Corrupt(LogPosition position, std::string_view what) {
  return absl::DataLossError(
      Concat("log record of feed ", position.feed, " at offset ", position.offset, ": ", what));
}

// Whether the columns that the header announces take exactly `available` bytes.
bool LengthsFit(const Numbers& numbers, bool has_labels, std::uint64_t available) {
  const std::uint64_t events = numbers.event_count;
  const std::uint64_t features = numbers.feature_count;
  if (events > 0 && features > available / sizeof(float) / events) return false;
  if (features > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) return false;
  const std::uint64_t needed = events * (2 * sizeof(NodeId) + (has_labels ? sizeof(float) : 0)) +
                               events * features * sizeof(float) +
                               numbers.reject_count * kRejectBytes + numbers.control_bytes +
                               numbers.time_bytes;
  return needed == available;
}

bool IsKind(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(RecordKind::kEvents) &&
         kind <= static_cast<std::uint8_t>(RecordKind::kGraphSpec);
}

bool IsReason(std::uint8_t reason) {
  return reason >= static_cast<std::uint8_t>(RejectReason::kLate) &&
         reason <= static_cast<std::uint8_t>(RejectReason::kTooFarAhead);
}

// Everything that can be judged without looking at the columns.
absl::Status CheckEnvelope(LogPosition position, std::string_view bytes) {
  if (bytes.empty()) return Corrupt(position, "no bytes");
  const auto version = static_cast<std::uint8_t>(bytes[kVersionOffset]);
  if (version > kVersion) {
    return absl::FailedPreconditionError(Concat("log record of feed ", position.feed, " at offset ",
                                                position.offset, ": has version ", version,
                                                ", this program reads up to ", kVersion));
  }
  if (version == 0) return Corrupt(position, "version 0");
  if (bytes.size() < kHeaderBytes + kChecksumBytes) {
    return Corrupt(position, Concat("expected at least ", kHeaderBytes + kChecksumBytes,
                                    " bytes, got ", bytes.size()));
  }
  std::uint64_t checksum = 0;
  const std::size_t covered = bytes.size() - kChecksumBytes;
  std::memcpy(&checksum, bytes.data() + covered, kChecksumBytes);
  if (checksum != XXH3_64bits(bytes.data(), covered)) return Corrupt(position, "wrong checksum");
  if (!IsKind(static_cast<std::uint8_t>(bytes[kKindOffset]))) {
    return Corrupt(position, "unknown kind");
  }
  if ((static_cast<std::uint8_t>(bytes[kFlagsOffset]) & ~kHasLabels) != 0 ||
      bytes[kReservedOffset] != 0) {
    return Corrupt(position, "unknown flags");
  }
  return absl::OkStatus();
}

absl::Status ReadRejects(LogPosition position, std::size_t count, ColumnReader& reader,
                         std::vector<Reject>& rejects) {
  rejects.resize(count);
  for (Reject& reject : rejects) {
    reject.seq = reader.TakeNumber<std::uint64_t>();
    const auto reason = reader.TakeNumber<std::uint8_t>();
    if (!IsReason(reason)) return Corrupt(position, "unknown reject reason");
    reject.reason = static_cast<RejectReason>(reason);
  }
  return absl::OkStatus();
}

}  // namespace

void EncodeLogRecord(const LogRecord& record, std::string& bytes) {
  const EventBatch& events = record.events;
  const std::size_t count = events.source.size();
  WEFT_CHECK(events.target.size() == count && events.time_us.size() == count);
  WEFT_CHECK(events.label.empty() || events.label.size() == count);
  WEFT_CHECK(events.feature_count >= 0);
  WEFT_CHECK(events.feature.size() == count * static_cast<std::size_t>(events.feature_count));
  constexpr std::size_t kCountMax = std::numeric_limits<std::uint32_t>::max() / kVarintBytesMax;
  WEFT_CHECK(count <= kCountMax && record.rejects.size() <= kCountMax &&
             record.control.size() <= std::numeric_limits<std::uint32_t>::max());

  bytes.clear();
  bytes.reserve(kHeaderBytes + count * (2 * sizeof(NodeId) + kVarintBytesMax + sizeof(float)) +
                events.feature.size() * sizeof(float) + record.rejects.size() * kRejectBytes +
                record.control.size() + kChecksumBytes);
  bytes.push_back(static_cast<char>(kVersion));
  bytes.push_back(static_cast<char>(record.kind));
  bytes.push_back(static_cast<char>(events.label.empty() ? 0 : kHasLabels));
  bytes.push_back(0);
  Append(bytes, record.producer);
  Append(bytes, record.first_seq);
  Append(bytes, record.seq_count);
  Append(bytes, record.watermark_us);
  Append(bytes, static_cast<std::uint32_t>(count));
  Append(bytes, static_cast<std::uint32_t>(events.feature_count));
  Append(bytes, static_cast<std::uint32_t>(record.rejects.size()));
  Append(bytes, static_cast<std::uint32_t>(record.control.size()));
  const std::size_t time_bytes_offset = bytes.size();
  Append(bytes, std::uint32_t{0});
  AppendColumn(bytes, events.source);
  AppendColumn(bytes, events.target);
  const std::size_t times_begin = bytes.size();
  AppendTimes(bytes, events.time_us);
  const auto time_bytes = static_cast<std::uint32_t>(bytes.size() - times_begin);
  std::memcpy(bytes.data() + time_bytes_offset, &time_bytes, sizeof(time_bytes));
  AppendColumn(bytes, events.label);
  AppendColumn(bytes, events.feature);
  for (const Reject& reject : record.rejects) {
    Append(bytes, reject.seq);
    bytes.push_back(static_cast<char>(reject.reason));
  }
  bytes.append(record.control);
  Append(bytes, static_cast<std::uint64_t>(XXH3_64bits(bytes.data(), bytes.size())));
}

absl::StatusOr<LogRecord> DecodeLogRecord(LogPosition position, std::string_view bytes) {
  WEFT_TRY(CheckEnvelope(position, bytes));
  const bool has_labels = (static_cast<std::uint8_t>(bytes[kFlagsOffset]) & kHasLabels) != 0;
  const Numbers numbers = ReadNumbers(bytes.substr(kNumbersOffset, kHeaderBytes - kNumbersOffset));
  const std::string_view columns =
      bytes.substr(kHeaderBytes, bytes.size() - kHeaderBytes - kChecksumBytes);
  if (!LengthsFit(numbers, has_labels, columns.size())) {
    return Corrupt(position, "column lengths do not add up");
  }
  LogRecord record;
  record.position = position;
  record.kind = static_cast<RecordKind>(bytes[kKindOffset]);
  record.producer = numbers.producer;
  record.first_seq = numbers.first_seq;
  record.seq_count = numbers.seq_count;
  record.watermark_us = numbers.watermark_us;
  const std::size_t count = numbers.event_count;
  record.events.feature_count = static_cast<std::int32_t>(numbers.feature_count);
  ColumnReader reader(columns);
  reader.TakeColumn(count, record.events.source);
  reader.TakeColumn(count, record.events.target);
  if (!ReadTimes(reader.Take(numbers.time_bytes), count, record.events.time_us)) {
    return Corrupt(position, "malformed times");
  }
  if (has_labels) reader.TakeColumn(count, record.events.label);
  reader.TakeColumn(count * numbers.feature_count, record.events.feature);
  WEFT_TRY(ReadRejects(position, numbers.reject_count, reader, record.rejects));
  record.control = std::string(reader.Take(numbers.control_bytes));
  return record;
}

}  // namespace weft::graph
