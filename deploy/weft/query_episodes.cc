#include <algorithm>
#include <cstdio>
#include <memory>

#include "absl/strings/str_format.h"
#include "deploy/weft/episode_text.h"
#include "deploy/weft/query_command.h"
#include "deploy/weft/time_flags.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags : EpisodeFlags {
  std::uint64_t id = 0;
  std::int32_t level = 0;
  std::int32_t count = 0;
  std::string order = "salience";
  double min_strength = 0.0;
  std::optional<graph::TimeUs> time_us;
};

template <class Episodes>
void PrintEpisodes(const Flags& flags, const Episodes& episodes, const v1::TreeState& tree) {
  ordered_json list = ordered_json::array();
  for (const v1::Episode& episode : episodes) {
    list.push_back(EpisodeJson(episode));
    if (!flags.json) std::printf("%s\n", EpisodeLine(episode).c_str());
  }
  if (!flags.json) {
    if (list.empty()) std::printf("no episode\n");
    return;
  }
  ordered_json object = {{"schema_version", 1}};
  AddTreeJson(tree, object);
  object["episodes"] = list;
  PrintJson(object);
}

// The episode, what it is part of, and what it is made of.
int QueryEpisode(const Flags& flags) {
  const auto client = flags.OpenClient();
  v1::GetEpisodeRequest request;
  flags.FillTree(request);
  request.set_id(flags.id);
  const auto episode = client->GetEpisode(request);
  if (!episode.ok()) return Fail(episode.status());
  v1::AncestorsRequest above;
  flags.FillTree(above);
  above.set_id(flags.id);
  const auto ancestors = client->Ancestors(above);
  if (!ancestors.ok()) return Fail(ancestors.status());
  v1::DescendantsRequest below;
  flags.FillTree(below);
  below.set_id(flags.id);
  below.set_min_level(std::max(1, episode->episode().level() - 1));
  const auto children = client->Descendants(below);
  if (!children.ok()) return Fail(children.status());
  if (flags.json) {
    ordered_json parents = ordered_json::array(), parts = ordered_json::array();
    for (const v1::Episode& one : ancestors->episode()) parents.push_back(EpisodeJson(one));
    for (const v1::Episode& one : children->episode()) parts.push_back(EpisodeJson(one));
    ordered_json object = {{"schema_version", 1}};
    AddTreeJson(episode->tree(), object);
    object["episode"] = EpisodeJson(episode->episode());
    object["ancestors"] = parents;
    object["children"] = parts;
    object["more_children"] = children->more();
    PrintJson(object);
    return kOk;
  }
  for (int i = ancestors->episode_size() - 1; i >= 0; --i)
    std::printf("part of  %s\n", EpisodeLine(ancestors->episode(i)).c_str());
  std::printf("episode  %s\n", EpisodeLine(episode->episode()).c_str());
  for (const v1::PairCount& pair : episode->episode().pair())
    std::printf("         %s -> %s  %.1f%%\n", pair.source().c_str(), pair.target().c_str(),
                100.0 * pair.share());
  for (const v1::Episode& child : children->episode())
    std::printf("made of  %s\n", EpisodeLine(child).c_str());
  return kOk;
}

int QueryAt(const Flags& flags) {
  v1::AtRequest request;
  flags.FillTree(request);
  request.set_time_us(*flags.time_us);
  const auto response = flags.OpenClient()->At(request);
  if (!response.ok()) return Fail(response.status());
  PrintEpisodes(flags, response->episode(), response->tree());
  return kOk;
}

int QueryTop(const Flags& flags) {
  v1::TopSalientRequest request;
  flags.FillTree(request);
  flags.FillStretch(request);
  request.set_level(flags.level);
  request.set_top_k(flags.count);
  request.set_order(flags.order == "boundary"  ? v1::EPISODE_ORDER_BOUNDARY
                    : flags.order == "learned" ? v1::EPISODE_ORDER_LEARNED
                                               : v1::EPISODE_ORDER_SALIENCE);
  const auto response = flags.OpenClient()->TopSalient(request);
  if (!response.ok()) return Fail(response.status());
  PrintEpisodes(flags, response->episode(), response->tree());
  return kOk;
}

