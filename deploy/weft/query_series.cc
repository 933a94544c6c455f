#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "deploy/weft/episode_text.h"
#include "deploy/weft/query_command.h"
#include "deploy/weft/series_json.h"
#include "operators/io/time_text.h"
#include "rpc/client.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::io::FormatTime;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string node;
  std::string series;
  std::int32_t count = 20;
  double deadline_seconds = 5.0;
  bool json = false;
};

int List(const Flags& flags, rpc::SequenceClient& client) {
  v1::ListSeriesRequest request;
  request.set_node(flags.node);
  request.set_limit(flags.count);
  const auto response = client.ListSeries(request);
  if (!response.ok()) return Fail(response.status());
  ordered_json all = ordered_json::array();
  for (const v1::FollowedSeries& one : response->series()) {
    if (!flags.json)
      std::printf("%-24s %-4s  %s  %lld records, %lld KB\n", one.series().c_str(),
                  NameOf(one.model()), FormatTime(one.time_us()).c_str(),
                  static_cast<long long>(one.record_count()),
                  static_cast<long long>(one.bytes() / 1000));
    all.push_back({{"series", one.series()},
                   {"model", NameOf(one.model())},
                   {"time", FormatTime(one.time_us())},
                   {"time_us", one.time_us()},
                   {"records", one.record_count()},
                   {"bytes", one.bytes()}});
  }
  if (flags.json) {
    PrintJson({{"schema_version", 1},
               {"node", response->state().node()},
               {"series_count", response->series_count()},
               {"evicted_count", response->evicted_count()},
               {"stored_count", response->stored_count()},
               {"series", all}});
    return kOk;
  }
  std::printf("%lld series in memory, %lld outside of it\n",
              static_cast<long long>(response->series_count()),
              static_cast<long long>(response->stored_count()));
  return kOk;
}

ordered_json FieldsJson(const v1::ExplainResponse& response) {
  ordered_json fields = ordered_json::array();
  for (const v1::FieldExplanation& one : response.field())
    fields.push_back({{"feature", one.feature()},
                      {"score", one.score()},
                      {"experts", ExpertsJson(one.expert())},
                      {"least", NumberJson(one.least())},
                      {"most", NumberJson(one.most())},
                      {"recent_mean", one.has_recent_mean() ? NumberJson(one.recent_mean())
                                                            : ordered_json(nullptr)},
                      {"season_mean", one.has_season_mean() ? NumberJson(one.season_mean())
                                                            : ordered_json(nullptr)},
                      {"season_us", one.has_season_us() ? ordered_json(one.season_us())
                                                        : ordered_json(nullptr)}});
  return fields;
}

int PrintExplanation(const Flags& flags, const v1::ExplainResponse& response) {
  ordered_json opinions = ordered_json::array(), alike = ordered_json::array();
  for (const v1::ForecastOpinion& one : response.opinion())
    opinions.push_back({{"horizon", one.horizon()},
                        {"expert", one.expert()},
                        {"weight", one.weight()},
                        {"value", one.value()}});
  for (const v1::AlikeMoment& one : response.alike())
    alike.push_back({{"records_ago", one.records_ago()},
                     {"time", FormatTime(one.time_us())},
                     {"time_us", one.time_us()},
                     {"distance", one.distance()}});
  PrintJson({{"schema_version", 1},
             {"node", response.state().node()},
             {"series", flags.series},
             {"model", NameOf(response.settings().model())},
             {"time", FormatTime(response.time_us())},
             {"time_us", response.time_us()},
             {"records", response.record_count()},
             {"fields", FieldsJson(response)},
             {"opinions", opinions},
             {"alike", alike},
             {"unpredicted", response.has_unpredicted() ? ordered_json(response.unpredicted())
                                                        : ordered_json(nullptr)}});
  return kOk;
}

int Explain(const Flags& flags, rpc::SequenceClient& client) {
  v1::ExplainRequest request;
  request.set_node(flags.node);
  request.set_series(flags.series);
  const auto response = client.Explain(request);
  if (!response.ok()) return Fail(response.status());
  if (flags.json) return PrintExplanation(flags, *response);
  std::printf("%s, model %s, record %lld at %s\n", flags.series.c_str(),
              NameOf(response->settings().model()),
              static_cast<long long>(response->record_count()),
              FormatTime(response->time_us()).c_str());
  for (const v1::FieldExplanation& field : response->field()) {
    std::printf("feature %d: score %.3f; seen %g to %g", field.feature(), field.score(),
                field.least(), field.most());
    if (field.has_recent_mean()) std::printf(", lately %g", field.recent_mean());
    if (field.has_season_mean())
      std::printf(", at this part of %s %g", DurationText(field.season_us()).c_str(),
                  field.season_mean());
    std::printf("\n");
    for (const v1::ExpertOpinion& one : field.expert())
      if (one.rarity() >= 1.0)
        std::printf("  %-16s one in %.0f\n", one.expert().c_str(), std::pow(10.0, one.rarity()));
  }
  for (const v1::ForecastOpinion& one : response->opinion())
    if (one.weight() >= 0.05)
      std::printf("in %lld: %g says %s (%.0f%%)\n", static_cast<long long>(one.horizon()),
                  one.value(), one.expert().c_str(), 100.0 * one.weight());
  for (const v1::AlikeMoment& one : response->alike())
    std::printf("went like this %lld records ago, about %s\n",
                static_cast<long long>(one.records_ago()), FormatTime(one.time_us()).c_str());
  if (response->has_unpredicted())
    std::printf("%.0f%% of it was not predicted\n", 100.0 * response->unpredicted());
  return kOk;
}

}  // namespace

void AddQuerySeries(Command query, Invocation& invocation) {
  Command command = query.AddCommand(
      "series", "The series that are followed; or why the latest record of one is unusual.",
      "weft query series                   # docs/json/query_series\n"
      "weft query series web1              # docs/json/query_series_explained");
  auto flags = std::make_shared<Flags>();
  command.AddOption("SERIES", flags->series, "Key of a series");
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--count", flags->count, "Series to list at most (20)").Between(1, 1000);
  command.AddOption("--node", flags->node,
                    "Node of the graph that follows series; the first one without it");
  command.AddOption("--deadline", flags->deadline_seconds, "Seconds to wait").Positive();
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  command.Runs(invocation, [flags] {
    const auto client = rpc::SequenceClient::Open(flags->to, flags->deadline_seconds);
    return flags->series.empty() ? List(*flags, *client) : Explain(*flags, *client);
  });
}

}  // namespace weft::deploy
