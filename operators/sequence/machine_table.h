// MachineTable: a machine with its input's width for each of many series: what the operators that
// take sparse bits keep.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "graph/text.h"
#include "operators/sequence/latest_series.h"
#include "operators/sequence/sparse_batch.h"

namespace weft::operators::sequence {

// Machines have VisitState, and are made for a width. Thread-compatible. Exact.
template <class Machine>
class MachineTable {
 public:
  using Make = std::function<Machine(std::int64_t width)>;

  // `fits(width)` says whether machines can be made for it; `what` a width counts, for messages.
  MachineTable(std::int64_t most_series, std::function<bool(std::int64_t)> fits, Make make,
               std::string_view what = "sparse bits")
      : fits_(std::move(fits)), make_(std::move(make)), kept_(most_series), what_(what) {}

  // INVALID_ARGUMENT if a batch's width does not fit, or is another than it was.
  absl::Status CheckWidth(std::int64_t width) {
    if (width_ == 0 && fits_(width)) width_ = width;
    if (width == width_) return absl::OkStatus();
    return absl::InvalidArgumentError(
        width_ == 0 ? graph::Concat(what_, ": ", width, " do not fit its options")
                    : graph::Concat(what_, ": expected ", width_, ", got ", width));
  }
  Machine& Latest(graph::NodeId series) {
    return kept_.Latest(series, [this] { return make_(width_); });
  }
  std::int64_t size() const { return kept_.size(); }

  // State to save, and to load into a table with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.width_);
    const auto visit = [](auto& machine, Archive& to) { Machine::VisitState(machine, to); };
    if constexpr (Archive::kLoads) {
      archive.Check(self.width_ == 0 || self.fits_(self.width_), "a width that the options allow");
      self.kept_.Load(
          archive, [&self](graph::NodeId) { return self.make_(self.width_); }, visit);
    } else {
      self.kept_.Save(archive, visit);
    }
  }

 private:
  std::function<bool(std::int64_t)> fits_;
  Make make_;
  std::int64_t width_ = 0;  // of the first batch
  LatestSeries<Machine> kept_;
  std::string_view what_;
};

}  // namespace weft::operators::sequence
