#include "operators/sequence/seasonal_distance.h"

namespace weft::operators::sequence {

void SeasonalDistance::Begin(graph::TimeUs time_us, double value) {
  finder_.Next(time_us, value);
  if (finder_.has_changed()) std::ranges::fill(slots_, Slot{});
  slot_ = SlotOf(time_us);
}

std::optional<double> SeasonalDistance::Of(double value, const SeriesBounds& bounds) const {
  const Slot& usual = slots_[slot_];
  if (usual.count < 2.0) return std::nullopt;
  return std::abs(value - usual.mean) /
         (0.5 * usual.deviation + 0.15 * bounds.spread.deviation + bounds.floor());
}

void SeasonalDistance::Learn(double value) {
  Slot& usual = slots_[slot_];
  const double rate = std::max(1.0 / (usual.count + 1.0), 1.0 / 200.0);
  const double distance = usual.count == 0.0 ? 0.0 : value - usual.mean;
  usual.mean = usual.count == 0.0 ? value : usual.mean + rate * distance;
  usual.deviation += rate * (std::abs(distance) - usual.deviation);
  usual.count += 1.0;
}

double SeasonalDistance::MeanAt(graph::TimeUs time_us) const {
  const Slot& slot = slots_[SlotOf(time_us)];
  return slot.count > 0.0 ? slot.mean : std::nan("");
}

}  // namespace weft::operators::sequence
