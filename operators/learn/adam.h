// Adam (Kingma and Ba 2015, algorithm 1) on a flat array of parameters, exact on every machine.
#pragma once

#include <cstdint>

#include "gpu/buffer.h"
#include "gpu/exec.h"

namespace weft::operators::learn {

struct AdamOptions {
  float learning_rate = 1e-3f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
};

struct AdamArguments {
  std::int64_t count;
  float* weight;
  const float* gradient;
  float* mean;
  float* variance;
  float step_size;            // learning rate / (1 - beta1^t)
  float variance_correction;  // 1 / (1 - beta2^t)
  float beta1;
  float beta2;
  float epsilon;
};

template <class E>
void AdamStepOn(const E& exec, const AdamArguments& arguments);

// The optimiser's memory of one array of parameters. Thread-compatible.
class Adam {
 public:
  Adam(std::int64_t parameter_count, const AdamOptions& options,
       gpu::Memory memory = gpu::Memory::kHost);

  // One step downhill; `rate_factor` scales the learning rate of this step.
  void Step(const gpu::Exec& exec, float* weight, const float* gradient, float rate_factor = 1.0f);
  void Clear();

  std::int64_t step_count() const { return powers_.steps; }

  // For checkpoints: the two moments, and the running powers of beta.
  struct Powers {
    std::int64_t steps = 0;
    double beta1_power = 1.0;
    double beta2_power = 1.0;
  };
  gpu::Buffer<float>& moments() { return moments_; }
  const gpu::Buffer<float>& moments() const { return moments_; }
  Powers& powers() { return powers_; }
  const Powers& powers() const { return powers_; }

 private:
  std::int64_t count_;
  AdamOptions options_;
  gpu::Buffer<float> moments_;  // mean, then variance
  Powers powers_;
};

}  // namespace weft::operators::learn
