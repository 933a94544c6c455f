// AnomalyLikelihood: how unusual it is that a model's predictions have failed as often as lately,
// against how often they failed before.
//
// Source: Lavin and Ahmad 2015, as NuPIC computes it.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace weft::operators::sequence {

struct LikelihoodOptions {
  std::int64_t learning = 288;    // records that are not looked at
  std::int64_t estimation = 100;  // more, before anything is said
  std::int64_t history = 8640;    // records that the distribution is fitted to
  std::int64_t refit_every = 100;
  std::int64_t averaged = 10;
};

// Thread-compatible. Exact.
class AnomalyLikelihood {
 public:
  // A likelihood in its log form is no alarm up to this, once in a thousand.
  static constexpr double kLeastAlarm = 0.3;

  explicit AnomalyLikelihood(const LikelihoodOptions& options = {}) : options_(options) {}

  // Of a value that came with this share of predictions that failed: .5 says nothing, 1 is sure.
  double Next(double value, double failed);
  // From 0 to 1, so that the ends are told apart.
  static double LogForm(double likelihood);

  // State to save, and to load into one with the same options.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.count_);
    archive.Array(self.history_, 2 * static_cast<std::uint64_t>(self.options_.history));
    archive.Array(self.latest_, static_cast<std::uint64_t>(self.options_.averaged));
    archive.Value(self.mean_);
    archive.Value(self.deviation_);
    archive.Value(self.was_sure_);
  }

 private:
  struct Record {
    double value = 0.0, failed = 0.0;
  };
  void Fit();

  LikelihoodOptions options_;
  std::int64_t count_ = 0;
  std::vector<Record> history_;          // the latest, in order
  std::vector<double> latest_;           // a ring
  double mean_ = 0.0, deviation_ = 0.0;  // 0: not fitted
  std::uint64_t was_sure_ = 0;
};

}  // namespace weft::operators::sequence
