// EpisodeForecaster: when the open episodes of a hierarchy will have ended and who comes next, said
// at every readout from what was known then, and learned as episodes end.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cache/episode_ring.h"
#include "gpu/exec.h"
#include "graph/packet.h"
#include "graph/time.h"
#include "operators/hierarchy/episode_forecast.h"
#include "operators/hierarchy/online_logistic.h"
#include "operators/hierarchy/readout.h"
#include "operators/hierarchy/relational_head.h"

namespace weft::operators::hierarchy {

// Numbers about a level's open episode that a logistic regression reads: the readout's windows, the
// log-odds that counting gives (EndForecast::ends_within), the readout's columns of the level.
inline constexpr std::size_t kWindowColumns = 4;
inline constexpr std::size_t kLevelColumns = 4;
std::array<float, kWindowColumns + kLevelColumns> HazardColumns(const Readout& readout,
                                                                const LevelReadout& level,
                                                                const EndForecast& counted);

// Log-odds of a probability, which is kept from 0 and 1.
float LogOdds(double probability);

enum class HazardHead : std::uint8_t { kCounted, kLogistic, kRelational };

struct ForecasterOptions {
  graph::TimeUs horizon_us = 30'000'000;
  HazardHead head = HazardHead::kLogistic;
  std::int64_t most_precedents = 256;  // closed episodes of a level among which they are found
  std::size_t precedents = 8;
  std::uint64_t seed = 0;
};

// Of the open episode of a level.
struct ForecastRow {
  static constexpr std::size_t kMostNext = 3;

  std::int32_t level = 1;
  std::int64_t begin = 0;  // first snapshot
  graph::TimeUs begin_us = 0, now_us = 0;
  EndForecast end;                             // counted
  double ends_within = 0.0;                    // what the head says
  std::array<NodeShare, kMostNext> next = {};  // who takes part most in the next one; share 0: none
};

// Forecasts as rows; of a level there are none before it has closed episodes enough.
struct ForecastBatch {
  std::vector<ForecastRow> rows;
  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

// Thread-compatible. Exact.
class EpisodeForecaster {
 public:
  EpisodeForecaster(const ForecasterOptions& options, const gpu::Exec& exec);

  void Take(const Readout& readout, std::vector<ForecastRow>& forecasts);

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    for (auto& level : self.levels_) {
      DurationHistory::VisitState(level.durations, archive);
      cache::EpisodeRing::VisitState(level.closed, archive);
      OnlineLogistic::VisitState(level.logistic, archive);
      archive.Array(level.pending, kMostPending);
    }
    if (self.relational_) RelationalHead::VisitState(*self.relational_, archive);
  }

 private:
  static constexpr std::size_t kMostPending = 1024;  // of a level, thinned evenly before

  struct Pending {
    graph::TimeUs now_us = 0;
    std::array<float, kWindowColumns + kLevelColumns> columns = {};
  };
  struct Level {
    explicit Level(std::int64_t most_precedents, gpu::Memory memory)
        : closed({.most_episodes = most_precedents, .most_words = most_precedents << 10}, memory) {}
    DurationHistory durations;
    cache::EpisodeRing closed;
    OnlineLogistic logistic{kWindowColumns + kLevelColumns};
    std::vector<Pending> pending;
  };

  void Close(const EpisodeRow& row, std::span<const std::uint32_t> pairs);
  double Hazard(Level& level, const Readout& readout, const LevelReadout& open,
                const EndForecast& counted);
  void ForetellNext(const Level& level, std::span<const std::uint32_t> pairs,
                    ForecastRow& row) const;

  ForecasterOptions options_;
  gpu::Exec exec_;
  std::vector<Level> levels_;
  std::optional<RelationalHead> relational_;
};

}  // namespace weft::operators::hierarchy

WEFT_PACKET_TYPE(weft::operators::hierarchy::ForecastBatch, "ForecastBatch");
