// Bytes in and out: little-endian values, big-endian keys. The layouts that use them are in
// storage/format.md.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace weft::storage {

static_assert(std::endian::native == std::endian::little,
              "values are written as they lie in memory");

// Appends to a string that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& bytes) : bytes_(bytes) {}

  template <class T>
  void Value(T value) {
    static_assert(std::is_integral_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  // Most significant byte first, so that keys sort by number.
  template <class T>
  void KeyPart(T value) {
    static_assert(std::is_unsigned_v<T>);
    for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>(static_cast<unsigned char>(value >> shift)));
    }
  }
  // Seven bits a byte from the least significant on, the top bit set in all but the last byte.
  void Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  // Length as uint32, then the text.
  void Text(std::string_view text) {
    Value(static_cast<std::uint32_t>(text.size()));
    bytes_.append(text);
  }

 private:
  std::string& bytes_;
};

// Reads from bytes that outlive it. After a read past the end every value is 0 and ok() is false;
// so a decoder checks once, at its end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T Value() {
    static_assert(std::is_integral_v<T>);
    T value = 0;
    if (!Has(sizeof(T))) return value;
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  template <class T>
  T KeyPart() {
    static_assert(std::is_unsigned_v<T>);
    T value = 0;
    if (!Has(sizeof(T))) return value;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value << 8) | static_cast<T>(static_cast<unsigned char>(bytes_[i]));
    }
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  // Not ok for one that does not end or does not fit 64 bits.
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    bytes_ = {};
    return 0;
  }
  std::string_view Text() {
    const auto length = Value<std::uint32_t>();
    if (!Has(length)) return {};
    const std::string_view text = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return text;
  }

  bool ok() const { return ok_; }
  // Everything was read, and no more.
  bool finished() const { return ok_ && bytes_.empty(); }
  std::size_t remaining() const { return bytes_.size(); }

 private:
  bool Has(std::size_t size) {
    if (bytes_.size() >= size) return ok_;
    ok_ = false;
    bytes_ = {};
    return false;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

// Appends the XXH3-64 of everything that `bytes` holds so far.
void AppendChecksum(std::string& bytes);
// The bytes without their checksum; nothing if it does not fit them.
std::optional<std::string_view> StripChecksum(std::string_view bytes);

}  // namespace weft::storage
