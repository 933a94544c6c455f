#include <tbb/global_control.h>

#include "deploy/weft/bench.h"
#include "deploy/weft/command.h"
#include "graph/text.h"
#include "operators/link/link_models.h"
#include "operators/link/link_training.h"

namespace weft::deploy {

int BenchLinkModel(const BenchFlags& flags) {
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  const auto factory = operators::link::FindLinkModel(flags.model);
  if (!factory.ok()) return Fail(graph::Concat("--model: ", factory.status().message()), kUsage);
  const graph::EventBatch events = SkewedEvents(flags);
  operators::link::LinkModelRequest request;
  request.node_count = flags.nodes;
  request.event_count = flags.events;
  request.batch = static_cast<std::int32_t>(flags.batch);
  const auto model = (*factory)(request);
  if (!model.ok()) return Fail(model.status());
  operators::link::NegativeTargets negatives(events);
  negatives.AddTargets(0, events.size());
  operators::link::LinkStream stream(**model, negatives, request.batch, nullptr);
  const operators::link::LinkPart part{.events = &events,
                                       .begin = 0,
                                       .end = events.size(),
                                       .file_index = {},
                                       .pool_size = negatives.pool_size()};
  const double seconds =
      stream.Run(part, operators::link::LinkStream::Mode::kScore, 1, "", nullptr);
  return PrintFigures(flags, "link_model",
                      {{"model", flags.model},
                       {"events", flags.events},
                       {"nodes", flags.nodes},
                       {"batch", flags.batch},
                       {"cpu_seconds", seconds},
                       {"events_per_cpu_second", static_cast<double>(flags.events) / seconds}});
}

}  // namespace weft::deploy
