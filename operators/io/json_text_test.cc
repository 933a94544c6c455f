#include "operators/io/json_text.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace weft::operators::io {
namespace {

std::string Quoted(std::string_view text) {
  std::string json;
  AppendJsonString(json, text);
  return json;
}

TEST(JsonText, EscapesAndKeepsUtf8) {
  EXPECT_EQ(Quoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_EQ(Quoted("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  const std::string replaced = "\"\xEF\xBF\xBD\"";
  EXPECT_EQ(Quoted("\x80"), replaced);
  EXPECT_EQ(Quoted("\xC3"), replaced);
  EXPECT_EQ(Quoted("\xFF"), replaced);
  // An overlong slash, a surrogate, a number above U+10FFFF: one replacement for every byte.
  EXPECT_EQ(Quoted("\xC0\xAF").size(), 2u + 2 * 3);
  EXPECT_EQ(Quoted("\xED\xA0\x80").size(), 2u + 3 * 3);
  EXPECT_EQ(Quoted("\xF4\x90\x80\x80").size(), 2u + 4 * 3);
}

TEST(JsonText, NumbersAreNeverNotANumber) {
  std::string json;
  AppendJsonNumber(json, 0.1f);
  json += ' ';
  AppendJsonNumber(json, 0.25);
  json += ' ';
  AppendJsonNumber(json, std::nan(""));
  json += ' ';
  AppendJsonNumber(json, std::numeric_limits<float>::infinity());
  EXPECT_EQ(json, "0.1 0.25 null null");
}

}  // namespace
}  // namespace weft::operators::io
