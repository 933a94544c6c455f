// LogRecord: one entry of the durable, ordered log. A record is one client's batch as it was
// accepted, with the verdicts on what was not; replay applies it and never decides again. Control
// records use the same envelope.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/event_batch.h"
#include "graph/time.h"

namespace weft::graph {

// Where something stands in the log. `offset` counts the entries of the feed before this one: every
// accepted event is one entry, every control record is one. Opaque to clients.
struct LogPosition {
  std::uint16_t partition = 0;
  std::uint32_t feed = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const LogPosition&) const = default;
};

enum class RecordKind : std::uint8_t {
  kEvents = 1,      // `events`, from a producer
  kIdle = 2,        // the feed was quiet: only the watermark moves
  kCommand = 3,     // `control` is a weft.graph.v1.Command: something that one operator does here
  kFeedPolicy = 4,  // `control` is a serialised feed policy (lateness, limits)
  kGraphSpec = 5,   // `control` is the graph spec in text form that runs from here on
};

enum class RejectReason : std::uint8_t {
  kLate = 1,        // time earlier than the feed's watermark
  kKeyTooLong = 2,  // node key over the limit
  kKeyEmpty = 3,
  kNotFinite = 4,     // a feature or label is NaN or infinite
  kFeatureCount = 5,  // more features than the feed's schema has
  kTooManyNodes = 6,  // the dictionary is full
  kTooFarAhead = 7,   // time further ahead of the server's clock than the feed allows
};

// Event `seq` of the producer was not accepted. Part of the record, so that the acknowledgement can
// be repeated.
struct Reject {
  std::uint64_t seq = 0;
  RejectReason reason = RejectReason::kLate;
  bool operator==(const Reject&) const = default;
};

struct LogRecord {
  LogPosition position;  // of its first entry
  RecordKind kind = RecordKind::kEvents;
  std::uint64_t producer = 0;            // 0 for control records
  std::uint64_t first_seq = 0;           // of the client's batch
  std::uint64_t seq_count = 0;           // accepted + rejected
  TimeUs watermark_us = kBeforeAllTime;  // of the feed, after this record
  EventBatch events;
  std::vector<Reject> rejects;  // by rising seq
  std::string control;

  // Entries of the log that this record takes: its events, or 1 if it carries none.
  std::uint64_t entry_count() const {
    return events.size() > 0 ? static_cast<std::uint64_t>(events.size()) : 1;
  }
  bool operator==(const LogRecord&) const = default;
};

// The bytes that are written (format: storage/format.md); the position is the key's business and
// not in them. Little-endian, a version byte first, a checksum last.
void EncodeLogRecord(const LogRecord& record, std::string& bytes);

// DATA_LOSS when the checksum or a length is wrong, FAILED_PRECONDITION for a newer version.
absl::StatusOr<LogRecord> DecodeLogRecord(LogPosition position, std::string_view bytes);

}  // namespace weft::graph
