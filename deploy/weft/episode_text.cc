#include "deploy/weft/episode_text.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::io::FormatTime;

constexpr int kShownEntities = 3;

std::string_view StateName(v1::EpisodeState state) {
  switch (state) {
    case v1::EPISODE_STATE_FINAL:
      return "final";
    case v1::EPISODE_STATE_PROVISIONAL:
      return "provisional";
    default:
      return "open";
  }
}

// Without what says nothing: "2001-01-01T00:00:00Z".
std::string ShortTime(graph::TimeUs time_us) {
  std::string text = FormatTime(time_us);
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text;
  const std::size_t last = text.find_last_not_of("0Z");
  text.erase(last == point ? point : last + 1);
  return text + "Z";
}

}  // namespace

std::string DurationText(graph::TimeUs duration_us) {
  const auto us = static_cast<double>(duration_us);
  struct Unit {
    double us;
    const char* name;
  };
  constexpr Unit kUnits[] = {
      {86'400e6, "d"}, {3600e6, "h"}, {60e6, "min"}, {1e6, "s"}, {1e3, "ms"}};
  for (const Unit& unit : kUnits)
    if (us >= unit.us) return absl::StrFormat("%.3g %s", us / unit.us, unit.name);
  return absl::StrFormat("%.0f us", us);
}

ordered_json EntityJson(const v1::EntityCount& entity) {
  return {{"entity", entity.entity()}, {"count", entity.count()}, {"share", entity.share()}};
}

ordered_json EpisodeJson(const v1::Episode& episode) {
  ordered_json entities = ordered_json::array(), pairs = ordered_json::array();
  for (const v1::EntityCount& entity : episode.entity()) entities.push_back(EntityJson(entity));
  for (const v1::PairCount& pair : episode.pair())
    pairs.push_back({{"source", pair.source()},
                     {"target", pair.target()},
                     {"count", pair.count()},
                     {"share", pair.share()}});
  ordered_json json = {{"id", std::to_string(episode.id())},
                       {"level", episode.level()},
                       {"state", StateName(episode.state())},
                       {"begin", FormatTime(episode.begin_us())},
                       {"begin_us", episode.begin_us()},
                       {"end", FormatTime(episode.end_us())},
                       {"end_us", episode.end_us()},
                       {"begin_snapshot", episode.begin_snapshot()},
                       {"end_snapshot", nullptr},
                       {"parent", nullptr},
                       {"children", episode.child_count()},
                       {"interactions", episode.interactions()},
                       {"salience", episode.salience()},
                       {"boundary", episode.boundary()},
                       {"entities", entities},
                       {"pairs", pairs}};
  if (episode.has_end_snapshot()) {
    json["end_snapshot"] = episode.end_snapshot();
  } else {
    json["reason"] = "it was open at that past time";
  }
  if (episode.has_learned_salience()) {
    json["learned_salience"] = episode.learned_salience();
    json["model_version"] = std::to_string(episode.model_version());
  }
  if (episode.parent_id() != 0) json["parent"] = std::to_string(episode.parent_id());
  return json;
}

void AddTreeJson(const v1::TreeState& tree, ordered_json& object) {
  object["node"] = tree.node();
  object["levels"] = tree.level_count();
  object["known_until"] = nullptr;
  object["known_until_us"] = nullptr;
  object["snapshots"] = nullptr;
  if (tree.level_count() > 0) {
    object["known_until"] = FormatTime(tree.known_until_us());
    object["known_until_us"] = tree.known_until_us();
  } else {
    object["reason"] = "there is no complete snapshot";
  }
  if (tree.has_snapshot_count()) object["snapshots"] = tree.snapshot_count();
}

void PrintJson(const ordered_json& object) {
  std::printf("%s\n", object.dump(-1, ' ', false, ordered_json::error_handler_t::replace).c_str());
}

std::string EpisodeLine(const v1::Episode& episode) {
  std::string line = absl::StrFormat("level %d  %s  %8s  %7d interactions  %7.1f nats  ",
                                     episode.level(), ShortTime(episode.begin_us()),
                                     DurationText(episode.end_us() - episode.begin_us()),
                                     episode.interactions(), episode.salience());
  if (episode.state() == v1::EPISODE_STATE_OPEN) line += "open  ";
  for (int i = 0; i < std::min(kShownEntities, episode.entity_size()); ++i) {
    const v1::EntityCount& entity = episode.entity(i);
    absl::StrAppendFormat(&line, "%s%s %.0f%%", i == 0 ? "" : ", ", entity.entity(),
                          100.0 * entity.share());
  }
  return line;
}

}  // namespace weft::deploy
