#include "operators/sequence/sdr_classifier.h"

#include <algorithm>

#include "gpu/elementary.h"

namespace weft::operators::sequence {

SdrClassifier::SdrClassifier(SdrClassifierOptions options)
    : options_(std::move(options)),
      weight_(options_.steps.size() * static_cast<std::size_t>(options_.bits * options_.classes)) {}

std::vector<double> SdrClassifier::Probabilities(std::size_t step,
                                                 std::span<const std::uint32_t> bits) const {
  const auto classes = static_cast<std::size_t>(options_.classes);
  const float* const weight =
      weight_.data() + step * static_cast<std::size_t>(options_.bits) * classes;
  std::vector<float> sum(classes);
  for (const std::uint32_t bit : bits)
    for (std::size_t c = 0; c < classes; ++c) sum[c] += weight[bit * classes + c];
  const float most = *std::ranges::max_element(sum);
  std::vector<double> probability(classes);
  double all = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    probability[c] = static_cast<double>(gpu::Exp(sum[c] - most));
    all += probability[c];
  }
  for (double& one : probability) one /= all;
  return probability;
}

void SdrClassifier::Learn(std::span<const std::uint32_t> bits, std::int64_t now) {
  const auto classes = static_cast<std::size_t>(options_.classes);
  for (std::size_t s = 0; s < options_.steps.size(); ++s) {
    const auto steps = static_cast<std::size_t>(options_.steps[s]);
    if (steps > before_.size()) continue;
    const std::vector<std::uint32_t>& then = before_[before_.size() - steps];
    if (then.empty()) continue;
    const double rate = options_.rate / static_cast<double>(then.size());
    const std::vector<double> said = Probabilities(s, then);
    float* const weight = weight_.data() + s * static_cast<std::size_t>(options_.bits) * classes;
    for (std::size_t c = 0; c < classes; ++c) {
      const double came = static_cast<std::int64_t>(c) == now ? 1.0 : 0.0;
      const auto change = static_cast<float>(rate * (came - said[c]));
      for (const std::uint32_t bit : then) weight[bit * classes + c] += change;
    }
  }
  before_.emplace_back(bits.begin(), bits.end());
  if (static_cast<std::int64_t>(before_.size()) > options_.steps.back()) before_.pop_front();
}

}  // namespace weft::operators::sequence
