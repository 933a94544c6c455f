#include "operators/link/wait_history.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace weft::operators::link {
namespace {

struct Timed {
  graph::NodeId source, target;
  graph::TimeUs time_us;
};

// Often several events of one time.
std::vector<Timed> MakeEvents(std::int64_t count, std::uint32_t nodes) {
  std::mt19937_64 random(5);
  std::vector<Timed> events;
  graph::TimeUs time_us = -3'000'000;
  for (std::int64_t i = 0; i < count; ++i) {
    if (random() % 3 != 0) time_us += static_cast<graph::TimeUs>(random() % 90'000'000);
    events.push_back({static_cast<graph::NodeId>(random() % nodes),
                      static_cast<graph::NodeId>(random() % nodes), time_us});
  }
  return events;
}

// Columns by their definition over the whole list.
class Oracle {
 public:
  Oracle(const std::vector<Timed>& past, std::uint32_t nodes) : past_(past), nodes_(nodes) {}

  std::vector<double> Read(graph::NodeId u, graph::NodeId v, graph::TimeUs now_us) {
    now_us_ = now_us;
    columns_.clear();
    Add(Sent(u), AllSent());
    Add(Received(u), AllReceived());
    Add(Sent(v), AllSent());
    Add(Received(v), AllReceived());
    Add(Pair(u, v), AllPairs());
    Add(Pair(v, u), AllPairs());
    return columns_;
  }

 private:
  using Moments = std::vector<graph::TimeUs>;
  using Waits = std::vector<double>;

  Moments MomentsOf(const std::function<bool(const Timed&)>& keep) const {
    Moments moments;
    for (const Timed& e : past_)
      if (keep(e) && (moments.empty() || moments.back() != e.time_us)) moments.push_back(e.time_us);
    return moments;
  }
  Moments Sent(graph::NodeId u) const {
    return MomentsOf([&](const Timed& e) { return e.source == u; });
  }
  Moments Received(graph::NodeId u) const {
    return MomentsOf([&](const Timed& e) { return e.target == u; });
  }
  Moments Pair(graph::NodeId u, graph::NodeId v) const {
    return MomentsOf([&](const Timed& e) { return e.source == u && e.target == v; });
  }
  static Waits LogsOf(const Moments& moments) {
    Waits logs;
    for (std::size_t i = 1; i < moments.size(); ++i)
      logs.push_back(std::log(1e-6 * static_cast<double>(moments[i] - moments[i - 1])));
    return logs;
  }
  static void Append(const Moments& moments, Waits& all) {
    for (const double log : LogsOf(moments)) all.push_back(log);
  }
  Waits AllSent() const {
    Waits all;
    for (graph::NodeId u = 0; u < nodes_; ++u) Append(Sent(u), all);
    return all;
  }
  Waits AllReceived() const {
    Waits all;
    for (graph::NodeId u = 0; u < nodes_; ++u) Append(Received(u), all);
    return all;
  }
  Waits AllPairs() const {
    Waits all;
    for (graph::NodeId u = 0; u < nodes_; ++u)
      for (graph::NodeId v = 0; v < nodes_; ++v) Append(Pair(u, v), all);
    return all;
  }

  void Add(const Moments& moments, const Waits& all) {
    const Waits logs = LogsOf(moments);
    double all_mean = 0, all_square = all.empty() ? 1 : 0, mean = 0, square = 0;
    for (const double log : all) {
      all_mean += log / static_cast<double>(all.size());
      all_square += log * log / static_cast<double>(all.size());
    }
    for (const double log : logs) mean += log, square += log * log;
    const double count = static_cast<double>(logs.size()) + 1;
    mean = (mean + all_mean) / count;
    square = (square + all_square) / count;
    const auto age = [&](graph::TimeUs then_us) {
      return std::log1p(1e-6 * static_cast<double>(now_us_ - then_us));
    };
    columns_.push_back(std::log1p(moments.size()));
    if (moments.empty()) {
      columns_.push_back(1 + (past_.empty() ? 0.0 : age(past_.front().time_us)));
    } else {
      columns_.push_back(age(moments.back()));
    }
    columns_.push_back(mean);
    columns_.push_back(std::sqrt(std::max(1e-4, square - mean * mean)));
    for (std::size_t i = 0; i < 3; ++i)
      columns_.push_back(i < logs.size() ? logs[logs.size() - 1 - i] : mean);
    for (const double step : {0.5, 0.1}) {
      double average = logs.empty() ? mean : logs.front();
      for (const double log : logs) average += step * (log - average);
      columns_.push_back(average);
    }
  }

  const std::vector<Timed>& past_;
  std::uint32_t nodes_;
  graph::TimeUs now_us_ = 0;
  std::vector<double> columns_;
};

TEST(WaitHistory, AgreesWithItsDefinition) {
  constexpr std::uint32_t kNodes = 6;
  WaitHistory history({.max_nodes = 100, .max_pairs = 100});
  std::vector<Timed> past;
  for (const Timed& event : MakeEvents(200, kNodes)) {
    if (past.size() % 25 < 2) {
      for (std::uint32_t u = 0; u <= kNodes; ++u) {
        for (std::uint32_t v = 0; v <= kNodes; v += 2) {
          std::vector<float> found(kWaitColumns);
          history.Read(u, v, event.time_us, found.data());
          const std::vector<double> expected = Oracle(past, kNodes).Read(u, v, event.time_us);
          ASSERT_EQ(expected.size(), found.size());
          for (std::size_t k = 0; k < found.size(); ++k)
            ASSERT_NEAR(found[k], expected[k], 2e-5)
                << past.size() << " events, " << u << " to " << v << ", column " << k;
        }
      }
    }
    history.Observe(event.source, event.target, event.time_us);
    past.push_back(event);
  }
}

TEST(WaitHistory, ForgetsWhoWasInactiveLongest) {
  WaitHistory history({.max_nodes = 2, .max_pairs = 1});
  history.Observe(0, 1, 1'000'000);
  history.Observe(0, 1, 3'000'000);
  EXPECT_EQ(history.Of(RecordOwner::kPair, 0, 1).count, 1u);
  history.Observe(2, 3, 4'000'000);
  EXPECT_EQ(history.Of(RecordOwner::kPair, 0, 1).moments, 0u);
  EXPECT_EQ(history.Of(RecordOwner::kSourceSent, 0, 1).moments, 0u);
  EXPECT_EQ(history.AllOf(RecordOwner::kSourceSent).count, 1u);
}

TEST(WaitHistory, SmoothedFiguresLieBetweenBoth) {
  WaitHistory history({.max_nodes = 10, .max_pairs = 10});
  for (const int second : {0, 1, 2, 3}) history.Observe(0, 1, second * 1'000'000);
  history.Observe(2, 1, 0 + 4'000'000);
  history.Observe(2, 1, 104'000'000);
  const WaitRecord& own = history.Of(RecordOwner::kSourceSent, 0, 1);
  const WaitRecord& all = history.AllOf(RecordOwner::kSourceSent);
  EXPECT_NEAR(SmoothedMeanSeconds(own, all, 1e-9), 1.0, 1e-6);
  EXPECT_NEAR(SmoothedMeanSeconds(own, all, 1.0), (3.0 + 103.0 / 4) / 4, 1e-9);
  EXPECT_NEAR(SmoothedLogWait(own, all, 1e12).mean, std::log(100.0) / 4, 1e-6);
}

}  // namespace
}  // namespace weft::operators::link
