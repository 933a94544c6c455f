#include "operators/io/event_reader.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "graph/text.h"
#include "gtest/gtest.h"
#include "operators/io/load_events.h"
#include "operators/io/source_presets.h"

namespace weft::operators::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Gives out `text` in pieces of `piece_bytes`, so that records meet every buffer boundary.
ByteSource Bytes(std::string text, std::size_t piece_bytes = 1 << 20) {
  auto rest = std::make_shared<std::string>(std::move(text));
  return [rest, piece_bytes](std::span<char> buffer) -> absl::StatusOr<std::size_t> {
    const std::size_t count = std::min({rest->size(), buffer.size(), piece_bytes});
    std::copy_n(rest->begin(), count, buffer.begin());
    rest->erase(0, count);
    return count;
  };
}

struct Result {
  absl::Status status;
  std::vector<std::string> rows;  // "a>b@1000000 label=0 f=1,2 line=2"
  ReadReport report;
};

Result ReadAll(const std::string& text, const ReadOptions& options = {},
               std::size_t piece_bytes = 1 << 20, std::int64_t rows_at_once = 3) {
  Result result;
  auto reader = EventReader::Open("in", Bytes(text, piece_bytes), options);
  if (!reader.ok()) return {.status = reader.status(), .rows = {}, .report = {}};
  for (;;) {
    const absl::StatusOr<const EventRows*> rows = (*reader)->Next(rows_at_once);
    result.status = rows.status();
    if (!rows.ok() || (*rows)->size() == 0) break;
    const EventRows& batch = **rows;
    for (std::size_t i = 0; i < batch.source.size(); ++i) {
      const auto width = static_cast<std::size_t>(batch.feature_count);
      const std::span<const float> feature = std::span(batch.feature).subspan(i * width, width);
      result.rows.push_back(graph::Concat(batch.source[i], ">", batch.target[i], "@",
                                          batch.time_us[i], " ", batch.label[i], " [",
                                          absl::StrJoin(feature, ","), "] ", batch.line[i]));
    }
  }
  result.report = (*reader)->report();
  return result;
}

ReadOptions Lenient() {
  ReadOptions options;
  options.broken_line = BrokenLine::kCount;
  return options;
}

TEST(CsvReader, ColumnsByNameInAnyOrder) {
  const Result result =
      ReadAll("ts,f1,dst,f0,src,lable\r\n1.5,8,b,7,a,0\r\n\r\n2, 4 ,\"x,\"\"y\"\"\", 3 ,a,1");
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(result.rows, ElementsAre("a>b@1500000 0 [7,8] 2", "a>x,\"y\"@2000000 0 [3,4] 4"));
  EXPECT_THAT(result.report.unused_columns, ElementsAre("lable (did you mean label?)"));
}

TEST(CsvReader, EveryBufferBoundary) {
  std::string text = "\xEF\xBB\xBFsrc;dst;ts;label;f0\n";
  for (int i = 0; i < 200; ++i)
    absl::StrAppend(&text, "node", i, ";\"q", i * 7, "\";", i, ".25;", i % 2, ";-", i, "e-1\n");
  const Result whole = ReadAll(text);
  ASSERT_EQ(whole.rows.size(), 200u) << whole.status;
  EXPECT_EQ(whole.rows[7], "node7>q49@7250000 1 [-0.7] 9");
  for (const std::size_t piece : {1, 2, 3, 7, 64}) {
    EXPECT_EQ(ReadAll(text, {}, piece, 1000).rows, whole.rows) << piece;
  }
}

TEST(CsvReader, HeaderErrors) {
  EXPECT_THAT(std::string(ReadAll("").status.message()), HasSubstr("in:1: expected a header"));
  EXPECT_THAT(
      std::string(ReadAll("\nsource,dst,time\n").status.message()),
      HasSubstr("in:2: expected a column src, got columns source, dst, time; is source meant?"));
  EXPECT_THAT(std::string(ReadAll("src,src,dst,ts\n").status.message()),
              HasSubstr("expected one column src"));
  EXPECT_THAT(std::string(ReadAll("src,dst,ts,f0,f2\n").status.message()),
              HasSubstr("expected 2 feature columns, each once and without a hole, got f2"));
  EXPECT_THAT(std::string(ReadAll("src,dst,ts,f1024\n").status.message()),
              HasSubstr("max_features"));
}

