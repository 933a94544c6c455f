// `rank_calibration`, `combine`, `expert_mixture`: what becomes of what several experts say. See
// rank_calibration.md, combine.md and expert_mixture.md.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "graph/operator.h"
#include "operators/sequence/anomaly_ensemble.h"
#include "operators/sequence/expert_mixture.h"
#include "operators/sequence/heard_operator.h"
#include "operators/sequence/opinion_batch.h"
#include "operators/sequence/peak_alarm.h"
#include "operators/sequence/rank_calibration.h"
#include "operators/sequence/rarity_mixture.h"
#include "operators/sequence/sequence_row.h"
#include "weft/operators/sequence/v1/ensemble.pb.h"

namespace weft::operators::sequence {

// How seldom what each expert says is, by its own past; one that has nothing to say stays with what
// it said.
class OpinionRanks {
 public:
  using Message = v1::RankCalibration;
  using Options = RankOptions;
  static constexpr graph::Out<OpinionBatch> kOut{"OPINIONS"};
  static absl::Status Read(const graph::OpenContext& context, Options& options);

  OpinionRanks(std::size_t experts, const Options& options)
      : ranks_(experts, RankCalibration(options)), rarity_(experts) {}
  void Next(const OpinionBatch& heard, std::size_t row, OpinionBatch& to);

  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& one : self.ranks_) RankCalibration::VisitState(one, archive);
    archive.Fixed(self.rarity_);
  }

 private:
  std::vector<RankCalibration> ranks_;
  std::vector<double> rarity_;
};

// Rarities as a score and its alarms.
class OpinionScore {
 public:
  using Message = v1::Combine;
  struct Options {
    std::int64_t held = 15;
    double sharpness = 0.6;
  };
  static constexpr graph::Out<SequenceBatch> kOut{"SEQUENCE"};
  static absl::Status Read(const graph::OpenContext& context, Options& options);

  OpinionScore(std::size_t experts, const Options& options)
      : mixture_(experts, static_cast<std::size_t>(options.held), options.sharpness) {}
  void Next(const OpinionBatch& heard, std::size_t row, SequenceBatch& to);

  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    RarityMixture::VisitState(self.mixture_, archive);
    PeakAlarm::VisitState(self.alarm_, archive);
  }

 private:
  RarityMixture mixture_;
  PeakAlarm alarm_{AnomalyEnsemble::kLeastAlarm};
};

// Points as a distribution.
class OpinionMixture {
 public:
  using Message = v1::ExpertMixture;
  struct Options {
    std::int64_t horizon = 1;
  };
  static constexpr graph::Out<SequenceBatch> kOut{"SEQUENCE"};
  static absl::Status Read(const graph::OpenContext& context, Options& options);

  OpinionMixture(std::size_t experts, const Options& options)
      : mixture_(experts, options.horizon) {}
  void Next(const OpinionBatch& heard, std::size_t row, SequenceBatch& to);

  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.last_);
    ExpertMixture::VisitState(self.mixture_, archive);
  }

 private:
  double last_ = 0.0;  // for a value that is missing
  ExpertMixture mixture_;
};

using RankCalibrationOperator = HeardOperator<OpinionRanks>;
using CombineOperator = HeardOperator<OpinionScore>;
using ExpertMixtureOperator = HeardOperator<OpinionMixture>;

}  // namespace weft::operators::sequence