int QueryBoundaries(const Flags& flags) {
  v1::BoundariesRequest request;
  flags.FillTree(request);
  flags.FillStretch(request);
  request.set_level(flags.level);
  request.set_min_strength(flags.min_strength);
  request.set_limit(flags.count);
  const auto response = flags.OpenClient()->Boundaries(request);
  if (!response.ok()) return Fail(response.status());
  ordered_json list = ordered_json::array();
  for (const v1::Boundary& boundary : response->boundary()) {
    const std::string time = operators::io::FormatTime(boundary.time_us());
    if (!flags.json) std::printf("%s  %.3f\n", time.c_str(), boundary.strength());
    list.push_back({{"time", time},
                    {"time_us", boundary.time_us()},
                    {"snapshot", boundary.snapshot()},
                    {"strength", boundary.strength()},
                    {"id", std::to_string(boundary.id())}});
  }
  if (!flags.json) {
    if (response->more()) std::printf("and more; see --limit\n");
    return kOk;
  }
  ordered_json object = {{"schema_version", 1}};
  AddTreeJson(response->tree(), object);
  object["boundaries"] = list;
  object["more"] = response->more();
  PrintJson(object);
  return kOk;
}

void AddEpisode(Command query, Invocation& invocation) {
  Command command =
      query.AddCommand("episode", "One episode, what it is part of and what it is made of.",
                       "weft query episode 1234567890\n"
                       "weft query episode 1234567890 --json   # docs/json/query_episode");
  auto flags = std::make_shared<Flags>();
  AddEpisodeArgument(command, "ID", flags->id);
  AddTreeFlags(command, *flags);
  command.Runs(invocation, [flags] { return QueryEpisode(*flags); });
}

void AddAt(Command query, Invocation& invocation) {
  Command command = query.AddCommand("at", "The episodes of one moment, one of each level.",
                                     "weft query at 2026-01-31T12:00:00Z\n"
                                     "weft query at 2026-01-31T12:00:00Z --json");
  auto flags = std::make_shared<Flags>();
  AddTimeFlag(command, "TIME", "ISO-8601 or microseconds", flags->time_us).Required();
  AddTreeFlags(command, *flags);
  command.Runs(invocation, [flags] { return QueryAt(*flags); });
}

void AddTop(Command query, Invocation& invocation) {
  Command command = query.AddCommand("top", "The episodes that stand out most.",
                                     "weft query top --level 2 --count 5\n"
                                     "weft query top --order learned --json");
  auto flags = std::make_shared<Flags>();
  AddTreeFlags(command, *flags);
  AddStretchFlags(command, *flags);
  AddLevelFlag(command, "The level (1)", flags->level);
  command.AddOption("--count", flags->count, "How many (10)").Between(1, 1000);
  command
      .AddOption("--order", flags->order,
                 "By how much they differ from what they are part of (salience), how clearly they "
                 "begin (boundary), or what was learned of them (learned)")
      .OneOf({"salience", "boundary", "learned"});
  command.Runs(invocation, [flags] { return QueryTop(*flags); });
}

void AddBoundaries(Command query, Invocation& invocation) {
  Command command = query.AddCommand("boundaries", "Where episodes of a level begin.",
                                     "weft query boundaries --level 2\n"
                                     "weft query boundaries --min-strength 10 --json");
  auto flags = std::make_shared<Flags>();
  AddTreeFlags(command, *flags);
  AddStretchFlags(command, *flags);
  AddLevelFlag(command, "The level (1)", flags->level);
  command.AddOption("--min-strength", flags->min_strength,
                    "How clear at least: leaves in standard deviations above chance, others in "
                    "nats an interaction");
  command.AddOption("--limit", flags->count, "How many (1000)").Between(1, 10'000);
  command.Runs(invocation, [flags] { return QueryBoundaries(*flags); });
}

}  // namespace

void AddQueryEpisodes(Command query, Invocation& invocation) {
  AddEpisode(query, invocation);
  AddAt(query, invocation);
  AddTop(query, invocation);
  AddBoundaries(query, invocation);
}

}  // namespace weft::deploy
