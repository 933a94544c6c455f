#include "operators/link/label_history.h"

#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft::operators::link {
namespace {

struct Labelled {
  graph::NodeId source, target;
  bool positive;
};

std::vector<Labelled> MakeEvents(std::int64_t count, std::uint32_t nodes) {
  std::mt19937_64 random(5);
  std::vector<Labelled> events;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto source = static_cast<graph::NodeId>(random() % nodes);
    const auto target = static_cast<graph::NodeId>(random() % nodes);
    events.push_back({source, target, random() % (2 + source + target) == 0});
  }
  return events;
}

// Columns by their definition over the whole list.
class Oracle {
 public:
  explicit Oracle(const std::vector<Labelled>& past) : past_(past) {}

  std::vector<double> Read(graph::NodeId u, graph::NodeId v) {
    columns_.clear();
    Add([&](const Labelled& e) { return e.source == u; });
    Add([&](const Labelled& e) { return e.target == u; });
    Add([&](const Labelled& e) { return e.source == v; });
    Add([&](const Labelled& e) { return e.target == v; });
    Add([&](const Labelled& e) { return e.source == u && e.target == v; });
    Add([&](const Labelled& e) { return e.source == v && e.target == u; });
    Add([](const Labelled&) { return true; });
    return columns_;
  }

 private:
  double BaseRate(std::size_t end) const {
    double positives = 1;
    for (std::size_t i = 0; i < end; ++i) positives += past_[i].positive;
    return positives / (static_cast<double>(end) + 2);
  }

  void Add(const std::function<bool(const Labelled&)>& keep) {
    std::vector<std::size_t> kept;
    double positives = 0;
    double since = std::log1p(past_.size()) + 1;
    for (std::size_t i = 0; i < past_.size(); ++i) {
      if (!keep(past_[i])) continue;
      kept.push_back(i);
      positives += past_[i].positive;
      if (past_[i].positive) since = std::log1p(past_.size() - i - 1);
    }
    const auto count = static_cast<double>(kept.size());
    const double base = BaseRate(past_.size());
    const double share = (positives + base) / (count + 1);
    columns_.push_back(std::log1p(count));
    columns_.push_back(std::log1p(positives));
    columns_.push_back(std::log(share / (1 - share)));
    columns_.push_back(kept.empty() ? 0 : past_[kept.back()].positive ? 1 : -1);
    columns_.push_back(since);
    for (const double step : {0.5, 0.1, 0.01}) {
      double rate = kept.empty() ? base : BaseRate(kept.front());
      for (const std::size_t i : kept) rate = (1 - step) * rate + step * past_[i].positive;
      columns_.push_back(rate);
    }
  }

  const std::vector<Labelled>& past_;
  std::vector<double> columns_;
};

TEST(LabelHistory, AgreesWithItsDefinition) {
  constexpr std::uint32_t kNodes = 7;
  LabelHistory history({.max_nodes = 100, .max_pairs = 100});
  std::vector<Labelled> past;
  for (const Labelled& event : MakeEvents(250, kNodes)) {
    if (past.size() % 25 < 2) {
      for (std::uint32_t u = 0; u <= kNodes; ++u) {
        for (std::uint32_t v = 0; v <= kNodes; ++v) {
          std::vector<float> found(kLabelColumns);
          history.Read(u, v, found.data());
          const std::vector<double> expected = Oracle(past).Read(u, v);
          ASSERT_EQ(expected.size(), found.size());
          for (std::size_t k = 0; k < found.size(); ++k)
            ASSERT_NEAR(found[k], expected[k], 2e-5)
                << past.size() << " events, " << u << " to " << v << ", column " << k;
        }
      }
    }
    history.Observe(event.source, event.target, event.positive);
    past.push_back(event);
  }
}

TEST(LabelHistory, ForgetsWhoWasInactiveLongest) {
  LabelHistory history({.max_nodes = 4, .max_pairs = 2});
  history.Observe(0, 1, true);
  history.Observe(2, 3, true);
  history.Observe(0, 1, true);
  history.Observe(4, 5, true);
  EXPECT_EQ(history.Of(RecordOwner::kSourceSent, 0, 1).positives, 2u);
  EXPECT_EQ(history.Of(RecordOwner::kPair, 0, 1).positives, 2u);
  EXPECT_EQ(history.Of(RecordOwner::kSourceSent, 2, 3).count, 0u);
  EXPECT_EQ(history.Of(RecordOwner::kPair, 2, 3).count, 0u);
  history.Observe(2, 9, false);
  EXPECT_EQ(history.Of(RecordOwner::kSourceSent, 2, 9).count, 1u);
  EXPECT_EQ(history.Of(RecordOwner::kSourceSent, 2, 9).positives, 0u);
  EXPECT_EQ(history.all().count, 5u);
}

TEST(LabelHistory, ARateWithAPriorLiesBetweenBoth) {
  LabelRecord record;
  EXPECT_EQ(SmoothedRate(record, 0.25f, 2.0f), 0.25f);
  record.count = 6;
  record.positives = 3;
  EXPECT_FLOAT_EQ(SmoothedRate(record, 0.25f, 2.0f), 3.5f / 8.0f);
}

}  // namespace
}  // namespace weft::operators::link
