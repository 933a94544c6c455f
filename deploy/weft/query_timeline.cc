#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "deploy/weft/episode_text.h"
#include "deploy/weft/query_command.h"
#include "deploy/weft/timeline_drawing.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags : EpisodeFlags {
  std::int32_t items = 0;
  std::int32_t level = 0;
  std::int32_t width = 100;
  double min_salience = 0.0;
  std::vector<std::string> entities;
};

v1::TimelineRequest RequestOf(const Flags& flags) {
  v1::TimelineRequest request;
  flags.FillTree(request);
  flags.FillStretch(request);
  request.set_max_items(flags.items);
  request.set_level(flags.level);
  request.set_min_salience(flags.min_salience);
  for (const std::string& entity : flags.entities) request.add_entity(entity);
  return request;
}

void PrintTimelineJson(const v1::TimelineResponse& response) {
  ordered_json items = ordered_json::array();
  for (const v1::TimelineItem& item : response.item()) {
    ordered_json json = EpisodeJson(item.episode());
    json["hidden"] = item.hidden_count();
    items.push_back(json);
  }
  ordered_json object = {{"schema_version", 1}};
  AddTreeJson(response.tree(), object);
  object["level"] = response.level();
  object["episode_count"] = response.episode_count();
  object["cut"] = response.cut();
  object["items"] = items;
  ordered_json marks = ordered_json::array();
  for (const v1::TimelineMark& mark : response.mark())
    marks.push_back({{"begin", operators::io::FormatTime(mark.begin_us())},
                     {"begin_us", mark.begin_us()},
                     {"end", operators::io::FormatTime(mark.end_us())},
                     {"end_us", mark.end_us()},
                     {"kind", mark.kind()},
                     {"text", mark.text()}});
  object["marks"] = marks;
  PrintJson(object);
}

// The latest few.
void PrintMarks(const v1::TimelineResponse& response) {
  constexpr int kShown = 5;
  for (int i = std::max(0, response.mark_size() - kShown); i < response.mark_size(); ++i)
    std::printf("   %s  %s  %s\n", operators::io::FormatTime(response.mark(i).begin_us()).c_str(),
                response.mark(i).kind().c_str(), response.mark(i).text().c_str());
}

// All levels as rows, and the episodes that stand out below.
int Draw(const Flags& flags, rpc::HierarchyClient& client) {
  v1::TimelineRequest request = RequestOf(flags);
  request.set_max_items(flags.width);
  request.set_max_names(-1);
  request.set_level(1);
  std::vector<v1::TimelineResponse> rows;
  for (std::int32_t level = 1;; ++level) {
    request.set_level(level);
    auto response = client.Timeline(request);
    if (!response.ok()) return Fail(response.status());
    const bool has_more = level < response->tree().level_count();
    if (response->tree().level_count() > 0) rows.push_back(*std::move(response));
    if (!has_more) break;
  }
  if (rows.empty()) {
    std::printf("no snapshot is complete yet\n");
    return kOk;
  }
  std::printf("%s", DrawTimeline(rows, flags.from_us, flags.until_us, flags.width).c_str());
  PrintMarks(rows.front());
  v1::TopSalientRequest top;
  flags.FillTree(top);
  flags.FillStretch(top);
  std::printf("\nwhat stands out:\n");
  for (std::int32_t level = std::min<std::int32_t>(rows.front().tree().level_count() - 1, 3);
       level >= 1; --level) {
    top.set_level(level);
    top.set_top_k(3);
    const auto response = client.TopSalient(top);
    if (!response.ok()) return Fail(response.status());
    for (const v1::Episode& episode : response->episode())
      if (episode.salience() > 0.0) std::printf("  %s\n", EpisodeLine(episode).c_str());
  }
  return kOk;
}

int Query(const Flags& flags) {
  const auto client = flags.OpenClient();
  if (!flags.json) return Draw(flags, *client);
  const auto response = client->Timeline(RequestOf(flags));
  if (!response.ok()) return Fail(response.status());
  PrintTimelineJson(*response);
  return kOk;
}

}  // namespace

void AddQueryTimeline(Command query, Invocation& invocation) {
  Command command = query.AddCommand(
      "timeline", "What happened, at every time scale; drawn, or as JSON.",
      "weft query timeline                                  # levels as rows of blocks\n"
      "weft query timeline --from 2026-01-31T12:00:00Z --until 2026-01-31T13:00:00Z\n"
      "weft query timeline --items 50 --json                # docs/json/query_timeline");
  auto flags = std::make_shared<Flags>();
  AddTreeFlags(command, *flags);
  AddStretchFlags(command, *flags);
  AddLevelFlag(command, "Of --json: the level; without it the finest that fits", flags->level);
  command.AddOption("--items", flags->items, "Of --json: episodes at most (1000)")
      .Between(1, 10'000);
  command.AddOption("--min-salience", flags->min_salience, "Only episodes of so many nats or more")
      .NotNegative();
  command.AddOption("--entity", flags->entities, "Only episodes that name one of these").Repeated();
  command.AddOption("--width", flags->width, "Columns of the drawing (100)").Between(20, 1000);
  command.Runs(invocation, [flags] { return Query(*flags); });
}

}  // namespace weft::deploy
