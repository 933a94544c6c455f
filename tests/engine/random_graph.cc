#include "tests/engine/random_graph.h"

#include <algorithm>
#include <memory>
#include <random>

#include "graph/text.h"

namespace weft::tests {
namespace {

using graph::Concat;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  RandomGraph Make() {
    const std::uint64_t input_count = 1 + Below(3);
    std::string head = Concat("name: \"random\"\nstream_capacity: ", 1 + Below(4), "\n");
    for (std::uint64_t i = 0; i < input_count; ++i) {
      head += Concat("input { name: \"in", i, "\" type: \"EventBatch\" }\n");
      streams_.push_back(Concat("in", i));
    }
    used_.resize(streams_.size());
    std::string nodes;
    const std::uint64_t node_count = input_count + 1 + Below(12 - input_count);
    for (std::uint64_t i = 0; i < node_count; ++i) nodes += Node(i);
    std::string outputs;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      // An input that no node uses would be an error; an output counts as a use.
      if (used_[i] && Below(4) != 0) continue;
      outputs += Concat("output { name: \"out", i, "\" stream: \"", streams_[i], "\" }\n");
    }
    return {Concat(head, nodes, outputs), Steps(input_count)};
  }

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_() % bound; }

  // A stream to read, mostly one that nobody reads yet.
  const std::string& PickStream() {
    std::size_t pick = Below(streams_.size());
    for (std::size_t i = 0; i < streams_.size() && used_[pick] && Below(4) != 0; ++i) {
      pick = (pick + 1) % streams_.size();
    }
    used_[pick] = true;
    return streams_[pick];
  }

  std::string Node(std::uint64_t index) {
    static constexpr const char* kOperators[] = {"test_join",  "test_join",  "test_pass",
                                                 "test_fold",  "test_widen", "test_gate",
                                                 "test_jitter"};
    const std::string operator_name = kOperators[Below(std::size(kOperators))];
    std::string node = Concat("node { name: \"n", index, "\" operator: \"", operator_name, "\"");
    if (operator_name == "test_join") {
      node += Concat(" input: \"LEFT:", PickStream(), "\"");
      node += Concat(" input: \"RIGHT:", PickStream(), "\"");
    } else {
      node += Concat(" input: \"EVENTS:", PickStream(), "\"");
    }
    const std::uint64_t amount = operator_name == "test_jitter" ? 20'000 : 1 + Below(3);
    node +=
        Concat(" output: \"EVENTS:s", index, "\" options { [type.url/weft.tests.v1.TestOptions]",
               " { micro_batch: ", 1 + Below(12), " amount: ", amount, " } } }\n");
    streams_.push_back(Concat("s", index));
    used_.push_back(false);
    return node;
  }

  // Batch j of every input has the same time, so that one thread can push all inputs in turn even
  // where a stream holds one packet. In the end time is over.
  std::vector<InputStep> Steps(std::uint64_t input_count) {
    constexpr std::uint64_t kBatchCount = 12;
    constexpr graph::TimeUs kBatchUs = 100;
    std::vector<graph::LogPosition> next(input_count);
    for (std::uint64_t i = 0; i < input_count; ++i)
      next[i].feed = static_cast<std::uint32_t>(i + 1);
    std::vector<InputStep> steps;
    for (std::uint64_t j = 0; j <= kBatchCount; ++j) {
      for (std::uint64_t i = 0; i < input_count; ++i) {
        InputStep& step = steps.emplace_back();
        step.input = Concat("in", i);
        step.position = next[i];
        step.time_us =
            j == kBatchCount ? graph::kAfterAllTime : static_cast<graph::TimeUs>(j + 1) * kBatchUs;
        const bool only_time = j == kBatchCount || Below(8) == 0;
        const std::uint64_t rows = only_time ? 0 : Below(30);
        next[i].offset += std::max<std::uint64_t>(rows, 1);
        if (only_time) continue;
        step.packet = graph::Packet::Make<graph::EventBatch>(
            std::make_shared<const graph::EventBatch>(
                RandomEvents(random_(), static_cast<std::int64_t>(rows), 50,
                             static_cast<graph::TimeUs>(j) * kBatchUs)),
            step.position, step.time_us);
      }
    }
    return steps;
  }

  std::mt19937_64 random_;
  std::vector<std::string> streams_;
  std::vector<bool> used_;
};

}  // namespace

RandomGraph MakeRandomGraph(std::uint64_t seed) { return Generator(seed).Make(); }

}  // namespace weft::tests
