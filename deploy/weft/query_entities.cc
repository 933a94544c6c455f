#include <cstdio>
#include <memory>

#include "absl/strings/str_format.h"
#include "deploy/weft/episode_text.h"
#include "deploy/weft/query_command.h"
#include "deploy/weft/snapshot_flags.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

struct Flags : EpisodeFlags {
  std::string entity;
  std::uint64_t id = 0, other_id = 0;
  std::int32_t level = 0;
  std::int32_t count = 0;
  double min_share = 0.0;
  bool overlapping = false;
  std::string within = "30s";
};

int QueryFollow(const Flags& flags) {
  v1::FollowEntityRequest request;
  flags.FillTree(request);
  flags.FillStretch(request);
  request.set_entity(flags.entity);
  request.set_level(flags.level);
  request.set_min_share(flags.min_share);
  const auto response = flags.OpenClient()->FollowEntity(request);
  if (!response.ok()) return Fail(response.status());
  ordered_json items = ordered_json::array();
  if (!flags.json && !response->known()) std::printf("%s (never seen)\n", flags.entity.c_str());
  for (const v1::FollowedEpisode& item : response->item()) {
    if (!flags.json) {
      std::string with;
      for (const v1::EntityCount& partner : item.partner())
        absl::StrAppendFormat(&with, "%s%s", with.empty() ? "with " : ", ", partner.entity());
      std::printf("%s%5.1f%%  sent %d, received %d  %s\n", EpisodeLine(item.episode()).c_str(),
                  100.0 * item.share(), static_cast<int>(item.sent_count()),
                  static_cast<int>(item.received_count()), with.c_str());
    }
    ordered_json partners = ordered_json::array();
    for (const v1::EntityCount& partner : item.partner()) partners.push_back(EntityJson(partner));
    items.push_back({{"episode", EpisodeJson(item.episode())},
                     {"sent", item.sent_count()},
                     {"received", item.received_count()},
                     {"share", item.share()},
                     {"partners", partners}});
  }
  if (!flags.json) {
    if (response->cut()) std::printf("its earlier events were not looked at\n");
    return kOk;
  }
  ordered_json object = {{"schema_version", 1}};
  AddTreeJson(response->tree(), object);
  object["entity"] = flags.entity;
  object["known"] = response->known();
  object["cut"] = response->cut();
  object["items"] = items;
  PrintJson(object);
  return kOk;
}

int QuerySimilar(const Flags& flags) {
  v1::SimilarRequest request;
  flags.FillTree(request);
  flags.FillStretch(request);
  request.set_id(flags.id);
  request.set_level(flags.level);
  request.set_top_k(flags.count);
  request.set_overlapping(flags.overlapping);
  const auto response = flags.OpenClient()->Similar(request);
  if (!response.ok()) return Fail(response.status());
  ordered_json items = ordered_json::array();
  for (const v1::SimilarEpisode& item : response->item()) {
    if (!flags.json)
      std::printf("%.3f  %s\n", item.affinity(), EpisodeLine(item.episode()).c_str());
    items.push_back({{"affinity", item.affinity()}, {"episode", EpisodeJson(item.episode())}});
  }
  if (!flags.json) return kOk;
  ordered_json object = {{"schema_version", 1}};
  AddTreeJson(response->tree(), object);
  object["id"] = std::to_string(flags.id);
  object["compared"] = response->compared_count();
  object["items"] = items;
  PrintJson(object);
  return kOk;
}

int QueryCompare(const Flags& flags) {
  v1::CompareRequest request;
  flags.FillTree(request);
  request.set_id(flags.id);
  request.set_other_id(flags.other_id);
  request.set_limit(flags.count);
  const auto response = flags.OpenClient()->Compare(request);
  if (!response.ok()) return Fail(response.status());
  if (!flags.json) {
    std::printf("one    %s\nother  %s\n", EpisodeLine(response->episode()).c_str(),
                EpisodeLine(response->other()).c_str());
    std::printf("alike %.3f, %.1f nats apart:\n", response->affinity(), response->nats());
    for (const v1::PairDifference& pair : response->pair())
      std::printf("  %-32s  %5.1f%%  %5.1f%%  %8.1f nats\n",
                  absl::StrFormat("%s -> %s", pair.source(), pair.target()).c_str(),
                  100.0 * pair.share(), 100.0 * pair.other_share(), pair.nats());
    std::printf("  %-32s  %6s  %6s  %8.1f nats\n", "pairs that neither names", "", "",
                response->unnamed_nats());
    return kOk;
  }
  ordered_json pairs = ordered_json::array();
  for (const v1::PairDifference& pair : response->pair())
    pairs.push_back({{"source", pair.source()},
                     {"target", pair.target()},
                     {"share", pair.share()},
                     {"other_share", pair.other_share()},
                     {"nats", pair.nats()}});
  ordered_json object = {{"schema_version", 1}};
  AddTreeJson(response->tree(), object);
  object["episode"] = EpisodeJson(response->episode());
  object["other"] = EpisodeJson(response->other());
  object["affinity"] = response->affinity();
  object["nats"] = response->nats();
  object["unnamed_nats"] = response->unnamed_nats();
  object["pairs"] = pairs;
  PrintJson(object);
  return kOk;
}