TEST(CsvReader, FirstBrokenLineIsTheErrorWhenStrict) {
  const struct {
    const char* line;
    const char* message;
  } cases[] = {
      {"a,b", "in:2: expected 5 fields, got 2"},
      {"a,b,1,0,0,9", "expected 5 fields, got more"},
      {",b,1,0,0", "src: expected a node key, got nothing"},
      {"a,b,x,0,0", "ts: expected a number of s or an ISO-8601 time, got \"x\""},
      {"a,b,1,0,nan", "f0: expected a finite number, got \"nan\""},
      {"a,b,1,0,1e99", "f0: expected a finite number, got \"1e99\""},
      {"a,b,1,,0", "label: expected a finite number, got \"\""},
      {"\"a,b,1,0,0", "expected \" at the end of a quoted field"},
      {"\"a\"x,b,1,0,0", "expected a delimiter after a quoted field"},
  };
  for (const auto& broken : cases) {
    const Result result = ReadAll(graph::Concat("src,dst,ts,label,f0\n", broken.line, "\n"));
    EXPECT_EQ(result.status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(result.status.message()), HasSubstr(broken.message));
  }
}

TEST(CsvReader, BrokenLinesAreCountedWhenLenient) {
  ReadOptions options = Lenient();
  options.limits.max_reported_lines = 2;
  const Result result = ReadAll("src,dst,ts\na,b\na,b,1\nx\ny\n\"q\nc,d,2\n", options);
  EXPECT_TRUE(result.status.ok());
  EXPECT_THAT(result.rows, ElementsAre("a>b@1000000 0 [] 3", "c>d@2000000 0 [] 7"));
  EXPECT_EQ(result.report.broken_lines, 4);
  EXPECT_THAT(result.report.first_broken,
              ElementsAre("in:2: expected 3 fields, got 2", "in:4: expected 3 fields, got 1"));
}

TEST(CsvReader, LimitsHaveNames) {
  ReadOptions options = Lenient();
  options.limits.max_key_bytes = 3;
  options.limits.max_line_bytes = 40;
  const std::string long_line(700'000, 'x');
  const Result result = ReadAll(
      graph::Concat("src,dst,ts\nabcd,b,1\n", long_line, "\nabc,b,2\n", long_line), options, 1000);
  EXPECT_THAT(result.rows, ElementsAre("abc>b@2000000 0 [] 4"));
  ASSERT_EQ(result.report.first_broken.size(), 3u);
  EXPECT_THAT(result.report.first_broken[0], HasSubstr("max_key_bytes"));
  EXPECT_THAT(result.report.first_broken[1],
              HasSubstr("in:3: expected a line of at most 40 bytes (max_line_bytes)"));
  EXPECT_THAT(result.report.first_broken[2], HasSubstr("in:5:"));
}

TEST(JsonReader, LinesWithBothKindsOfFeatures) {
  const Result result = ReadAll(
      "{\"src\":\"a\\u00e9\",\"dst\":7,\"ts\":1.5,\"label\":1,\"f\":[1,2.5],\"note\":{\"x\":[1]}}"
      "\n\n"
      " {\"f1\":2,\"f0\":1,\"ts\":\"1970-01-01T00:00:02Z\",\"dst\":\"b\",\"src\":3} \r\n");
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_THAT(result.rows, ElementsAre("a\xC3\xA9>7@1500000 1 [1,2.5] 1", "3>b@2000000 0 [1,2] 3"));
  EXPECT_THAT(result.report.unused_columns, ElementsAre("note"));
}

TEST(JsonReader, ArrayOfObjectsAtEveryBufferBoundary) {
  std::string text = "[\n";
  for (int i = 0; i < 60; ++i)
    absl::StrAppend(&text, i > 0 ? ",\n" : "", "{\"src\":\"{[\\\"", i, "\", \"dst\":", i,
                    ",\n\"ts\":", i, "}");
  absl::StrAppend(&text, "\n]\n");
  const Result whole = ReadAll(text);
  EXPECT_TRUE(whole.status.ok()) << whole.status;
  ASSERT_EQ(whole.rows.size(), 60u);
  EXPECT_EQ(whole.rows[59], "{[\"59>59@59000000 0 [] 120");
  for (const std::size_t piece : {1, 2, 5, 33})
    EXPECT_EQ(ReadAll(text, {}, piece, 1000).rows, whole.rows) << piece;
}

TEST(JsonReader, ALongElementIsOneBrokenRecord) {
  ReadOptions options = Lenient();
  options.limits.max_line_bytes = 60;
  const std::string text = graph::Concat(
      "[{\"src\":1,\"dst\":2,\"ts\":3,\"note\":\"", std::string(200, 'x'),
      "}\",\n\"more\":{\"src\":4,\"dst\":5,\"ts\":6}},\n{\"src\":7,\"dst\":8,\"ts\":9}]");
  for (const std::size_t piece : {1, 7, 50, 1000}) {
    const Result result = ReadAll(text, options, piece);
    EXPECT_THAT(result.rows, ElementsAre("7>8@9000000 0 [] 3")) << piece;
    EXPECT_THAT(
        result.report.first_broken,
        ElementsAre("in:1: expected a record of at most 60 bytes (max_line_bytes), got more"))
        << piece;
  }
}

TEST(JsonReader, Errors) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"{\"src\":1,\"dst\":2}", "in:1: expected a field ts, got none"},
      {"{\"src\":1,\"dst\":2,\"ts\":1}\n{\"src\":1,", "in:2: "},
      {"{\"src\":[1],\"dst\":2,\"ts\":1}", "src: expected a string or a number, got another type"},
      {"{\"src\":1,\"dst\":2,\"ts\":1,\"label\":\"x\"}", "label: expected a number"},
      {"{\"src\":1,\"dst\":2,\"ts\":1,\"f\":[1]}\n{\"src\":1,\"dst\":2,\"ts\":1}",
       "in:2: expected 1 features as in the first event, got 0"},
      {"{\"src\":1,\"dst\":2,\"ts\":1,\"f0\":1,\"f0\":1}", "f0: expected it once"},
      {"{\"src\":1,\"dst\":2,\"ts\":1,\"f1\":1}", "features as in the first event"},
      {"[{\"src\":1,\"dst\":2,\"ts\":1}", "in:1: expected ] at the end of the array"},
      {"[1,2]", "in:1: expected a JSON object"},
      {"{\"src\":1,\"dst\":2,\"ts\":1} x", "in:1: "},
  };
  for (const auto& broken : cases) {
    const Result result = ReadAll(broken.text);
    EXPECT_EQ(result.status.code(), absl::StatusCode::kInvalidArgument) << broken.text;
    EXPECT_THAT(std::string(result.status.message()), HasSubstr(broken.message)) << broken.text;
  }
  EXPECT_EQ(ReadAll("{oops\n{\"src\":1,\"dst\":2,\"ts\":1}\n", Lenient()).rows.size(), 1u);
}

