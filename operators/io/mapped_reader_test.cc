#include "operators/io/mapped_reader.h"

#include <cstring>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "graph/text.h"
#include "gtest/gtest.h"

namespace weft::operators::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<std::unique_ptr<EventReader>> OpenText(const std::string& text,
                                                      const std::string& mapping,
                                                      BrokenLine broken = BrokenLine::kFail) {
  auto parsed = ParseInputMapping(mapping, "map.pbtxt");
  if (!parsed.ok()) return parsed.status();
  ReadOptions options;
  options.mapping = *std::move(parsed);
  options.broken_line = broken;
  auto rest = std::make_shared<std::string>(text);
  return EventReader::Open(
      "file.csv",
      [rest](std::span<char> buffer) -> absl::StatusOr<std::size_t> {
        const std::size_t count = std::min(buffer.size(), rest->size());
        std::memcpy(buffer.data(), rest->data(), count);
        rest->erase(0, count);
        return count;
      },
      options);
}

// "source>target@time_us" of each event.
std::vector<std::string> EventsOf(const std::string& text, const std::string& mapping) {
  auto reader = OpenText(text, mapping);
  EXPECT_TRUE(reader.ok()) << reader.status();
  std::vector<std::string> events;
  while (reader.ok()) {
    const auto rows = (*reader)->Next(2);
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok() || (*rows)->size() == 0) break;
    for (std::size_t i = 0; i < (*rows)->source.size(); ++i)
      events.push_back(
          graph::Concat((*rows)->source[i], ">", (*rows)->target[i], "@", (*rows)->time_us[i]));
  }
  return events;
}

std::string MappingFile(const std::string& name) {
  std::ifstream file("deploy/mappings/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(MappedReader, ReadsMatrices) {
  EXPECT_THAT(EventsOf("TIME,P1_TO_P2,P1_TO_LAPTOP,P2_TO_P1\n0.0,1,0,0\n3.0,0.0,0.25,1\n",
                       MappingFile("resistance.pbtxt")),
              ElementsAre("P1>P2@0", "P1>LAPTOP@999999", "P2>P1@999999"));
}

TEST(MappedReader, TakesTheFirstFieldThatIsNotEmpty) {
  EXPECT_THAT(EventsOf("Team,Type,Start Time [s],From,To\nAway,SET PIECE,0.04,P19,\n"
                       "Home,PASS,1.5,P1,P2\n",
                       MappingFile("metrica.pbtxt")),
              ElementsAre("Away P19>SET PIECE@40000", "Home P1>P2@1500000"));
}

TEST(MappedReader, FollowsChanges) {
  EXPECT_THAT(EventsOf("step,own_team,own_player\n0,0,5\n1,0,5\n2,-1,-1\n3,1,7\n",
                       MappingFile("football_sim.pbtxt")),
              ElementsAre("0:5>ball@0", "0:5>ball@100000", "1:7>ball@300000", "0:5>1:7@300000"));
}

TEST(MappedReader, SplitsFieldsWhereConditionsHold) {
  EXPECT_THAT(EventsOf("creation_time,type,contents\n"
                       "1970-01-01 00:00:01.5,text,\"Ann: hi, all: \"\"hi\"\"\"\n"
                       "1970-01-01 00:00:02,vote,Ann: Bob\n1970-01-01 00:00:03,info,Phase\n",
                       MappingFile("mafia.pbtxt")),
              ElementsAre("Ann>everyone@1500000", "Ann>Bob@2000000"));
}

TEST(MappedReader, RepeatsWhatLasts) {
  const std::string mapping =
      "time: 'start' event { source: '{who}' target: '{verb} {what}' until: 'stop' "
      "every_us: 400000 }";
  EXPECT_THAT(
      EventsOf("who,verb,what,start,stop\nann,cut,bread,1,2\nbob,look,out,1.5,1.5\n", mapping),
      ElementsAre("ann>cut bread@1000000", "ann>cut bread@1400000", "ann>cut bread@1800000",
                  "bob>look out@1500000"));
  const auto said = [&](const std::string& text) {
    auto reader = OpenText(text, mapping);
    return std::string((*reader)->Next(100).status().message());
  };
  EXPECT_THAT(said("who,verb,what,start,stop\nann,cut,bread,1,late\n"),
              HasSubstr("file.csv:2: stop: expected a number of s"));
  EXPECT_THAT(said("who,verb,what,start,stop\nann,cut,bread,1,50000\n"),
              HasSubstr("stop: expected at most 100000 events of a row, got more"));
}

TEST(MappedReader, SaysWhatIsWrong) {
  const auto message = [](const std::string& text, const std::string& mapping) {
    auto reader = OpenText(text, mapping);
    if (!reader.ok()) return std::string(reader.status().message());
    return std::string((*reader)->Next(10).status().message());
  };
  const std::string good = "time: 't' event { source: '{a}' target: '{b}' }";
  EXPECT_THAT(message("t,a,b\n1,x,y\n", "time: 't'"), HasSubstr("event: expected at least one"));
  EXPECT_THAT(message("t,a,b\n", "time: 't' event { source: 'x' }"),
              HasSubstr("map.pbtxt: event: expected source and target, or else matrix"));
  EXPECT_THAT(message("t,a,b\n", "tine: 't'"), HasSubstr("map.pbtxt:1:"));
  EXPECT_THAT(message("t,a,c\n", good), HasSubstr("file.csv:1: expected a column b"));
  EXPECT_THAT(message("t,a,b\n1,x\n", good), HasSubstr("file.csv:2: expected 3 fields, got 2"));
  EXPECT_THAT(message("t,a,b\nsoon,x,y\n", good), HasSubstr("file.csv:2: t: expected a number"));
  EXPECT_THAT(message("", good), HasSubstr("got an empty file"));
  // The first event of a line is wrong, the second one is not.
  EXPECT_THAT(message("t,a,b\n1," + std::string(300, 'x') + ",y\n",
                      good + " event { source: '{b}' target: '{b}' }"),
              HasSubstr("file.csv:2: source: expected a key of at most 256 bytes"));
  std::string long_header(2 << 20, 'x');
  long_header.append("\nt,a,b\n1,x,y\n");
  EXPECT_THAT(message(long_header, good),
              HasSubstr("expected a header, got a line over max_line_bytes"));
  EXPECT_THAT(message("t,a,b\n", "time: 't' event { matrix: '{source}-{target}' }"),
              HasSubstr("expected columns of the form {source}-{target}"));
  EXPECT_THAT(message("[{}]", good), HasSubstr("expected CSV for a mapping, got JSON"));
}

TEST(MappedReader, LeavesBrokenLinesOut) {
  auto reader = OpenText("t,a,b\nsoon,x,y\n2,x,y\n3,x\n4,x,\n",
                         "time: 't' event { source: '{a}' target: '{b}' }", BrokenLine::kCount);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto rows = (*reader)->Next(10);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ((*rows)->size(), 1);
  EXPECT_EQ((*reader)->report().broken_lines, 2);
}

}  // namespace
}  // namespace weft::operators::io
