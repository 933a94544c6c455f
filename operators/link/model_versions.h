// VersionedModel: a link model that keeps versions of its weights beside those that it uses, says
// how each would have done, and takes one back when asked, or by itself when what it learns lately
// makes it worse (the drift guard).
//
// Figures are prequential: of events that were scored before they were learned, by all versions
// alike, with one negative each. A command changes state, so it comes through the log
// (LinkOperator::OnCommand); reads are for clients.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/time.h"

namespace weft::operators::link {

// Over a window of events.
struct VersionFigures {
  std::int64_t events = 0;  // 0: no window is complete yet, and the rest means nothing
  double log_loss = 0.0;    // mean of an event's and its negative's, not calibrated
  double error = 0.0;       // share of events whose negative scored higher, ties half
  // Mean of this log loss less that of the weights in use, and the standard error of that mean.
  double loss_difference = 0.0;
  double loss_difference_error = 0.0;
};

enum class VersionOrigin : std::uint8_t {
  kGuard = 1,     // the last ones that did well, which the drift guard goes back to
  kReplaced = 2,  // that were in use before the latest activation
  kKept = 3,      // kept by a command
  kImported = 4,  // came with a command
};

struct ModelVersion {
  std::uint64_t number = 0;  // rises with each version of the model
  VersionOrigin origin = VersionOrigin::kKept;
  std::string note;
  std::int64_t event_count = 0;                   // of the stream when it was made
  graph::TimeUs time_us = graph::kBeforeAllTime;  // of the latest event then
  std::uint64_t digest = 0;                       // of the weights
  VersionFigures figures;
};

struct ModelVersions {
  std::vector<ModelVersion> versions;  // by rising number
  VersionFigures live;                 // of the weights in use
  double recency_error = 0.0;          // as `error`, of the mix of the operator `recency`
  std::int64_t window_events = 0;      // of a window
  bool guarded = false;
  std::int64_t restored_count = 0;  // times that the guard took a version back
};

// Thread-compatible.
class VersionedModel {
 public:
  static constexpr std::size_t kMaxNoteBytes = 256;

  virtual ~VersionedModel() = default;

  virtual ModelVersions Versions() const = 0;
  // Times that the guard took a version back.
  virtual std::int64_t restored_count() const = 0;
  // The bytes of a model file with the weights of a version, 0 for those in use. NOT_FOUND.
  virtual absl::StatusOr<std::string> ExportVersion(std::uint64_t number) const = 0;

  // Each returns the number of the version that it is about. An error changes nothing.
  // Keeps the weights in use. RESOURCE_EXHAUSTED when as many are kept as may be.
  virtual absl::StatusOr<std::uint64_t> KeepVersion(std::string_view note) = 0;
  // Keeps the weights of a model file. What ReadModelBytes says, and RESOURCE_EXHAUSTED.
  virtual absl::StatusOr<std::uint64_t> ImportVersion(std::string_view model_file,
                                                      std::string_view note) = 0;
  // Puts a version's weights in use; learning goes on from them. What was in use can be taken back
  // by RollBack. NOT_FOUND.
  virtual absl::StatusOr<std::uint64_t> PromoteVersion(std::uint64_t number) = 0;
  // Takes back what the latest activation, by a command or by the guard, replaced; once more, and
  // that is undone. FAILED_PRECONDITION before there was one.
  virtual absl::StatusOr<std::uint64_t> RollBack() = 0;
  // Forgets a version that was kept or imported. NOT_FOUND for any other.
  virtual absl::StatusOr<std::uint64_t> DropVersion(std::uint64_t number) = 0;
};

}  // namespace weft::operators::link
