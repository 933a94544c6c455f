#include "deploy/weft/query_command.h"

#include "deploy/weft/time_flags.h"

namespace weft::deploy {

void AddQueryCommand(Command root, Invocation& invocation) {
  Command query = root.AddCommand("query", "Ask a service what was.",
                                  "weft query timeline                # what happened, drawn\n"
                                  "weft query top --level 2           # what stands out\n"
                                  "weft query history anna --limit 20");
  query.RequireCommand();
  AddQueryTimeline(query, invocation);
  AddQueryEpisodes(query, invocation);
  AddQueryEntities(query, invocation);
  AddQueryHistory(query, invocation);
  AddQuerySeries(query, invocation);
}

void AddTreeFlags(Command command, EpisodeFlags& flags) {
  command.AddOption("--to", flags.to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--node", flags.node,
                    "Node of the graph that keeps the episodes; the first one without it");
  AddAtFlag(command, "As of this time: what was known then; ISO-8601 or microseconds", flags.at_us);
  command.AddOption("--deadline", flags.deadline_seconds, "Seconds to wait").Positive();
  command.AddFlag("--json", flags.json, "One JSON object on stdout");
}

void AddStretchFlags(Command command, EpisodeFlags& flags) {
  AddTimeFlag(command, "--from", "Only from this time on; ISO-8601 or microseconds", flags.from_us);
  AddTimeFlag(command, "--until", "Only before this time", flags.until_us);
}

void AddLevelFlag(Command command, const std::string& description, std::int32_t& level) {
  command.AddOption("--level", level, description).Between(1, 16);
}

void AddEpisodeArgument(Command command, const std::string& name, std::uint64_t& id) {
  command.AddOption(name, id, "Id of an episode, as `weft query timeline --json` says it")
      .Required();
}

}  // namespace weft::deploy
