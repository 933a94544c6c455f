// `salience`: final episodes -> how much each says about those around it. See salience.md.
#pragma once

#include <optional>
#include <vector>

#include "graph/metrics.h"
#include "graph/operator.h"
#include "operators/hierarchy/episode_batch.h"
#include "operators/hierarchy/learned_salience.h"

namespace weft::operators::hierarchy {

// One row an episode that became final.
struct SalienceBatch {
  std::vector<SalienceRow> rows;
  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

// Published by `salience`; the service reads it through Graph::Read.
class SalienceReader {
 public:
  virtual ~SalienceReader() = default;
  virtual const LearnedSalience& learned_salience() const = 0;
};

class Salience final : public graph::Operator, public SalienceReader {
 public:
  static constexpr graph::In<EpisodeBatch> kEpisodes{"EPISODES"};
  static constexpr graph::Out<SalienceBatch> kSalience{"SALIENCE"};
  static graph::Contract contract();

  absl::Status Open(graph::OpenContext& context) override;
  absl::Status Process(graph::ProcessContext& context) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;

  const LearnedSalience& learned_salience() const override { return *salience_; }

 private:
  std::optional<LearnedSalience> salience_;
  graph::Gauge* loss_ = nullptr;
};

}  // namespace weft::operators::hierarchy

WEFT_PACKET_TYPE(weft::operators::hierarchy::SalienceBatch, "SalienceBatch");
