// The commands of `weft query`, and the flags that those about episodes share.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "deploy/weft/command.h"
#include "graph/time.h"
#include "rpc/client.h"

namespace weft::deploy {

void AddQueryHistory(Command query, Invocation& invocation);
void AddQueryTimeline(Command query, Invocation& invocation);
// episode, at, top and boundaries.
void AddQueryEpisodes(Command query, Invocation& invocation);
// follow, similar, compare and next.
void AddQueryEntities(Command query, Invocation& invocation);
// The series that are followed.
void AddQuerySeries(Command query, Invocation& invocation);

// Which hierarchy is asked, of which stretch of time, and how the answer is printed.
struct EpisodeFlags {
  std::string to = "127.0.0.1:7171";
  std::string node;
  std::optional<graph::TimeUs> at_us;
  std::optional<graph::TimeUs> from_us, until_us;
  double deadline_seconds = 5.0;
  bool json = false;

  std::unique_ptr<rpc::HierarchyClient> OpenClient() const {
    return rpc::HierarchyClient::Open(to, deadline_seconds);
  }
  template <class Request>
  void FillTree(Request& request) const {
    request.mutable_tree()->set_node(node);
    if (at_us) request.mutable_tree()->set_as_of_us(*at_us);
  }
  template <class Request>
  void FillStretch(Request& request) const {
    if (from_us) request.set_from_us(*from_us);
    if (until_us) request.set_to_us(*until_us);
  }
};

// --to, --node, --at, --deadline and --json.
void AddTreeFlags(Command command, EpisodeFlags& flags);
// --from and --until.
void AddStretchFlags(Command command, EpisodeFlags& flags);
// --level.
void AddLevelFlag(Command command, const std::string& description, std::int32_t& level);
// ID of an episode.
void AddEpisodeArgument(Command command, const std::string& name, std::uint64_t& id);

}  // namespace weft::deploy
