#include "graph/graph_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/text.h"

namespace weft::graph {
namespace {

using testing::HasSubstr;

// A second packet type.
struct Scores {
  std::int64_t size() const { return 0; }
};

}  // namespace
}  // namespace weft::graph

WEFT_PACKET_TYPE(weft::graph::Scores, "Scores");

namespace weft::graph {
namespace {

// Contracts without operators; Parse makes none. Messages of graph.proto stand for options.
const Catalog& TestCatalog() {
  static const Catalog* const catalog = [] {
    auto made = std::make_unique<Catalog>();
    Contract source;
    source.Input(In<EventBatch>{"EVENTS"}).Output(Out<EventBatch>{"EVENTS"});
    source.Output(Out<Scores>{"SCORES"});
    source.options_type = "weft.graph.v1.GraphSpec";
    made->AddEntry({"nat", source, nullptr});
    Contract sink;
    sink.Input(In<Scores>{"SCORES"}).Input(In<EventBatch>{"EVENTS"}, /*optional=*/true);
    made->AddEntry({"metrics", sink, nullptr});
    return made.release();
  }();
  return *catalog;
}

absl::StatusOr<ParsedSpec> Parse(std::string_view text) {
  return ParsedSpec::Parse(text, "links.pbtxt", TestCatalog());
}

std::string ErrorOf(std::string_view text) {
  const auto spec = Parse(text);
  EXPECT_TRUE(spec.ok() || spec.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(spec.status().message());
}

constexpr std::string_view kValid = R"(name: "links"
input { name: "events" type: "EventBatch" }
node {
  name: "score"
  operator: "nat"
  input: "EVENTS:events"
  output: "SCORES:scores"
  output: "EVENTS:observed"
  options {
    [type.url/weft.graph.v1.GraphSpec] {
      name: "inner"
      node {
        name: "deep"
      }
      node { name: "deeper" input: "x" }
    }
  }
}
node {
  name: "measure"
  operator: "metrics"
  input: "EVENTS:observed"
  input: "SCORES:scores"
}
output { name: "out" stream: "scores" }
)";

// kValid with one text replaced by another.
std::string With(std::string_view from, std::string_view to) {
  std::string text(kValid);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(GraphSpec, ResolvesNamesToIndices) {
  const auto parsed = Parse(kValid);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const ParsedSpec& spec = *parsed;
  EXPECT_EQ(spec.name(), "links");
  EXPECT_EQ(spec.stream_capacity(), kStreamCapacityDefault);
  ASSERT_EQ(spec.nodes().size(), 2u);
  ASSERT_EQ(spec.streams().size(), 3u);
  EXPECT_EQ(spec.streams()[0].node, -1);
  const ParsedSpec::Node& measure = spec.nodes()[1];
  ASSERT_EQ(measure.inputs.size(), 2u);  // by port, not by line
  EXPECT_EQ(measure.inputs[0].port, 0);
  EXPECT_EQ(spec.streams()[static_cast<std::size_t>(measure.inputs[0].stream)].name, "scores");
  EXPECT_EQ(measure.location.line, 19);
  EXPECT_EQ(spec.streams()[static_cast<std::size_t>(spec.outputs()[0].stream)].type, "Scores");
  EXPECT_EQ(static_cast<const weft::graph::v1::GraphSpec&>(*spec.nodes()[0].options).name(),
            "inner");
}

TEST(GraphSpec, FindsOptionsInTheText) {
  const ParsedSpec spec = *Parse(kValid);
  const auto place = [&](std::string_view field) {
    return spec.Place(spec.OptionLocation(0, field));
  };
  EXPECT_EQ(place("name"), "links.pbtxt:11:7");
  EXPECT_EQ(place("node[0].name"), "links.pbtxt:13:9");
  EXPECT_EQ(place("node[1].input[0]"), "links.pbtxt:15:29");
  EXPECT_EQ(place("node[1].operator"), "links.pbtxt:15:7");  // the nearest thing that is there
  EXPECT_EQ(place("node[7]"), "links.pbtxt:9:3");
  EXPECT_EQ(place("stream_capacity"), "links.pbtxt:9:3");
  EXPECT_EQ(place("no.such[3].thing"), "links.pbtxt:9:3");
  EXPECT_EQ(spec.Place(spec.OptionLocation(1, "name")), "links.pbtxt:19:1");
}

TEST(GraphSpec, DigestDependsOnMeaningOnly) {
  const std::string digest = Parse(kValid)->digest();
  EXPECT_EQ(digest.size(), 32u);
  EXPECT_EQ(
      Parse(With("name: \"links\"", "name: 'other' # a comment\nstream_capacity: 3"))->digest(),
      digest);
  EXPECT_NE(Parse(With("\"inner\"", "\"outer\""))->digest(), digest);
  EXPECT_NE(Parse(With("\"score\"", "\"score2\""))->digest(), digest);
  const std::string bare =
      "input { name: 'e' type: 'EventBatch' } node { name: 'a' operator: 'nat' "
      "input: 'EVENTS:e' OPTIONS }";
  const auto with_options = [&](std::string_view options) {
    std::string text = bare;
    return text.replace(text.find("OPTIONS"), 7, options);
  };
  EXPECT_EQ(Parse(with_options(""))->digest(),
            Parse(with_options("options { [x.y/weft.graph.v1.GraphSpec] { } }"))->digest());
}

TEST(GraphSpec, SuggestsNames) {
  EXPECT_EQ(ErrorOf(With("operator: \"nat\"", "operator: \"nta\"")),
            "links.pbtxt:5:3: node \"score\": unknown operator \"nta\"; did you mean \"nat\"?");
  EXPECT_EQ(
      ErrorOf(With("operator: \"metrics\"", "operatr: \"metrics\"")),
      "links.pbtxt:21:10: Message type \"weft.graph.v1.Node\" has no field named \"operatr\".; "
      "did you mean \"operator\"?");
  EXPECT_EQ(ErrorOf(With("name: \"inner\"", "nmae: \"inner\"")),
            "links.pbtxt:11:11: Message type \"weft.graph.v1.GraphSpec\" has no field named "
            "\"nmae\".; did you mean \"name\"?");
  EXPECT_EQ(ErrorOf(With("type: \"EventBatch\"", "type: \"EventBach\"")),
            "links.pbtxt:2:24: input \"events\": unknown packet type \"EventBach\"; did you mean "
            "\"EventBatch\"?\n"
            "links.pbtxt:6:3: stream \"events\": input \"events\" sends EventBach but input port "
            "score.EVENTS takes EventBatch");
  EXPECT_EQ(
      ErrorOf(With("\"SCORES:scores\"\n  output", "\"SCORE:scores\"\n  output")),
      "links.pbtxt:7:3: node \"score\": operator \"nat\" has no output port \"SCORE\" (it has "
      "EVENTS, SCORES); did you mean \"SCORES\"?\n"
      "links.pbtxt:23:3: node \"measure\": nothing creates stream \"scores\"\n"
      "links.pbtxt:25:22: output \"out\": nothing creates stream \"scores\"");
  EXPECT_THAT(ErrorOf(With("v1.GraphSpec]", "v1.GraphSpek]")),
              HasSubstr("Could not find type \"type.url/weft.graph.v1.GraphSpek\" stored in "
                        "google.protobuf.Any.; did you mean \"weft.graph.v1.GraphSpec\"?"));
  EXPECT_EQ(
      ErrorOf(With("EVENTS:observed\"\n  input", "EVENTS:observe\"\n  input")),
      "links.pbtxt:8:3: stream \"observed\" is neither consumed nor an output; leave the port "
      "unconnected if it is not wanted\n"
      "links.pbtxt:22:3: node \"measure\": nothing creates stream \"observe\"; did you mean "
      "\"observed\"?");
}

TEST(GraphSpec, NamesBothPortsOfATypeMismatch) {
  EXPECT_EQ(
      ErrorOf(With("input: \"EVENTS:observed\"", "input: \"EVENTS:scores\"")),
      "links.pbtxt:8:3: stream \"observed\" is neither consumed nor an output; leave the port "
      "unconnected if it is not wanted\n"
      "links.pbtxt:22:3: stream \"scores\": output port score.SCORES sends Scores but input "
      "port measure.EVENTS takes EventBatch");
}

TEST(GraphSpec, ChecksOptionsMessages) {
  EXPECT_EQ(
      ErrorOf(With("[type.url/weft.graph.v1.GraphSpec] {\n      name: \"inner\"\n      node {\n"
                   "        name: \"deep\"\n      }\n      node { name: \"deeper\" input: "
                   "\"x\" }\n    }",
                   "[type.url/weft.graph.v1.Input] { }")),
      "links.pbtxt:9:3: node \"score\": operator \"nat\" takes options of type "
      "weft.graph.v1.GraphSpec, got weft.graph.v1.Input");
  EXPECT_EQ(ErrorOf(With("input: \"SCORES:scores\"",
                         "input: \"SCORES:scores\" options { [a.b/weft.graph.v1.Input] { } }")),
            "links.pbtxt:23:26: node \"measure\": operator \"metrics\" takes no options, got "
            "weft.graph.v1.Input");
  EXPECT_EQ(ErrorOf(With("input: \"SCORES:scores\"", "input: \"SCORES:scores\" options { }")),
            "links.pbtxt:23:26: node \"measure\": operator \"metrics\" takes no options, got no "
            "type");
}

TEST(GraphSpec, ReportsEveryFinding) {
  EXPECT_EQ(ErrorOf(R"(stream_capacity: 1
input { name: "e" type: "EventBatch" }
input { name: "e" type: "EventBatch" }
input { name: "unused" type: "EventBatch" }
node { name: "a" operator: "nat" input: "EVENTS:e" input: "EVENTS:e" output: "EVENTS" }
node { name: "a" operator: "metrics" }
node { operator: "nat" input: "EVENTS:e" output: "EVENTS:bad name" }
output { name: "o" stream: "e" }
output { name: "o" stream: "e" }
)"),
            "links.pbtxt:3:1: stream \"e\" is already created at line 2\n"
            "links.pbtxt:4:1: input \"unused\" is not used by any node\n"
            "links.pbtxt:5:52: node \"a\": input port EVENTS is already connected at line 5\n"
            "links.pbtxt:5:70: node \"a\": expected \"PORT:stream\", got \"EVENTS\"\n"
            "links.pbtxt:6:1: node \"a\": required input port SCORES is not connected\n"
            "links.pbtxt:6:1: node \"a\": no input port is connected\n"
            "links.pbtxt:6:8: node \"a\" is already defined at line 5\n"
            "links.pbtxt:7:1: node without a name\n"
            "links.pbtxt:7:42: stream name \"bad name\": expected at most 64 letters, digits, '_', "
            "'-', '.' or '/'\n"
            "links.pbtxt:9:10: output \"o\" is defined twice");
}

TEST(GraphSpec, NamesThePathOfACycle) {
  EXPECT_EQ(ErrorOf(R"(input { name: "e" type: "EventBatch" }
node { name: "a" operator: "nat" input: "EVENTS:z" output: "EVENTS:x" }
node { name: "b" operator: "nat" input: "EVENTS:x" output: "EVENTS:y" }
node { name: "c" operator: "nat" input: "EVENTS:y" output: "EVENTS:z" }
node { name: "d" operator: "nat" input: "EVENTS:e" }
)"),
            "links.pbtxt:2:1: the graph has a cycle: a -> b -> c -> a");
}

TEST(GraphSpec, ChecksLimits) {
  EXPECT_EQ(ErrorOf(With("name: \"links\"", "stream_capacity: 4097")),
            "links.pbtxt:1:1: stream_capacity: expected 1 to 4096 (0 means 16), got 4097");
  EXPECT_EQ(ErrorOf(""), "links.pbtxt: the graph has no nodes");
  EXPECT_THAT(ErrorOf(std::string(kSpecBytesMax + 1, ' ')),
              HasSubstr("a graph spec may have 1048576 bytes"));
  EXPECT_EQ(ErrorOf("node { name: 'a' operator: 'nat' input: 'EVENTS:e' }"),
            "links.pbtxt: the graph has no inputs\n"
            "links.pbtxt:1:34: node \"a\": nothing creates stream \"e\"");
}

TEST(GraphSpec, SurvivesTextThatIsNotOne) {
  EXPECT_EQ(ErrorOf("node {"), "links.pbtxt:1:7: Expected identifier, got: ");
  EXPECT_FALSE(Parse(std::string("\0\xff", 2)).ok());
  std::string deep = "node { options { ";
  for (int i = 0; i < 200; ++i) deep += "[a.b/weft.graph.v1.GraphSpec] { node { options { ";
  EXPECT_FALSE(Parse(deep).ok());
}

}  // namespace
}  // namespace weft::graph
