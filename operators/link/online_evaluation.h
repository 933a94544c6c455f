// The protocol of `weft eval links --online`: one pass over the whole file, as a service has it.
// Every step is scored and then learned from, against targets that occurred before; figures are of
// the first twentieth of the events, where a cold model knows little yet, and of the test part.
#pragma once

#include <cstdint>

#include "operators/link/link_figures.h"
#include "operators/link/link_model.h"
#include "operators/link/link_training.h"
#include "operators/link/question_draws.h"
#include "operators/link/time_split.h"

namespace weft::operators::link {

struct OnlineOptions {
  std::uint64_t seed = 1;
  std::int32_t batch = 32;            // events of a step, about
  std::int64_t ranked_events = 1000;  // of the test part, at most
};

struct OnlineResult {
  SeedFigures figures;       // of the test part, with those of the first events
  double cpu_seconds = 0.0;  // of the events between them, which are scored, with what they are
                             // contrasted with, and learned from
  std::int64_t events = 0;   // of these
};

// `whole` is the whole file with the pool of all its targets; `model` has no state.
OnlineResult EvaluateOnline(LinkModel& model, const LinkPart& whole, const TimeSplit& split,
                            const QuestionDraws& draws, const OnlineOptions& options);

}  // namespace weft::operators::link
