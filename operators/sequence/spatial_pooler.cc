#include "operators/sequence/spatial_pooler.h"

#include <algorithm>
#include <cmath>

#include "gpu/elementary.h"
#include "gpu/host_device.h"
#include "operators/sequence/permanence.h"

namespace weft::operators::sequence {

SpatialPooler::SpatialPooler(const SpatialPoolerOptions& options)
    : options_(options),
      connected_(FixedPermanence(options.connected_permanence)),
      up_(FixedPermanence(options.active_increment)),
      down_(FixedPermanence(options.inactive_decrement)),
      permanence_(static_cast<std::size_t>(options.columns * options.inputs), std::int16_t{-1}),
      is_connected_(static_cast<std::size_t>(options.columns * options.inputs)),
      overlap_(static_cast<std::size_t>(options.columns)),
      part_(static_cast<std::size_t>(options.columns)),
      on_(static_cast<std::size_t>(options.inputs)),
      before_(static_cast<std::size_t>(options.inputs)),
      overlap_duty_(static_cast<std::size_t>(options.columns)),
      active_duty_(static_cast<std::size_t>(options.columns)),
      boost_(static_cast<std::size_t>(options.columns), 1.0f) {
  const auto inputs = static_cast<std::uint64_t>(options.inputs);
  const auto potential = static_cast<std::int64_t>(
      std::floor(options.potential_share * static_cast<double>(options.inputs) + 0.5));
  for (std::uint64_t column = 0; column < static_cast<std::uint64_t>(options.columns); ++column) {
    const std::uint64_t seed = gpu::CounterHash(options.seed, column, 0);
    // Of few that are left out it is quicker to draw those.
    const bool most = 2 * potential > options.inputs;
    const SparseBits drawn =
        RandomBits(options.inputs, most ? options.inputs - potential : potential, seed);
    std::int16_t* const row = permanence_.data() + column * inputs;
    auto next = drawn.bits.begin();  // rising
    for (std::uint64_t input = 0; input < inputs; ++input) {
      const bool is_drawn = next != drawn.bits.end() && *next == input;
      if (is_drawn) ++next;
      if (is_drawn == most) continue;
      const std::uint64_t draw = gpu::CounterHash(options.seed + 1, column, input);
      const float where = gpu::UnitFloat(gpu::CounterHash(options.seed + 2, column, input));
      const std::int32_t least = draw % 2 == 0 ? connected_ : 0;
      const std::int32_t above = draw % 2 == 0 ? kWholePermanence - connected_ : connected_;
      row[input] = static_cast<std::int16_t>(
          least + static_cast<std::int32_t>(where * static_cast<float>(above)));
    }
  }
  Connect();
}

std::size_t SpatialPooler::bytes() const {
  return permanence_.size() * sizeof(std::int16_t) + is_connected_.size() +
         overlap_.size() * (sizeof(std::uint16_t) + 3 * sizeof(float)) + on_.size() +
         before_.size() * sizeof(std::int16_t);
}

void SpatialPooler::Connect() {
  const auto columns = static_cast<std::size_t>(options_.columns);
  const auto inputs = static_cast<std::size_t>(options_.inputs);
  // Some columns at a time, so that what is written lies together.
  constexpr std::size_t kAtOnce = 64;
  for (std::size_t begin = 0; begin < columns; begin += kAtOnce)
    for (std::size_t input = 0; input < inputs; ++input)
      for (std::size_t column = begin; column < std::min(begin + kAtOnce, columns); ++column)
        is_connected_[input * columns + column] =
            permanence_[column * inputs + input] >= connected_ ? 1 : 0;
}

void SpatialPooler::CountOverlaps(std::span<const std::uint32_t> input) {
  const auto columns = static_cast<std::size_t>(options_.columns);
  std::ranges::fill(overlap_, std::uint16_t{0});
  // Bytes hold the counts of as many inputs.
  constexpr std::size_t kAtOnce = 255;
  for (std::size_t begin = 0; begin < input.size(); begin += kAtOnce) {
    std::ranges::fill(part_, std::uint8_t{0});
    std::uint8_t* const part = part_.data();
    for (const std::uint32_t bit : input.subspan(begin, std::min(kAtOnce, input.size() - begin))) {
      const std::uint8_t* const row = is_connected_.data() + bit * columns;
      for (std::size_t c = 0; c < columns; ++c)
        part[c] = static_cast<std::uint8_t>(part[c] + row[c]);
    }
    for (std::size_t c = 0; c < columns; ++c)
      overlap_[c] = static_cast<std::uint16_t>(overlap_[c] + part[c]);
  }
}

// Those with the most overlap, of equal ones the last.
void SpatialPooler::PickColumns() {
  const std::int64_t columns = options_.columns;
  const std::int64_t kept = std::min(columns, options_.active_columns);
  active_.clear();
  if (options_.boost_strength > 0.0) {
    std::vector<std::pair<float, std::uint32_t>> order;
    for (std::uint32_t c = 0; c < columns; ++c)
      order.emplace_back(static_cast<float>(overlap_[c]) * boost_[c], c);
    std::ranges::nth_element(order, order.begin() + (kept - 1), std::ranges::greater());
    for (std::int64_t i = 0; i < kept; ++i)
      active_.push_back(order[static_cast<std::size_t>(i)].second);
    std::ranges::sort(active_);
    return;
  }
  with_overlap_.assign(static_cast<std::size_t>(options_.inputs) + 1, 0);
  for (const std::uint16_t one : overlap_) ++with_overlap_[one];
  std::size_t least = with_overlap_.size() - 1;
  std::int64_t left = kept;
  while (least > 0 && with_overlap_[least] < left) left -= with_overlap_[least--];
  std::int64_t passed = with_overlap_[least] - left;  // of equal ones, the first
  constexpr std::uint32_t kAtOnce = 32;
  for (std::uint32_t begin = 0; begin < columns; begin += kAtOnce) {
    const auto end = std::min(begin + kAtOnce, static_cast<std::uint32_t>(columns));
    std::uint16_t most = 0;
    for (std::uint32_t c = begin; c < end; ++c) most = std::max(most, overlap_[c]);
    if (most < least) continue;
    for (std::uint32_t c = begin; c < end; ++c) {
      if (overlap_[c] < least || (overlap_[c] == least && passed-- > 0)) continue;
      active_.push_back(c);
    }
  }
}

void SpatialPooler::Adapt(std::uint32_t column) {
  const auto inputs = static_cast<std::size_t>(options_.inputs);
  std::int16_t* const row = permanence_.data() + column * inputs;
  const std::uint8_t* const on = on_.data();
  const auto up = static_cast<std::int16_t>(up_), down = static_cast<std::int16_t>(-down_);
  const auto connected = static_cast<std::int16_t>(connected_);
  std::int16_t* const kept = before_.data();
  std::int16_t crossed = 0;
  for (std::size_t i = 0; i < inputs; ++i) {
    const std::int16_t before = row[i];
    kept[i] = before;
    auto after =
        static_cast<std::int16_t>(before + down + on[i] * static_cast<std::int16_t>(up - down));
    after = after < 0 ? std::int16_t{0} : after;
    after = after > kWholePermanence ? static_cast<std::int16_t>(kWholePermanence) : after;
    after = before < 0 ? before : after;
    row[i] = after;
    crossed = static_cast<std::int16_t>(crossed | ((before - connected) ^ (after - connected)));
  }
  if (crossed >= 0) return;
  const auto columns = static_cast<std::size_t>(options_.columns);
  // Each lies far away in memory: few have changed.
  for (std::size_t i = 0; i < inputs; ++i)
    if ((kept[i] >= connected) != (row[i] >= connected))
      is_connected_[i * columns + column] = row[i] >= connected ? 1 : 0;
}

void SpatialPooler::FollowDuties() {
  constexpr std::int64_t kUpdateEvery = 50;
  const auto period = static_cast<float>(std::min(options_.duty_steps, step_));
  const float keep = (period - 1.0f) / period, part = 1.0f / period;
  const float least = least_duty_;
  std::uint32_t idle = 0;
  for (std::size_t c = 0; c < overlap_duty_.size(); ++c) {
    const float duty = overlap_duty_[c] * keep + (overlap_[c] > 0 ? part : 0.0f);
    overlap_duty_[c] = duty;
    idle |= duty < least ? 1 : 0;
  }
  if (idle != 0) HelpIdleColumns();
  if (options_.boost_strength > 0.0) FollowBoosts(keep, part);
  if (step_ % kUpdateEvery == 0)
    least_duty_ =
        static_cast<float>(options_.least_overlap_duty) * *std::ranges::max_element(overlap_duty_);
}

void SpatialPooler::FollowBoosts(float keep, float part) {
  for (float& duty : active_duty_) duty *= keep;
  for (const std::uint32_t c : active_) active_duty_[c] += part;
  const float density =
      static_cast<float>(options_.active_columns) / static_cast<float>(options_.columns);
  for (std::size_t c = 0; c < boost_.size(); ++c)
    boost_[c] = gpu::Exp((density - active_duty_[c]) * static_cast<float>(options_.boost_strength));
}

void SpatialPooler::HelpIdleColumns() {
  const auto inputs = static_cast<std::size_t>(options_.inputs);
  const auto columns = static_cast<std::size_t>(options_.columns);
  for (std::size_t c = 0; c < overlap_duty_.size(); ++c) {
    if (overlap_duty_[c] >= least_duty_) continue;
    for (std::size_t i = 0; i < inputs; ++i) {
      std::int16_t& one = permanence_[c * inputs + i];
      if (one < 0) continue;
      one = static_cast<std::int16_t>(std::min(one + connected_ / 10, kWholePermanence));
      is_connected_[i * columns + c] = one >= connected_ ? 1 : 0;
    }
  }
}

std::span<const std::uint32_t> SpatialPooler::Step(std::span<const std::uint32_t> input,
                                                   bool learns) {
  CountOverlaps(input);
  PickColumns();
  if (!learns) return active_;
  ++step_;
  for (const std::uint32_t bit : input) on_[bit] = 1;
  for (const std::uint32_t column : active_) Adapt(column);
  for (const std::uint32_t bit : input) on_[bit] = 0;
  FollowDuties();
  return active_;
}

}  // namespace weft::operators::sequence
