// RisingAlarm: of scores that stay high for a while, the moment at which they rise.
#pragma once

namespace weft::operators::sequence {

class RisingAlarm {
 public:
  // Of an anomaly likelihood in its log form.
  static constexpr double kLeast = 0.5;

  // The score where it comes to kLeast from below, else 0.
  double Next(double score) {
    const double alarm = score >= kLeast && before_ < kLeast ? score : 0.0;
    before_ = score;
    return alarm;
  }

  // State to save, and to load.
  template <class Self, class Archive>
  static void VisitState(Self& self, Archive& archive) {
    archive.Value(self.before_);
  }

 private:
  double before_ = 0.0;
};

}  // namespace weft::operators::sequence
