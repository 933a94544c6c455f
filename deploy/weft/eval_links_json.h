// The output of `weft eval links`: docs/json/eval_links.schema.json.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "graph/event_batch.h"
#include "operators/link/link_evaluation.h"

namespace weft::deploy {

struct EvalLinksInput {
  std::string path;
  std::int64_t nodes = 0;
  const graph::EventBatch* events = nullptr;
};

nlohmann::ordered_json EvalLinksJson(const EvalLinksInput& input,
                                     const operators::link::LinkEvaluationOptions& options,
                                     const operators::link::LinkEvaluationResult& result);

}  // namespace weft::deploy
