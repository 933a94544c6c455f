// ModelChoice: which of several models is to answer, by a figure of each that is taken again and
// again: one stays until another is clearly and repeatedly better.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "graph/state.h"

namespace weft::operators::link {

// What a model's figure is and how many events it is about.
struct Standing {
  double figure = 0.0;  // higher is better, in [0, 1]
  std::int64_t events = 0;
};

class ModelChoice {
 public:
  // Another model takes over once it has been better by more than Margin in so many decisions in a
  // row. One standing alone is as often wrong as its margin is exceeded by chance, one in six.
  static constexpr std::int64_t kDecisions = 2;

  // One standard error of a share of .9 among so many events: .0047 at 4096.
  static double Margin(std::int64_t events);

  // Takes a decision. By model; none for those that do not take part. The model `first`, which
  // takes part, is chosen until another takes over.
  void Decide(std::span<const std::optional<Standing>> standings, std::int64_t first);

  // The model that was chosen, none before the first decision.
  std::optional<std::int64_t> chosen() const;

  absl::Status Save(std::string_view section, graph::CheckpointSink& sink) const;
  // DATA_LOSS for a choice that is none among `models`.
  absl::Status Load(std::string_view section, std::int64_t models, graph::CheckpointSource& source);

 private:
  struct State {
    std::int64_t chosen = -1;
    std::int64_t better = 0;  // decisions in a row in which another was better
  };
  State state_;
};

}  // namespace weft::operators::link
