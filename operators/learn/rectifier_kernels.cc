#include "gpu/launch.h"
#include "operators/learn/rectifier.h"

namespace weft::operators::learn {
namespace {

struct Rectify {
  float* values;
  WEFT_HD void operator()(std::int64_t i) const { values[i] = values[i] > 0.0f ? values[i] : 0.0f; }
};

struct Gradient {
  const float* values;
  float* gradient;
  WEFT_HD void operator()(std::int64_t i) const {
    gradient[i] = values[i] > 0.0f ? gradient[i] : 0.0f;
  }
};

}  // namespace

template <class E>
void RectifyOn(const E& exec, std::int64_t count, float* values) {
  gpu::ForEachIndex(exec, count, Rectify{values});
}
template <class E>
void RectifierGradientOn(const E& exec, std::int64_t count, const float* values, float* gradient) {
  gpu::ForEachIndex(exec, count, Gradient{values, gradient});
}

template void RectifyOn(const gpu::BuildExec&, std::int64_t, float*);
template void RectifierGradientOn(const gpu::BuildExec&, std::int64_t, const float*, float*);

}  // namespace weft::operators::learn
