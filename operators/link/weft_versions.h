// WeftVersions: the weights that a WeftModel keeps beside those in use, how all of them score the
// same events, and the drift guard, which says when what was learned lately should be given up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gpu/exec.h"
#include "graph/event_batch.h"
#include "graph/state.h"
#include "operators/link/model_versions.h"
#include "operators/link/probability_calibration.h"
#include "operators/link/weft_head.h"

namespace weft::operators::link {

struct WeftVersionsOptions {
  std::int32_t most = 4;  // that are kept or imported by commands
  bool guard = true;
  WeftHead::Options head;  // of the model
};

// What a model has learned, for checkpoints and model files.
absl::Status SaveWeftWeights(const WeftHead& head, const ProbabilityCalibration& calibration,
                             graph::CheckpointSink& sink);

// The same as a view of its parts.
struct WeftWeights {
  WeftHead& head;
  ProbabilityCalibration& calibration;

  absl::Status Save(graph::CheckpointSink& sink) const {
    return SaveWeftWeights(head, calibration, sink);
  }
  // Changes nothing on an error.
  absl::Status Load(graph::CheckpointSource& source) const;
  void Take(const WeftWeights& from) const;
};

// When a version was made.
struct VersionMoment {
  std::int64_t event_count = 0;
  graph::TimeUs time_us = graph::kBeforeAllTime;
};

// Thread-compatible. Exact: depends on the events and commands alone.
class WeftVersions {
 public:
  // Micro-batches of which one is compared, by a hash: a version costs a quarter of one more pass
  // of the head.
  static constexpr std::uint64_t kComparedOneIn = 4;
  // Compared events after which figures are drawn up and the guard decides. With an error of some
  // percent, one of two percent more stands out of the noise.
  static constexpr std::int64_t kWindowEvents = 1024;
  // Windows in a row that the guard lets pass.
  static constexpr std::int32_t kStrikes = 2;

  // Whether the micro-batch is compared after which the stream has so many events.
  static bool IsCompared(std::int64_t event_count);

  WeftVersions(const WeftVersionsOptions& options, const gpu::Exec& exec);
  ~WeftVersions();

  // Pairs that were scored and not learned from yet.
  struct Scored {
    const float* features = nullptr;          // of the events, then of as many negatives
    const float* logits = nullptr;            // of the weights in use, the same rows
    std::span<const graph::NodeId> negative;  // kNoNode: the event is left out
    float log_event_count = 0.0f;             // log1p of the stream's events
    bool learns = false;                      // the guard watches
  };
  // Compares every version on them, if it is their turn. True: the guard wants its version back in
  // use.
  bool Compare(const Scored& scored, const WeftWeights& live, const VersionMoment& now);

  ModelVersions List() const;
  // NOT_FOUND with the numbers that there are.
  absl::StatusOr<WeftWeights> Find(std::uint64_t number) const;

  // As VersionedModel says. `live` is what is in use.
  absl::StatusOr<std::uint64_t> Keep(VersionOrigin origin, std::string_view note,
                                     const WeftWeights& weights, const VersionMoment& now);
  absl::StatusOr<std::uint64_t> Promote(std::uint64_t number, const WeftWeights& live,
                                        const VersionMoment& now);
  absl::StatusOr<std::uint64_t> RollBack(const WeftWeights& live, const VersionMoment& now);
  absl::StatusOr<std::uint64_t> Drop(std::uint64_t number);
  // Puts the guard's version in use, after Compare said so.
  void Restore(const WeftWeights& live, const VersionMoment& now);
  std::int64_t restored_count() const { return restored_count_; }

  void Clear();

  static constexpr std::string_view kSection = "versions";
  absl::Status Save(graph::CheckpointSink& sink) const;
  // DATA_LOSS; it is as new then.
  absl::Status Load(graph::CheckpointSource& source);

 private:
  // Of the events of a window.
  struct Sums {
    std::int64_t events;
    double loss;
    double wrong;
    double difference;
    double difference_squares;
  };
  struct Kept;

  std::unique_ptr<Kept> Make(VersionOrigin origin, std::string_view note,
                             const WeftWeights& weights, const VersionMoment& now);
  std::vector<Kept*> All() const;
  void Activate(const WeftWeights& from, const WeftWeights& live, std::string_view note,
                const VersionMoment& now);
  void StartWindow();
  bool EndWindow(const WeftWeights& live, const VersionMoment& now, bool guards);
  static VersionFigures FiguresOf(const Sums& sums);
  absl::Status LoadAll(graph::CheckpointSource& source);

  WeftVersionsOptions options_;
  gpu::Exec exec_;
  std::unique_ptr<Kept> guard_;     // the last ones that did well
  std::unique_ptr<Kept> replaced_;  // what RollBack takes back
  std::vector<std::unique_ptr<Kept>> kept_;
  std::uint64_t next_number_ = 1;
  // Of the weights in use, and of the recency mix; the window at hand and the one before it.
  Sums live_ = {}, live_before_ = {};
  double recency_wrong_ = 0.0, recency_wrong_before_ = 0.0;
  std::int32_t strikes_ = 0;
  std::int64_t restored_count_ = 0;
  std::vector<float> logits_, live_loss_;
};

}  // namespace weft::operators::link
