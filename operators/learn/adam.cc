#include "operators/learn/adam.h"

namespace weft::operators::learn {

Adam::Adam(std::int64_t parameter_count, const AdamOptions& options, gpu::Memory memory)
    : count_(parameter_count), options_(options), moments_(2 * parameter_count, memory) {}

void Adam::Clear() {
  moments_.Clear();
  powers_ = {};
}

void Adam::Step(const gpu::Exec& exec, float* weight, const float* gradient, float rate_factor) {
  ++powers_.steps;
  powers_.beta1_power *= options_.beta1;  // running products: no pow(), whose bits vary
  powers_.beta2_power *= options_.beta2;
  const AdamArguments arguments{
      .count = count_,
      .weight = weight,
      .gradient = gradient,
      .mean = moments_.data(),
      .variance = moments_.data() + count_,
      .step_size =
          static_cast<float>(options_.learning_rate * rate_factor / (1.0 - powers_.beta1_power)),
      .variance_correction = static_cast<float>(1.0 / (1.0 - powers_.beta2_power)),
      .beta1 = options_.beta1,
      .beta2 = options_.beta2,
      .epsilon = options_.epsilon};
  std::visit([&](const auto& e) { AdamStepOn(e, arguments); }, exec);
}

}  // namespace weft::operators::learn
