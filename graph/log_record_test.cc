#include "graph/log_record.h"

#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace weft::graph {
namespace {

LogRecord MakeEvents(std::size_t count, std::int32_t feature_count, bool labels) {
  std::mt19937_64 random(count);
  LogRecord record;
  record.position = {1, 7, 1234};
  record.producer = 42;
  record.first_seq = 1000;
  record.seq_count = count + 2;
  record.watermark_us = -5;
  record.events.feature_count = feature_count;
  for (std::size_t i = 0; i < count; ++i) {
    record.events.source.push_back(static_cast<NodeId>(random()));
    record.events.target.push_back(static_cast<NodeId>(random()));
    record.events.time_us.push_back(static_cast<TimeUs>(random() % 100'000) - 500);
    if (labels) record.events.label.push_back(static_cast<float>(i));
    for (std::int32_t j = 0; j < feature_count; ++j) {
      record.events.feature.push_back(static_cast<float>(random() % 100));
    }
  }
  record.rejects = {{1001, RejectReason::kLate}, {1005, RejectReason::kNotFinite}};
  return record;
}

std::string Encode(const LogRecord& record) {
  std::string bytes;
  EncodeLogRecord(record, bytes);
  return bytes;
}

void ExpectRoundTrip(const LogRecord& record) {
  const std::string bytes = Encode(record);
  const auto decoded = DecodeLogRecord(record.position, bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, record);
  EXPECT_EQ(Encode(*decoded), bytes);
}

TEST(LogRecord, RoundTrips) {
  ExpectRoundTrip(LogRecord{});
  for (const std::size_t count : {0u, 1u, 63u, 64u, 65u, 1000u}) {
    for (const std::int32_t feature_count : {0, 1, 5}) {
      ExpectRoundTrip(MakeEvents(count, feature_count, false));
      ExpectRoundTrip(MakeEvents(count, feature_count, true));
    }
  }
  LogRecord control;
  control.kind = RecordKind::kGraphSpec;
  control.control = std::string("a\0b", 3);
  ExpectRoundTrip(control);
}

TEST(LogRecord, RoundTripsExtremeTimes) {
  LogRecord record = MakeEvents(6, 0, false);
  record.events.time_us = {kBeforeAllTime, kAfterAllTime, 0, -1, kBeforeAllTime, 1};
  ExpectRoundTrip(record);
}

TEST(LogRecord, IsCompact) {
  LogRecord record;
  for (int i = 0; i < 1000; ++i) {
    record.events.source.push_back(1);
    record.events.target.push_back(2);
    record.events.time_us.push_back(1'700'000'000'000'000 + 5000 * i);
  }
  EXPECT_LE(Encode(record).size(), 64u + 10u * 1000 + 10);
}

TEST(LogRecord, EveryPrefixIsAnError) {
  const LogRecord record = MakeEvents(20, 2, true);
  const std::string bytes = Encode(record);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = DecodeLogRecord(record.position, bytes.substr(0, size));
    ASSERT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST(LogRecord, EveryFlippedBitIsAnError) {
  const LogRecord record = MakeEvents(5, 1, true);
  const std::string bytes = Encode(record);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string broken = bytes;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(DecodeLogRecord(record.position, broken).ok()) << bit;
  }
}

TEST(LogRecord, SaysWhereItIsCorrupt) {
  std::string bytes = Encode(MakeEvents(3, 0, false));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_EQ(DecodeLogRecord({0, 3, 17}, bytes).status(),
            absl::DataLossError("log record of feed 3 at offset 17: wrong checksum"));
}

TEST(LogRecord, RefusesANewerVersion) {
  std::string bytes = Encode(LogRecord{});
  bytes[0] = 2;
  EXPECT_EQ(DecodeLogRecord({0, 3, 17}, bytes).status(),
            absl::FailedPreconditionError(
                "log record of feed 3 at offset 17: has version 2, this program reads up to 1"));
}

}  // namespace
}  // namespace weft::graph
