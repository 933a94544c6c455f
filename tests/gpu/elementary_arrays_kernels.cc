#include "gpu/elementary.h"
#include "gpu/launch.h"
#include "tests/gpu/elementary_arrays.h"

namespace weft::gpu {

struct ElementaryArrays {
  std::int64_t count;
  const float* from;
  float* to;
  WEFT_HD void operator()(std::int64_t i) const {
    const float x = from[i];
    const float magnitude = x < 0.0f ? -x : x;
    to[i] = Exp(x);
    to[count + i] = Log(magnitude + 1e-20f);
    to[2 * count + i] = Log1p(magnitude);
    to[3 * count + i] = Tanh(x);
    to[4 * count + i] = Sigmoid(x);
  }
};

template <class E>
void ElementaryArraysOn(const E& exec, std::int64_t count, const float* from, float* to) {
  ForEachIndex(exec, count, ElementaryArrays{count, from, to});
}

template void ElementaryArraysOn(const BuildExec&, std::int64_t, const float*, float*);

}  // namespace weft::gpu
