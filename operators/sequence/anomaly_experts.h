// `level`, `seasonal`, `discord`: records -> how far each is from what is usual, by one expert. See
// level.md, seasonal.md and discord.md.
#pragma once

#include <cmath>

#include "absl/status/status.h"
#include "graph/operator.h"
#include "operators/sequence/discord.h"
#include "operators/sequence/expert_operator.h"
#include "operators/sequence/level_distance.h"
#include "operators/sequence/seasonal_distance.h"
#include "operators/sequence/series_bounds.h"
#include "weft/operators/sequence/v1/ensemble.pb.h"

namespace weft::operators::sequence {

class LevelExpert {
 public:
  using Message = v1::Level;
  struct Options {
    std::int64_t length = 100;
  };
  static absl::Status Read(const graph::OpenContext& context, Options& options);

  explicit LevelExpert(const Options& options) : level_(static_cast<double>(options.length)) {}
  double Next(graph::TimeUs, double value) {
    const double distance = level_.Of(value, bounds_);
    bounds_.Learn(value);
    level_.Learn(value);
    return distance;
  }
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.bounds_);
    LevelDistance::VisitState(self.level_, archive);
  }

 private:
  SeriesBounds bounds_;
  LevelDistance level_;
};

class SeasonalExpert {
 public:
  using Message = v1::Seasonal;
  struct Options {};
  static absl::Status Read(const graph::OpenContext&, Options&) { return absl::OkStatus(); }

  explicit SeasonalExpert(const Options&) {}
  double Next(graph::TimeUs time_us, double value) {
    season_.Begin(time_us, value);
    const auto distance = season_.Of(value, bounds_);
    bounds_.Learn(value);
    season_.Learn(value);
    return distance.value_or(std::nan(""));
  }
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.bounds_);
    SeasonalDistance::VisitState(self.season_, archive);
  }

 private:
  SeriesBounds bounds_;
  SeasonalDistance season_;
};

class DiscordExpert {
 public:
  using Message = v1::Discord;
  using Options = DiscordOptions;
  static absl::Status Read(const graph::OpenContext& context, Options& options);

  explicit DiscordExpert(const Options& options) : discord_(options) {}
  double Next(graph::TimeUs, double value) {
    const auto distance = discord_.Next(value, bounds_.spread.deviation);
    bounds_.Learn(value);
    return distance.value_or(std::nan(""));
  }
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.bounds_);
    Discord::VisitState(self.discord_, archive);
  }

 private:
  SeriesBounds bounds_;
  Discord discord_;
};

using LevelOperator = ExpertOperator<LevelExpert>;
using SeasonalOperator = ExpertOperator<SeasonalExpert>;
using DiscordOperator = ExpertOperator<DiscordExpert>;

}  // namespace weft::operators::sequence
