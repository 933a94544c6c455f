// Concat: absl::StrCat for code that uses std::string_view, which Debian's absl (built with a
// string_view of its own) does not take.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace weft::graph {

inline void AppendPart(std::string& text, std::string_view part) { text.append(part); }

template <class T>
requires(!std::convertible_to<const T&, std::string_view>) void AppendPart(std::string& text,
                                                                           const T& part) {
  if constexpr (std::convertible_to<const T&, absl::string_view>) {
    const absl::string_view view = part;
    text.append(view.data(), view.size());
  } else {
    absl::StrAppend(&text, part);
  }
}

// The parts one after the other: texts as they are, numbers as absl::StrCat writes them.
template <class... Parts>
std::string Concat(const Parts&... parts) {
  std::string text;
  (AppendPart(text, parts), ...);
  return text;
}

// The text of a status message or of another absl::string_view.
inline std::string_view View(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace weft::graph
