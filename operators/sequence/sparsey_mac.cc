#include "operators/sequence/sparsey_mac.h"

#include <algorithm>

#include "gpu/elementary.h"
#include "gpu/host_device.h"
#include "operators/sequence/elementary.h"

namespace weft::operators::sequence {
namespace {

// Familiarity that counts as none, and what the rest is worth.
constexpr double kUnfamiliar = 0.1, kExpansion = 100.0, kSteepExpansion = 1e4;

double Seventh(double x) {
  const double cube = x * x * x;
  return cube * cube * x;
}

}  // namespace

double SameWinners(const SparseyCode& one, const SparseyCode& other) {
  double same = 0.0;
  for (std::size_t m = 0; m < one.winner.size(); ++m)
    same += one.winner[m] == other.winner[m] ? 1.0 : 0.0;
  return one.winner.empty() ? 0.0 : same / static_cast<double>(one.winner.size());
}

SparseyMac::SparseyMac(const SparseyOptions& options)
    : options_(options),
      weight_(static_cast<std::size_t>(options.inputs * cell_count())),
      past_weight_(options.has_past ? static_cast<std::size_t>(cell_count() * cell_count()) : 0),
      above_weight_(static_cast<std::size_t>(options.above * cell_count())),
      set_(static_cast<std::size_t>(cell_count())),
      evidence_(static_cast<std::size_t>(cell_count())),
      past_evidence_(static_cast<std::size_t>(cell_count())),
      above_evidence_(static_cast<std::size_t>(cell_count())) {}

bool SparseyMac::IsWhole() const {
  return std::ranges::all_of(past_, [this](std::uint32_t cell) { return cell < cell_count(); });
}

double SparseyMac::density() const {
  double set = 0.0;
  for (const std::uint32_t one : set_) set += one;
  return weight_.empty() ? 0.0 : set / static_cast<double>(weight_.size());
}

std::int64_t SparseyMac::frozen_count() const {
  const double most = options_.saturation * static_cast<double>(options_.inputs);
  return std::ranges::count_if(set_, [most](std::uint32_t one) { return one > most; });
}

// The share of the active sources from which a cell has a weight.
void SparseyMac::Weigh(std::span<const std::uint32_t> sources,
                       const std::vector<std::uint8_t>& weight,
                       std::vector<float>& evidence) const {
  const auto cells = static_cast<std::size_t>(cell_count());
  std::vector<std::uint16_t> sum(cells);
  for (const std::uint32_t source : sources) {
    const std::uint8_t* const row = weight.data() + source * cells;
    for (std::size_t c = 0; c < cells; ++c) sum[c] = static_cast<std::uint16_t>(sum[c] + row[c]);
  }
  const auto all = static_cast<float>(std::max<std::size_t>(sources.size(), 1));
  for (std::size_t c = 0; c < cells; ++c) {
    const float share = static_cast<float>(sum[c]) / all;
    float powered = share;
    for (std::int32_t e = 1; e < options_.exponent; ++e) powered *= share;
    evidence[c] = powered;
  }
}

double SparseyMac::FamiliarityOf(const std::vector<float>& evidence) const {
  double sum = 0.0;
  for (std::int32_t m = 0; m < options_.modules; ++m) {
    const auto begin = evidence.begin() + std::int64_t{m} * options_.cells;
    sum += static_cast<double>(*std::max_element(begin, begin + options_.cells));
  }
  return sum / static_cast<double>(options_.modules);
}

std::uint16_t SparseyMac::Best(std::int32_t module) const {
  const std::int64_t first = std::int64_t{module} * options_.cells;
  std::int64_t best = 0;
  std::uint64_t best_draw = 0;
  for (std::int64_t k = 0; k < options_.cells; ++k) {
    const float evidence = evidence_[static_cast<std::size_t>(first + k)];
    const float least = evidence_[static_cast<std::size_t>(first + best)];
    const std::uint64_t draw =
        gpu::CounterHash(options_.seed, frame_, static_cast<std::uint64_t>(first + k));
    if (k > 0 && (evidence < least || (evidence == least && draw <= best_draw))) continue;
    best = k;
    best_draw = draw;
  }
  return static_cast<std::uint16_t>(best);
}

std::uint16_t SparseyMac::Draw(std::int32_t module, double familiarity) const {
  const std::int64_t first = std::int64_t{module} * options_.cells;
  const double known = std::max(0.0, familiarity - kUnfamiliar) / (1.0 - kUnfamiliar);
  const double expansion =
      options_.sigmoid == SparseySigmoid::kGraded
          ? 1.0 + known * known * kExpansion * static_cast<double>(options_.cells)
          : kSteepExpansion * Seventh(std::max(0.0, familiarity));
  const auto chance = [&](std::int64_t k) {
    const auto evidence = static_cast<double>(evidence_[static_cast<std::size_t>(first + k)]);
    if (options_.sigmoid == SparseySigmoid::kSteep)
      return 1.0 + expansion / (1.0 + Exp(13.0 - 26.0 * evidence));
    if (evidence >= 0.999) return expansion;
    return std::max(1.0, expansion / (1.0 + Exp(-4.0 * (evidence - 0.5))));
  };
  double all = 0.0;
  for (std::int64_t k = 0; k < options_.cells; ++k) all += chance(k);
  double left = all * static_cast<double>(gpu::UnitFloat(gpu::CounterHash(
                          options_.seed + 1, frame_, static_cast<std::uint64_t>(module))));
  for (std::int64_t k = 0; k + 1 < options_.cells; ++k) {
    left -= chance(k);
    if (left < 0.0) return static_cast<std::uint16_t>(k);
  }
  return static_cast<std::uint16_t>(options_.cells - 1);
}

void SparseyMac::Store(std::span<const std::uint32_t> inputs, std::span<const std::uint32_t> above,
                       const SparseyCode& code) {
  const auto cells = static_cast<std::size_t>(cell_count());
  const double most = options_.saturation * static_cast<double>(options_.inputs);
  for (std::int32_t m = 0; m < options_.modules; ++m) {
    const auto cell = static_cast<std::size_t>(m) * static_cast<std::size_t>(options_.cells) +
                      code.winner[static_cast<std::size_t>(m)];
    if (set_[cell] <= most)
      for (const std::uint32_t input : inputs) {
        std::uint8_t& weight = weight_[input * cells + cell];
        set_[cell] += weight == 0 ? 1 : 0;
        weight = 1;
      }
    if (options_.has_past)
      for (const std::uint32_t before : past_) past_weight_[before * cells + cell] = 1;
    if (options_.above > 0)
      for (const std::uint32_t one : above) above_weight_[one * cells + cell] = 1;
  }
}

// Of the inputs with both, with either and alone, the first that is familiar enough; of two with as
// many sources, the more familiar one. What is learned takes in all there is.
void SparseyMac::Gather(std::span<const std::uint32_t> above, bool learns) {
  const bool hears_past = options_.has_past && !past_.empty();
  const bool hears_above = options_.above > 0 && !above.empty();
  if (hears_past) Weigh(past_, past_weight_, past_evidence_);
  if (hears_above) Weigh(above, above_weight_, above_evidence_);
  const auto with = [this](bool past, bool over) {
    std::vector<float> all = evidence_;
    for (std::size_t c = 0; c < all.size(); ++c) {
      if (past) all[c] *= past_evidence_[c];
      if (over) all[c] *= above_evidence_[c];
    }
    return all;
  };
  if (!hears_past && !hears_above) return;
  std::vector<float> all = with(hears_past, hears_above);
  const bool takes_all = learns || !options_.backs_off;
  if (takes_all || FamiliarityOf(all) >= options_.back_off) {
    evidence_ = std::move(all);
    return;
  }
  if (!hears_past || !hears_above) return;
  std::vector<float> past = with(true, false), over = with(false, true);
  std::vector<float>& best = FamiliarityOf(over) > FamiliarityOf(past) ? over : past;
  if (FamiliarityOf(best) >= options_.back_off) evidence_ = std::move(best);
}

SparseyCode SparseyMac::Frame(std::span<const std::uint32_t> inputs, bool learns, bool begins,
                              std::span<const std::uint32_t> above) {
  if (begins) past_.clear();
  ++frame_;
  Weigh(inputs, weight_, evidence_);
  Gather(above, learns);
  SparseyCode code;
  code.familiarity = FamiliarityOf(evidence_);
  for (std::int32_t m = 0; m < options_.modules; ++m)
    code.winner.push_back(learns ? Draw(m, code.familiarity) : Best(m));
  if (learns) Store(inputs, above, code);
  past_.clear();
  for (std::size_t m = 0; m < code.winner.size(); ++m)
    past_.push_back(static_cast<std::uint32_t>(m) * static_cast<std::uint32_t>(options_.cells) +
                    code.winner[m]);
  return code;
}

}  // namespace weft::operators::sequence
