// The step of operators/learn/adam.h, one parameter an index.
#include "gpu/launch.h"
#include "operators/learn/adam.h"

namespace weft::operators::learn {

struct AdamStep {
  AdamArguments a;
  WEFT_HD void operator()(std::int64_t i) const {
    const float g = a.gradient[i];
    const float mean = gpu::Fma(1.0f - a.beta1, g, a.beta1 * a.mean[i]);
    const float variance = gpu::Fma((1.0f - a.beta2) * g, g, a.beta2 * a.variance[i]);
    a.mean[i] = mean;
    a.variance[i] = variance;
    const float scale = __builtin_sqrtf(variance * a.variance_correction) + a.epsilon;
    a.weight[i] = a.weight[i] - a.step_size * mean / scale;
  }
};

template <class E>
void AdamStepOn(const E& exec, const AdamArguments& arguments) {
  gpu::ForEachIndex(exec, arguments.count, AdamStep{arguments});
}

template void AdamStepOn(const gpu::BuildExec&, const AdamArguments&);

}  // namespace weft::operators::learn