TEST(EventReader, FilesThatCannotBeRead) {
  EXPECT_EQ(EventReader::Open("/nonexistent/x.csv", {}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(EventReader::Open("/tmp", {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(SourcePresets, VegaFlights) {
  const auto preset = FindSourcePreset("vega-flights");
  ASSERT_TRUE(preset.ok());
  ReadOptions options;
  options.format = (*preset)->format;
  options.names = (*preset)->names;
  const Result result = ReadAll(
      "[{\"date\":\"2001/01/01 "
      "00:47\",\"delay\":66,\"distance\":1750,\"origin\":\"DTW\",\"destination\":\"LAS\"}]",
      options);
  EXPECT_THAT(result.rows, ElementsAre("DTW>LAS@978310020000000 0 [66,1750] 1"));
  EXPECT_THAT(std::string(FindSourcePreset("vega-flight").status().message()),
              HasSubstr("did you mean vega-flights?"));
}

TEST(NodeTable, NumbersInOrderOfFirstAppearance) {
  NodeTable nodes(5);
  EXPECT_EQ(nodes.FindOrAdd("7"), 0u);
  EXPECT_EQ(nodes.FindOrAdd("07"), 1u);
  EXPECT_EQ(nodes.FindOrAdd("x"), 2u);
  EXPECT_EQ(nodes.FindOrAdd("7"), 0u);
  EXPECT_EQ(nodes.Find("99"), graph::kNoNode);
  EXPECT_EQ(nodes.Find("y"), graph::kNoNode);
  EXPECT_EQ(nodes.FindOrAdd("99999999"), 3u);
  EXPECT_EQ(nodes.FindOrAdd(""), 4u);
  EXPECT_EQ(nodes.FindOrAdd("new"), graph::kNoNode);
  EXPECT_EQ(nodes.Find("new"), graph::kNoNode);
  EXPECT_EQ(nodes.FindOrAdd("8"), graph::kNoNode);
  EXPECT_EQ(nodes.Key(1), "07");
  EXPECT_EQ(nodes.Key(4), "");
}

TEST(NodeTable, ManyKeys) {
  NodeTable nodes;
  for (int round = 0; round < 2; ++round) {
    for (graph::NodeId i = 0; i < 20'000; ++i)
      ASSERT_EQ(nodes.FindOrAdd(graph::Concat(i % 2 == 0 ? "k" : "", i)), i);
  }
  EXPECT_EQ(nodes.Key(19'998), "k19998");
}

TEST(LoadEvents, SortsByTimeAndKeepsTies) {
  const std::string path = graph::Concat(testing::TempDir(), "/load_events_test.csv");
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("src,dst,ts,f0\na,b,2,1\nc,d,1,2\ne,f,2,3\n", file);
  std::fclose(file);
  const auto loaded = LoadEvents(path, {});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->was_sorted);
  EXPECT_THAT(loaded->events.source, ElementsAre(2u, 0u, 4u));
  EXPECT_THAT(loaded->events.feature, ElementsAre(2.f, 1.f, 3.f));
  EXPECT_THAT(loaded->events.label, IsEmpty());
  std::remove(path.c_str());
}

}  // namespace
}  // namespace weft::operators::io
