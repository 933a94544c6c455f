// BenchService: a `weft serve` of this very program in a process of its own, so that what it costs
// can be told from what its clients cost. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weft::deploy {

// Graphs that are measured; each has the input `events`.
// kLogOnlyGraph has the cheapest operator that there is, as a graph needs one; in ScoringGraph the
// model, "weft" or "nat", scores the events and takes them in; in LearningGraph it learns from them
// as well.
extern const std::string_view kLogOnlyGraph;
std::string ScoringGraph(std::string_view model);
std::string LearningGraph(std::string_view model);

class BenchService {
 public:
  // Over an empty data directory below `folder`, or below the temporary one if that is empty.
  static absl::StatusOr<std::unique_ptr<BenchService>> Start(const std::string& folder,
                                                             std::string_view graph);
  // Kills it and removes its data.
  ~BenchService();
  BenchService(const BenchService&) = delete;
  BenchService& operator=(const BenchService&) = delete;

  const std::string& address() const { return address_; }
  // User and system time; the memory that it has, and the most that it has had.
  double CpuSeconds() const;
  double ResidentBytes() const;
  double PeakBytes() const;

  // As a power cut would.
  void Kill();
  // After Kill, over the same data. Returns once it serves.
  absl::Status StartAgain();

 private:
  explicit BenchService(std::string folder) : folder_(std::move(folder)) {}
  absl::Status Launch();
  absl::Status DidNotStart() const;
  double StatusBytes(std::string_view field) const;

  std::string folder_;
  pid_t process_ = -1;
  std::string address_;
};

}  // namespace weft::deploy
