#include "deploy/weft/explanation.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <vector>

#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

ordered_json TimeJson(bool there, std::int64_t time_us) {
  return there ? ordered_json(operators::io::FormatTime(time_us)) : ordered_json(nullptr);
}

ordered_json NumberJson(bool there, std::int64_t number) {
  return there ? ordered_json(number) : ordered_json(nullptr);
}

}  // namespace

ordered_json ExplanationJson(const std::string& target, const v1::LinkExplanation& explanation) {
  ordered_json groups = ordered_json::array();
  for (const auto& group : explanation.group())
    groups.push_back({{"group", group.group()}, {"log_odds", group.log_odds()}});
  ordered_json partners = ordered_json::array();
  for (const auto& partner : explanation.partner()) {
    const bool sent = partner.has_last_sent_us();
    const bool received = partner.has_last_received_us();
    partners.push_back({{"partner", partner.partner()},
                        {"log_odds", partner.log_odds()},
                        {"sent_count", partner.sent_count()},
                        {"received_count", partner.received_count()},
                        {"last_sent", TimeJson(sent, partner.last_sent_us())},
                        {"last_sent_us", NumberJson(sent, partner.last_sent_us())},
                        {"last_received", TimeJson(received, partner.last_received_us())},
                        {"last_received_us", NumberJson(received, partner.last_received_us())}});
  }
  return {{"target", target},
          {"target_known", explanation.target_known()},
          {"log_odds", explanation.log_odds()},
          {"mean_log_odds", explanation.mean_log_odds()},
          {"groups", groups},
          {"partners", partners}};
}

void PrintExplanation(const v1::LinkExplanation& explanation) {
  std::printf("    log-odds %.3f; an average pair %.3f\n",
              static_cast<double>(explanation.log_odds()),
              static_cast<double>(explanation.mean_log_odds()));
  std::vector<const v1::GroupContribution*> groups;
  for (const auto& group : explanation.group()) groups.push_back(&group);
  std::ranges::stable_sort(groups, [](const auto* a, const auto* b) {
    return std::abs(a->log_odds()) > std::abs(b->log_odds());
  });
  for (const auto* group : groups)
    std::printf("    %+8.3f  %s\n", static_cast<double>(group->log_odds()), group->group().c_str());
  for (const auto& partner : explanation.partner()) {
    std::printf("    %+8.3f  remembers %s: %" PRId64 " sent",
                static_cast<double>(partner.log_odds()), partner.partner().c_str(),
                partner.sent_count());
    if (partner.has_last_sent_us())
      std::printf(", last %s", operators::io::FormatTime(partner.last_sent_us()).c_str());
    std::printf("; %" PRId64 " received", partner.received_count());
    if (partner.has_last_received_us())
      std::printf(", last %s", operators::io::FormatTime(partner.last_received_us()).c_str());
    std::printf("\n");
  }
}

}  // namespace weft::deploy
