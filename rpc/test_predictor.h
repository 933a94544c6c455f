// What the tests of this folder share: an operator that predicts by counting, a graph of it, and a
// server around that.
#pragma once

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "graph/catalog.h"
#include "graph/operator.h"
#include "operators/link/link_types.h"
#include "rpc/server.h"

namespace weft::rpc {

// The score of a pair is how often it came.
class CountingPredictor final : public graph::Operator, public operators::link::LinkReader {
 public:
  using Pair = std::pair<graph::NodeId, graph::NodeId>;
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<operators::link::LinkScores> kScores{"SCORES"};

  static graph::Contract contract() {
    graph::Contract contract;
    contract.reads = graph::Reads::kBeforeBatch;
    return contract.Input(kEvents).Output(kScores);
  }

  absl::Status Open(graph::OpenContext&) override { return absl::OkStatus(); }

  absl::Status Process(graph::ProcessContext& context) override {
    const graph::EventBatch& batch = context.Get(kEvents);
    auto scores = std::make_shared<operators::link::LinkScores>();
    scores->model = "counting";
    scores->model_version = version_;
    for (auto i = static_cast<std::size_t>(context.begin());
         i < static_cast<std::size_t>(context.end()); ++i) {
      scores->events.source.push_back(batch.source[i]);
      scores->events.target.push_back(batch.target[i]);
      scores->events.time_us.push_back(batch.time_us[i]);
      scores->positive_score.push_back(Count({batch.source[i], batch.target[i]}));
      coverage_.Add(scores->positive_score.back());
    }
    for (std::size_t i = 0; i < scores->events.source.size(); ++i) {
      const Pair pair(scores->events.source[i], scores->events.target[i]);
      counts_[pair] += 1;
      targets_.erase(std::remove(targets_.begin(), targets_.end(), pair.second), targets_.end());
      targets_.push_back(pair.second);
    }
    ++version_;
    context.Emit(kScores, std::shared_ptr<const operators::link::LinkScores>(std::move(scores)));
    return absl::OkStatus();
  }

  absl::Status Save(graph::CheckpointSink& sink) const override {
    std::vector<std::uint32_t> numbers = {static_cast<std::uint32_t>(version_),
                                          static_cast<std::uint32_t>(counts_.size()),
                                          static_cast<std::uint32_t>(targets_.size())};
    for (const auto& [pair, count] : counts_) {
      numbers.insert(numbers.end(), {pair.first, pair.second, count});
    }
    numbers.insert(numbers.end(), targets_.begin(), targets_.end());
    return sink.Write("counts", std::as_bytes(std::span(numbers)));
  }

  absl::Status Load(graph::CheckpointSource& source) override {
    std::vector<std::uint32_t> numbers(source.Remaining("counts") / sizeof(std::uint32_t));
    WEFT_TRY(source.Read("counts", std::as_writable_bytes(std::span(numbers))));
    version_ = numbers[0];
    std::size_t next = 3;
    for (std::uint32_t i = 0; i < numbers[1]; ++i, next += 3) {
      counts_[{numbers[next], numbers[next + 1]}] = numbers[next + 2];
    }
    targets_.assign(numbers.begin() + static_cast<std::ptrdiff_t>(next), numbers.end());
    return absl::OkStatus();
  }

  std::string model_name() const override { return "counting"; }
  std::uint64_t model_version() const override { return version_; }
  bool learned() const override { return false; }
  void ScorePairs(std::span<const graph::NodeId> source, std::span<const graph::NodeId> target,
                  std::span<operators::link::PairScore> score) const override {
    for (std::size_t i = 0; i < score.size(); ++i)
      score[i] = operators::link::PairScore::Of(Count({source[i], target[i]}));
  }
  std::vector<graph::NodeId> RecentTargets(std::int64_t limit) const override {
    const auto count = std::min(static_cast<std::size_t>(limit), targets_.size());
    return {targets_.rbegin(), targets_.rbegin() + static_cast<std::ptrdiff_t>(count)};
  }
  std::optional<operators::link::CoverageEstimate> Coverage(double coverage) const override {
    return coverage_.At(coverage);
  }
  std::int64_t known_target_count() const override {
    return static_cast<std::int64_t>(targets_.size());
  }

 private:
  float Count(const Pair& pair) const {
    const auto found = counts_.find(pair);
    return found == counts_.end() ? 0.0F : static_cast<float>(found->second);
  }

  std::map<Pair, std::uint32_t> counts_;
  std::vector<graph::NodeId> targets_;        // the most recent last
  operators::link::CoverageWindow coverage_;  // not saved
  std::uint64_t version_ = 0;
};

inline const graph::Catalog& TestCatalog() {
  static const graph::Catalog* const catalog = [] {
    auto* const made = new graph::Catalog();
    made->Add<CountingPredictor>("counting_predictor");
    return made;
  }();
  return *catalog;
}

inline constexpr const char* kTestGraph = R"(
name: "test"
input { name: "events" type: "EventBatch" }
node {
  name: "counter"
  operator: "counting_predictor"
  input: "EVENTS:events"
  output: "SCORES:scores"
}
output { name: "predictions" stream: "scores" }
)";

// A data directory that goes when the test ends.
class TestPlace {
 public:
  TestPlace() {
    static std::atomic<int> count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("weft_rpc_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    std::filesystem::remove_all(path_);
  }
  ~TestPlace() { std::filesystem::remove_all(path_); }
  TestPlace(const TestPlace&) = delete;
  TestPlace& operator=(const TestPlace&) = delete;
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// On free ports of loopback.
inline Server::Options TestServerOptions(const TestPlace& place) {
  Server::Options options;
  options.config.set_data_dir(place.path());
  options.config.set_listen("127.0.0.1:0");
  options.config.set_http_listen("127.0.0.1:0");
  options.graph_text = kTestGraph;
  options.graph_name = "test.pbtxt";
  options.catalog = &TestCatalog();
  options.threads = 2;
  return options;
}

}  // namespace weft::rpc
