#include "operators/link/model_choice.h"

#include <algorithm>
#include <cmath>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/section.h"

namespace weft::operators::link {

double ModelChoice::Margin(std::int64_t events) {
  return 0.3 / std::sqrt(static_cast<double>(std::max<std::int64_t>(events, 1)));
}

void ModelChoice::Decide(std::span<const std::optional<Standing>> standings, std::int64_t first) {
  if (state_.chosen < 0) state_.chosen = first;
  const std::optional<Standing>& now = standings[static_cast<std::size_t>(state_.chosen)];
  if (!now) {
    state_ = {.chosen = first, .better = 0};
    return;
  }
  std::int64_t best = state_.chosen;
  Standing highest = *now;
  for (std::size_t i = 0; i < standings.size(); ++i) {
    if (!standings[i] || !(standings[i]->figure > highest.figure)) continue;
    best = static_cast<std::int64_t>(i);
    highest = *standings[i];
  }
  const double margin = Margin(std::min(now->events, highest.events));
  if (!(highest.figure - now->figure > margin)) {
    state_.better = 0;
  } else if (++state_.better == kDecisions) {
    state_ = {.chosen = best, .better = 0};
  }
}

std::optional<std::int64_t> ModelChoice::chosen() const {
  return state_.chosen < 0 ? std::nullopt : std::optional(state_.chosen);
}

absl::Status ModelChoice::Save(std::string_view section, graph::CheckpointSink& sink) const {
  return WriteValue(section, state_, sink);
}

absl::Status ModelChoice::Load(std::string_view section, std::int64_t models,
                               graph::CheckpointSource& source) {
  State state;
  WEFT_TRY(ReadValue(section, state, source));
  if (state.chosen < -1 || state.chosen >= models || state.better < 0 ||
      state.better >= kDecisions) {
    return absl::DataLossError(graph::Concat("section ", section, ": expected one of ", models,
                                             " models, got ", state.chosen));
  }
  state_ = state;
  return absl::OkStatus();
}

}  // namespace weft::operators::link
