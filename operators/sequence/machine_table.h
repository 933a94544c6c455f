// MachineTable: a machine with its input's width for each of many series: what the operators that
// take sparse bits keep.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/log_record.h"
#include "graph/text.h"
#include "operators/sequence/kept_series.h"
#include "operators/sequence/sparse_batch.h"

namespace weft::operators::sequence {

// Machines have VisitState, and are made for a width. Thread-compatible. Exact.
template <class Machine>
class MachineTable {
 public:
  using Make = std::function<Machine(std::int64_t width)>;

  // `fits(width)` says whether machines can be made for it; `what` a width counts, for messages.
  MachineTable(const KeptSeriesOptions& options, std::function<bool(std::int64_t)> fits, Make make,
               std::string_view what = "sparse bits")
      : fits_(std::move(fits)),
        make_(std::move(make)),
        kept_(options, [this](graph::NodeId) { return make_(width_); }),
        what_(what) {}
  MachineTable(const MachineTable&) = delete;
  MachineTable& operator=(const MachineTable&) = delete;

  // INVALID_ARGUMENT if a batch's width does not fit, or is another than it was.
  absl::Status CheckWidth(std::int64_t width) {
    if (width_ == 0 && fits_(width)) width_ = width;
    if (width == width_) return absl::OkStatus();
    return absl::InvalidArgumentError(
        width_ == 0 ? graph::Concat(what_, ": ", width, " do not fit its options")
                    : graph::Concat(what_, ": expected ", width_, ", got ", width));
  }
  // As KeptSeries has it.
  absl::StatusOr<Machine*> Latest(graph::NodeId series, graph::LogPosition end) {
    return kept_.Latest(series, end);
  }
  const KeptSeries<Machine>& kept() const { return kept_; }

  // State to save, and to load into a table with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.width_);
    if constexpr (Archive::kLoads)
      archive.Check(self.width_ == 0 || self.fits_(self.width_), "a width that the options allow");
    KeptSeries<Machine>::VisitState(self.kept_, archive);
  }

 private:
  std::function<bool(std::int64_t)> fits_;
  Make make_;
  std::int64_t width_ = 0;  // of the first batch
  KeptSeries<Machine> kept_;
  std::string_view what_;
};

}  // namespace weft::operators::sequence