int QueryNext(const Flags& flags) {
  v1::PredictNextRequest request;
  flags.FillTree(request);
  request.set_level(flags.level);
  request.set_top_k(flags.count);
  const auto horizon_us = DurationFlag("--within", flags.within);
  if (!horizon_us.ok()) return Fail(horizon_us.status(), kUsage);
  request.set_horizon_us(*horizon_us);
  const auto response = flags.OpenClient()->PredictNext(request);
  if (!response.ok()) return Fail(response.status());
  ordered_json next = ordered_json::array(), precedents = ordered_json::array();
  std::string names;
  for (const v1::EntityCount& entity : response->next_entity()) {
    next.push_back({{"entity", entity.entity()}, {"share", entity.share()}});
    absl::StrAppendFormat(&names, "%s%s %.0f%%", names.empty() ? "" : ", ", entity.entity(),
                          100.0 * entity.share());
  }
  for (const v1::EpisodePrecedent& one : response->precedent())
    precedents.push_back({{"affinity", one.affinity()},
                          {"episode", EpisodeJson(one.episode())},
                          {"next", EpisodeJson(one.next())}});
  using operators::io::FormatTime;
  if (flags.json) {
    ordered_json object = {{"schema_version", 1}};
    AddTreeJson(response->tree(), object);
    object["episode"] = EpisodeJson(response->episode());
    object["end_p10"] = FormatTime(response->end_p10_us());
    object["end_p10_us"] = response->end_p10_us();
    object["end_p50"] = FormatTime(response->end_p50_us());
    object["end_p50_us"] = response->end_p50_us();
    object["end_p90"] = FormatTime(response->end_p90_us());
    object["end_p90_us"] = response->end_p90_us();
    object["within_us"] = *horizon_us;
    object["ends_within"] = response->ends_within();
    object["based_on"] = response->based_on();
    object["next_entities"] = next;
    object["precedents"] = precedents;
    PrintJson(object);
    return kOk;
  }
  std::printf("open   %s\n", EpisodeLine(response->episode()).c_str());
  std::printf("ends   %s .. %s .. %s (.1, .5, .9); within %s: %.0f%%\n",
              FormatTime(response->end_p10_us()).c_str(),
              FormatTime(response->end_p50_us()).c_str(),
              FormatTime(response->end_p90_us()).c_str(), flags.within.c_str(),
              100.0 * response->ends_within());
  std::printf("next   %s\n", names.c_str());
  for (const v1::EpisodePrecedent& one : response->precedent())
    std::printf("%.3f  %s\n       then %s\n", one.affinity(), EpisodeLine(one.episode()).c_str(),
                EpisodeLine(one.next()).c_str());
  return kOk;
}

}  // namespace

void AddQueryEntities(Command query, Invocation& invocation) {
  Command follow = query.AddCommand("follow", "The episodes that an entity took part in.",
                                    "weft query follow anna\n"
                                    "weft query follow anna --level 2 --min-share 0.1 --json");
  auto follow_flags = std::make_shared<Flags>();
  follow.AddOption("ENTITY", follow_flags->entity, "Its node key").Required();
  AddTreeFlags(follow, *follow_flags);
  AddStretchFlags(follow, *follow_flags);
  AddLevelFlag(follow, "The level (1)", follow_flags->level);
  follow
      .AddOption("--min-share", follow_flags->min_share,
                 "Only episodes of whose interactions it has this share")
      .Between(0.0, 1.0);
  follow.Runs(invocation, [follow_flags] { return QueryFollow(*follow_flags); });

  Command similar = query.AddCommand("similar", "The episodes most like one.",
                                     "weft query similar 1234567890 --count 5\n"
                                     "weft query similar 1234567890 --json");
  auto similar_flags = std::make_shared<Flags>();
  AddEpisodeArgument(similar, "ID", similar_flags->id);
  AddTreeFlags(similar, *similar_flags);
  AddStretchFlags(similar, *similar_flags);
  AddLevelFlag(similar, "Of episodes of this level; of its own without it", similar_flags->level);
  similar.AddOption("--count", similar_flags->count, "How many (10)").Between(1, 1000);
  similar.AddFlag("--overlapping", similar_flags->overlapping,
                  "Also those that have time in common with it");
  similar.Runs(invocation, [similar_flags] { return QuerySimilar(*similar_flags); });

  Command compare =
      query.AddCommand("compare", "In what two episodes differ: why there is a boundary.",
                       "weft query compare 1234567890 2345678901\n"
                       "weft query compare 1234567890 2345678901 --json");
  auto compare_flags = std::make_shared<Flags>();
  AddEpisodeArgument(compare, "ID", compare_flags->id);
  AddEpisodeArgument(compare, "OTHER_ID", compare_flags->other_id);
  AddTreeFlags(compare, *compare_flags);
  compare.AddOption("--limit", compare_flags->count, "Differences to show (10)").Between(1, 32);
  compare.Runs(invocation, [compare_flags] { return QueryCompare(*compare_flags); });

  Command next =
      query.AddCommand("next", "When the open episode ends, what it is like, who comes next.",
                       "weft query next --level 2\n"
                       "weft query next --within 5min --json");
  auto next_flags = std::make_shared<Flags>();
  AddTreeFlags(next, *next_flags);
  AddLevelFlag(next, "The level (1)", next_flags->level);
  next.AddOption("--within", next_flags->within, "How likely it is to end in this time (30s)");
  next.AddOption("--count", next_flags->count, "Precedents to show (5)").Between(1, 100);
  next.Runs(invocation, [next_flags] { return QueryNext(*next_flags); });
}

}  // namespace weft::deploy
