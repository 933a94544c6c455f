#include "deploy/weft/eval_command.h"

#include <cstdio>

#include "graph/text.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

ordered_json PartJson(const graph::EventBatch& events, std::int64_t begin, std::int64_t end) {
  const graph::TimeUs from_us = events.time_us[static_cast<std::size_t>(begin)];
  const graph::TimeUs to_us = events.time_us[static_cast<std::size_t>(end - 1)];
  return {{"events", end - begin},
          {"from", operators::io::FormatTime(from_us)},
          {"to", operators::io::FormatTime(to_us)},
          {"from_us", from_us},
          {"to_us", to_us}};
}

}  // namespace

int ReadEvalFile(const std::string& path, const InputFlags& flags, operators::io::EventFile& file) {
  const auto options = ReadOptionsFrom(flags);
  if (!options.ok()) return Fail(options.status(), kUsage);
  auto read = operators::io::LoadEvents(path, *options);
  if (!read.ok()) return FailOnInput(read.status());
  file = *std::move(read);
  PrintNotes(path, file.report);
  if (!file.was_sorted) std::fprintf(stderr, "weft: %s: not in time order; sorted\n", path.c_str());
  return kOk;
}

int FailOnEvaluation(const std::string& path, const absl::Status& status) {
  return FailOnInput(absl::Status(status.code(), graph::Concat(path, ": ", status.message())));
}

ordered_json SplitJson(const graph::EventBatch& events, const operators::link::TimeSplit& split) {
  return {{"train", PartJson(events, 0, split.validation)},
          {"val", PartJson(events, split.validation, split.test)},
          {"test", PartJson(events, split.test, split.end)}};
}

void AddEvalCommand(Command root, Invocation& invocation) {
  Command eval = root.AddCommand(
      "eval", "Measure how well a file's events can be predicted.",
      "weft eval links events.csv --epochs 3 --seeds 1,2,3 --json\n"
      "weft eval labels events.csv --json             # which events are of a kind\n"
      "weft eval next_time events.csv --of node       # when a node sends again\n"
      "weft eval segments events.csv --truth truth.csv  # where episodes end");
  eval.RequireCommand();
  AddEvalLinks(eval, invocation);
  AddEvalLabels(eval, invocation);
  AddEvalNextTime(eval, invocation);
  AddEvalSegments(eval, invocation);
  AddEvalEpisodes(eval, invocation);
  AddEvalPartners(eval, invocation);
  AddEvalAnomaly(eval, invocation);
  AddEvalSequence(eval, invocation);
  AddEvalSymbols(eval, invocation);
}

}  // namespace weft::deploy
