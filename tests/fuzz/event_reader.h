// Any bytes as a file of events: errors or rows within the limits, never a crash, and the same in
// pieces as in one. What the fuzz targets of the readers share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "operators/io/event_reader.h"

namespace weft::fuzz {

using weft::operators::io::EventReader;
using weft::operators::io::EventRows;
using weft::operators::io::FileFormat;
using weft::operators::io::ReadOptions;

inline void Require(bool condition) {
  if (!condition) std::abort();
}

// How the rows of a mapped file become events; null: they are events.
using Mapping = std::shared_ptr<const operators::io::v1::InputMapping>;

inline ReadOptions Options(FileFormat format, bool lenient, const Mapping& mapping) {
  ReadOptions options;
  options.format = format;
  options.mapping = mapping;
  options.limits.max_line_bytes = 512;
  options.limits.max_key_bytes = 32;
  options.limits.max_features = 8;
  if (lenient) options.broken_line = weft::operators::io::BrokenLine::kCount;
  return options;
}

// Everything that comes out, as text.
inline std::string ReadAll(FileFormat format, std::string_view bytes, std::size_t piece_bytes,
                           bool lenient, const Mapping& mapping) {
  auto source = [&bytes, piece_bytes](std::span<char> buffer) -> absl::StatusOr<std::size_t> {
    const std::size_t count = std::min({bytes.size(), buffer.size(), piece_bytes});
    std::copy_n(bytes.begin(), count, buffer.begin());
    bytes.remove_prefix(count);
    return count;
  };
  auto reader = EventReader::Open("fuzz", source, Options(format, lenient, mapping));
  if (!reader.ok()) return reader.status().ToString();
  std::string text;
  for (;;) {
    const absl::StatusOr<const EventRows*> rows = (*reader)->Next(16);
    if (!rows.ok()) return text + rows.status().ToString();
    if ((*rows)->size() == 0) return text;
    for (std::size_t i = 0; i < (*rows)->source.size(); ++i) {
      Require(!(*rows)->source[i].empty() && (*rows)->source[i].size() <= 32);
      Require(!(*rows)->target[i].empty() && (*rows)->target[i].size() <= 32);
      text += std::string((*rows)->source[i]) + ">" + std::string((*rows)->target[i]) + "@" +
              std::to_string((*rows)->time_us[i]) + ";";
    }
    Require((*rows)->feature_count >= 0 && (*rows)->feature_count <= 8);
    for (const float feature : (*rows)->feature) Require(std::isfinite(feature));
  }
}

inline void ReadInPiecesAndInOne(FileFormat format, const std::uint8_t* data, std::size_t size,
                                 const Mapping& mapping = nullptr) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const bool lenient : {false, true}) {
    Require(ReadAll(format, bytes, 1 << 20, lenient, mapping) ==
            ReadAll(format, bytes, 3, lenient, mapping));
  }
}

}  // namespace weft::fuzz
