// A version that WeftVersions keeps. Internal to it.
#pragma once

#include "operators/link/weft_versions.h"

namespace weft::operators::link {

struct WeftVersions::Kept {
  Kept(const WeftHead::Options& options, const gpu::Exec& exec) : head(options, exec) {}

  WeftWeights weights() { return {head, calibration}; }

  ModelVersion info;  // without its figures
  WeftHead head;
  ProbabilityCalibration calibration;
  Sums sums = {}, before = {};  // of the window at hand and the one before it
};

}  // namespace weft::operators::link
