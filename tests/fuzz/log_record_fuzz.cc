// Log records: no bytes may crash the decoder, and what it accepts encodes to the same bytes or to
// a shorter form that decodes to the same record. The checksum is set right, so that the columns
// are reached.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include <xxhash.h>

#include "graph/check.h"
#include "graph/log_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weft::graph::DecodeLogRecord;
  using weft::graph::LogPosition;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kChecksumBytes = 8;
  if (size >= kChecksumBytes) {
    const std::uint64_t checksum = XXH3_64bits(bytes.data(), size - kChecksumBytes);
    std::memcpy(bytes.data() + size - kChecksumBytes, &checksum, kChecksumBytes);
  }
  const auto record = DecodeLogRecord(LogPosition{}, bytes);
  if (!record.ok()) return 0;
  std::string again;
  EncodeLogRecord(*record, again);
  WEFT_CHECK(again.size() <= bytes.size());  // a varint may have been longer than it must be
  const auto decoded = DecodeLogRecord(LogPosition{}, again);
  WEFT_CHECK_OK(decoded.status());
  std::string third;
  EncodeLogRecord(*decoded, third);
  WEFT_CHECK(third == again);
  return 0;
}
