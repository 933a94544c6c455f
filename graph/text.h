// Concat("node ", name, ": ", count): text from pieces, for error messages. It takes what
// absl::StrCat takes and std::string_view besides, which Debian's absl (built for C++14) does not.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::graph {

inline void AppendPiece(std::string& text, const char* piece) { text += piece; }
inline void AppendPiece(std::string& text, char piece) { text += piece; }

// Strings and views of every make.
template <class T>
requires requires(const T& piece) {
  { piece.data() } -> std::convertible_to<const char*>;
  { piece.size() } -> std::convertible_to<std::size_t>;
}
void AppendPiece(std::string& text, const T& piece) { text.append(piece.data(), piece.size()); }

template <std::integral T>
void AppendPiece(std::string& text, T number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  text.append(digits, end);
}

// The shortest digits that give the same number back.
template <std::floating_point T>
void AppendPiece(std::string& text, T number) {
  char digits[48];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  text.append(digits, end);
}

// 16 digits, as hashes are shown.
inline std::string Hexadecimal(std::uint64_t number) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = text.size(); number != 0; number >>= 4) text[--i] = kDigits[number & 15];
  return text;
}

template <class... Pieces>
std::string Concat(const Pieces&... pieces) {
  std::string text;
  (AppendPiece(text, pieces), ...);
  return text;
}

// The names with `separator` between them; `if_empty` if there are none.
template <class Name>
std::string JoinNames(const std::vector<Name>& names, std::string_view separator,
                      std::string_view if_empty = "") {
  if (names.empty()) return std::string(if_empty);
  std::string text;
  for (const Name& name : names) {
    if (&name != &names.front()) text += separator;
    text += name;
  }
  return text;
}

}  // namespace weft::graph
