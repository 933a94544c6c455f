#include "deploy/weft/hierarchy_json.h"

#include <span>

#include "deploy/weft/json_fields.h"
#include "graph/text.h"
#include "operators/io/json_text.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using operators::hierarchy::EpisodeRow;
using operators::io::AppendJsonNumber;
using operators::io::AppendJsonString;

std::string_view ChangeName(EpisodeRow::Kind kind) {
  switch (kind) {
    case EpisodeRow::kOpened:
      return "opened";
    case EpisodeRow::kClosed:
      return "closed";
    case EpisodeRow::kGrown:
      return "grown";
    default:
      return "final";
  }
}

void AppendNumbers(std::string_view name, std::span<const float> numbers, std::string& lines) {
  lines += graph::Concat(",\"", name, "\":[");
  for (const float& number : numbers) {
    if (&number != numbers.data()) lines += ",";
    AppendJsonNumber(lines, number);
  }
  lines += "]";
}

}  // namespace

// {"change":"closed","id":...  Of an episode that was opened only where it begins.
void AppendEpisodeJson(const EpisodeRow& row, const KeyOf& key_of, std::string& lines) {
  const cache::Episode& episode = row.episode;
  const auto id = [&row](std::int32_t level, std::int64_t begin) {
    return cache::EpisodeId({level, begin});
  };
  lines += graph::Concat("{\"change\":\"", ChangeName(row.kind), "\",\"id\":\"",
                         id(row.level, episode.begin), "\",\"level\":", row.level,
                         ",\"begin_snapshot\":", episode.begin, ",");
  AppendTime(episode.begin_us, lines);
  if (row.kind == EpisodeRow::kOpened) {
    lines += "}\n";
    return;
  }
  lines += graph::Concat(",\"end\":\"", operators::io::FormatTime(episode.end_us),
                         "\",\"end_us\":", episode.end_us, ",\"end_snapshot\":", episode.end,
                         ",\"children\":", episode.child_count,
                         ",\"interactions\":", episode.interactions);
  if (row.kind == EpisodeRow::kFinal) {
    lines += graph::Concat(",\"parent\":\"", id(row.level + 1, row.parent_begin), "\"");
    AppendNumberOrNull("salience", cache::SalienceNats(episode), lines);
  } else {
    lines += ",\"parent\":null,\"salience\":null";
  }
  AppendNumberOrNull("boundary", cache::BoundaryStrength(row.level, episode.score), lines);
  lines += ",\"nodes\":[";
  for (const cache::TopNode& node : episode.nodes) {
    if (node.count == 0) break;
    lines += &node == episode.nodes.data() ? "{\"node\":" : ",{\"node\":";
    AppendJsonString(lines, key_of(node.node));
    lines += graph::Concat(",\"count\":", node.count, "}");
  }
  lines += "],\"pairs\":[";
  for (const cache::TopPair& pair : episode.pairs) {
    if (pair.count == 0) break;
    lines += &pair == episode.pairs.data() ? "{\"source\":" : ",{\"source\":";
    AppendJsonString(lines, key_of(pair.source));
    lines += ",\"target\":";
    AppendJsonString(lines, key_of(pair.target));
    lines += graph::Concat(",\"count\":", pair.count, "}");
  }
  lines += "]}\n";
}

// {"level":1,"id":...}
void AppendSalienceJson(const operators::hierarchy::SalienceRow& row, std::string& lines) {
  lines += graph::Concat("{\"id\":\"", cache::EpisodeId({row.level, row.begin}),
                         "\",\"level\":", row.level, ",\"begin_snapshot\":", row.begin);
  AppendNumberOrNull("learned_salience", row.score.score, lines);
  lines += graph::Concat(",\"model_version\":\"", row.score.model_version, "\"}\n");
}

void AppendReadoutJson(const operators::hierarchy::Readout& row, std::string& lines) {
  lines += graph::Concat("{\"snapshot\":", row.snapshot, ",");
  AppendTime(row.now_us, lines);
  AppendNumbers("windows", row.windows, lines);
  lines += ",\"levels\":[";
  for (const auto& level : row.levels) {
    if (&level != row.levels.data()) lines += ",";
    lines += graph::Concat("{\"level\":", level.level, ",\"begin_snapshot\":", level.begin,
                           ",\"begin_us\":", level.begin_us);
    AppendNumbers("columns", level.columns, lines);
    lines += "}";
  }
  lines += graph::Concat("],\"graph\":{\"columns\":", row.graph.columns, ",\"level_episodes\":[");
  for (const std::int32_t& size : row.graph.group_size)
    lines += graph::Concat(&size == row.graph.group_size.data() ? "" : ",", size);
  lines += "]";
  AppendNumbers("features", row.graph.features, lines);
  lines += ",\"edges\":[";
  for (const auto& edges : row.graph.edges) {
    lines += &edges == row.graph.edges.data() ? "[" : ",[";
    for (const auto& edge : edges)
      lines += graph::Concat(&edge == edges.data() ? "[" : ",[", edge.from, ",", edge.to, "]");
    lines += "]";
  }
  lines += "]}}\n";
}

void AppendForecastJson(const operators::hierarchy::ForecastRow& row, const KeyOf& key_of,
                        std::string& lines) {
  lines += graph::Concat("{\"id\":\"", cache::EpisodeId({row.level, row.begin}),
                         "\",\"level\":", row.level, ",\"begin_us\":", row.begin_us, ",");
  AppendTime(row.now_us, lines);
  constexpr const char* kEnds[] = {"end_p10_us", "end_p50_us", "end_p90_us"};
  for (std::size_t i = 0; i < row.end.end_us.size(); ++i)
    lines += graph::Concat(",\"", kEnds[i], "\":", row.end.end_us[i]);
  AppendNumberOrNull("ends_within", row.ends_within, lines);
  AppendNumberOrNull("counted_ends_within", row.end.ends_within, lines);
  lines += graph::Concat(",\"based_on\":", row.end.based_on, ",\"next\":[");
  for (const auto& next : row.next) {
    if (next.share <= 0.0) break;
    lines += &next == row.next.data() ? "{\"node\":" : ",{\"node\":";
    AppendJsonString(lines, key_of(next.node));
    AppendNumberOrNull("share", next.share, lines);
    lines += "}";
  }
  lines += "]}\n";
}

}  // namespace weft::deploy
