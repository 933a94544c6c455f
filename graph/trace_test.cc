#include "graph/trace.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::graph {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string FileText(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Trace, WritesTracksAndEvents) {
  const std::string path = testing::TempDir() + "weft_trace_test.json";
  TraceRecorder trace(path);
  const int track = trace.AddTrack("a \"b\"");
  trace.Record({track, 1'500, 250, 64, 128});
  ASSERT_TRUE(trace.Finish().ok());
  EXPECT_EQ(
      FileText(path),
      "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
      "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"weft\"}},\n"
      "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"thread_name\",\"args\":{\"name\":\"a "
      "\\\"b\\\"\"}},\n"
      "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":0}"
      "},\n"
      "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"name\":\"a \\\"b\\\"\",\"ts\":1.500,\"dur\":0.250,"
      "\"args\":{\"rows\":64,\"offset\":128}}\n"
      "],\"otherData\":{\"dropped_events\":0}}\n");
}

TEST(Trace, KeepsTheLatestEventsAndCountsTheRest) {
  const std::string path = testing::TempDir() + "weft_trace_ring_test.json";
  TraceRecorder trace(path, 2);
  const int track = trace.AddTrack("a");
  for (std::int64_t i = 0; i < 5; ++i) trace.Record({track, 0, 1, i, 0});
  EXPECT_EQ(trace.dropped(), 3u);
  ASSERT_TRUE(trace.Finish().ok());
  EXPECT_THAT(FileText(path), HasSubstr("\"rows\":3"));
  EXPECT_THAT(FileText(path), HasSubstr("\"rows\":4"));
  EXPECT_THAT(FileText(path), Not(HasSubstr("\"rows\":2")));
  EXPECT_THAT(FileText(path), HasSubstr("\"dropped_events\":3"));
}

TEST(Trace, NamesAFileThatCannotBeWritten) {
  TraceRecorder trace("/nowhere/at/all.json", 1);
  EXPECT_EQ(trace.Finish(), absl::UnavailableError("cannot write trace file /nowhere/at/all.json"));
}

}  // namespace
}  // namespace weft::graph
