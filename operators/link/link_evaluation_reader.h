// What `link_evaluation` says of the models of a graph, and which of them is to answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/packet.h"
#include "graph/time.h"

namespace weft::operators::link {

// The figures of one model over its latest events, each scored before the model saw it.
struct LinkEvaluationReport {
  std::string node;   // of the graph, that scores
  std::string model;  // "weft", "recency", ...
  std::uint64_t model_version = 0;
  bool learned = false;            // LinkReader::learned()
  std::int64_t event_count = 0;    // scored since the start, with a negative
  std::int64_t window_events = 0;  // that the figures are about
  double ap = 0.0;                 // average precision
  double auc = 0.0;
  std::optional<double> log_loss = {};  // none of a model that gives no probabilities
  std::int64_t ranked_events = 0;       // that the next figure is about
  std::optional<double> mrr = {};       // mean of 1 / rank; none before the first ranked event
  graph::TimeUs time_us = 0;            // of the latest event

  std::int64_t size() const { return 1; }
};

// What clients ask for: scores of pairs, or a ranking of targets.
enum class LinkQuestion { kPairs, kTargets };

// Who answers a question.
struct LinkChoice {
  std::string learned;    // node of the model that answers unless another is better; may be empty
  std::string answering;  // node
  std::string reason;     // why it is not `learned`; empty otherwise
};

// Published by `link_evaluation`; the service reads it through Graph::Read.
class LinkEvaluationReader {
 public:
  virtual ~LinkEvaluationReader() = default;
  // The latest report of each model that has one: the learned ones first, else in the order of
  // ports.
  virtual std::vector<LinkEvaluationReport> reports() const = 0;
  // Empty while no learned model has a report.
  virtual LinkChoice choice(LinkQuestion question) const = 0;
};

}  // namespace weft::operators::link

WEFT_PACKET_TYPE(weft::operators::link::LinkEvaluationReport, "LinkEvaluationReport");
