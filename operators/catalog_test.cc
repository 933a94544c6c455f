// The meta-test: what every operator of the catalog has to keep. A new operator needs one entry in
// Cases().
#include "operators/catalog.h"

#include <filesystem>
#include <map>

#include "graph/text.h"
#include "gtest/gtest.h"
#include "operators/link/link_evaluation_reader.h"
#include "operators/link/link_types.h"
#include "tests/harness/property.h"

namespace weft::operators {
namespace {

using link::LinkCandidates;
using link::LinkEvaluationReport;
using link::LinkScores;

template <class T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string EventBytes(const graph::EventBatch& events) {
  return Bytes(events.source) + Bytes(events.target) + Bytes(events.time_us) + Bytes(events.label) +
         Bytes(events.feature);
}

const tests::PayloadEncoders& Encoders() {
  static const auto* const kEncoders = [] {
    auto* encoders = new tests::PayloadEncoders();
    encoders->Add<LinkCandidates>([](const LinkCandidates& candidates) {
      return EventBytes(candidates.events) + Bytes(candidates.negative) +
             Bytes(candidates.extra_begin) + Bytes(candidates.extra);
    });
    encoders->Add<LinkScores>([](const LinkScores& scores) {
      return graph::Concat(EventBytes(scores.events), Bytes(scores.negative),
                           Bytes(scores.positive_score), Bytes(scores.negative_score),
                           Bytes(scores.positive_probability), Bytes(scores.negative_probability),
                           Bytes(scores.rank), scores.node, scores.model, scores.model_version);
    });
    encoders->Add<LinkEvaluationReport>([](const LinkEvaluationReport& report) {
      return graph::Concat(report.node, report.model, report.event_count, " ", report.ap, " ",
                           report.auc, " ", report.log_loss.value_or(-1.0), " ",
                           report.mrr.value_or(-1.0));
    });
    return encoders;
  }();
  return *kEncoders;
}

// A graph around each operator: input "events", output "out".
const std::map<std::string, std::string, std::less<>>& Cases() {
  static const auto* const kCases = [] {
    const std::string head = "input { name: \"events\" type: \"EventBatch\" }\n";
    const std::string sampler =
        "node { name: \"sampler\" operator: \"negative_sampler\" input: \"EVENTS:events\" "
        "output: \"CANDIDATES:candidates\" options { [type.googleapis.com/"
        "weft.operators.link.v1.NegativeSampler] { ranked_one_in: 4 } } }\n";
    const std::string tail = "output { name: \"out\" stream: \"out\" }\n";
    const auto scorer = [&](const std::string& name, const std::string& options) {
      return head + sampler + "node { name: \"node\" operator: \"" + name +
             "\" input: \"CANDIDATES:candidates\" output: \"SCORES:out\" options { " + options +
             " } }\n" + tail;
    };
    return new std::map<std::string, std::string, std::less<>>{
        {"negative_sampler",
         head +
             "node { name: \"node\" operator: \"negative_sampler\" input: \"EVENTS:events\" "
             "output: "
             "\"CANDIDATES:out\" options { [type.googleapis.com/weft.operators.link.v1."
             "NegativeSampler] { seed: 3 max_targets: 9 ranked_one_in: 3 max_sources: 7 } } }\n" +
             tail},
        {"edgebank", scorer("edgebank",
                            "[type.googleapis.com/weft.operators.link.v1.EdgeBank] { max_pairs: 40 "
                            "window_seconds: 0.0005 scoring { max_targets: 5 } }")},
        {"recency", scorer("recency",
                           "[type.googleapis.com/weft.operators.link.v1.Recency] { max_nodes: 11 "
                           "partners_per_node: 3 scoring { batch: 8 } }")},
        {"nat", scorer("nat",
                       "[type.googleapis.com/weft.operators.link.v1.Nat] { learn: true seed: 5 "
                       "max_nodes: 64 first_hop_slots: 6 second_hop_slots: 4 self_width: 16 "
                       "hidden_width: 24 feature_count: 2 feature_events: 100 "
                       "scoring { batch: 8 max_targets: 9 } }")},
        {"weft", scorer("weft",
                        "[type.googleapis.com/weft.operators.link.v1.Weft] { learn: true seed: 5 "
                        "max_nodes: 64 slots: 8 before_rows: 7 scoring { batch: 8 max_targets: 9 } "
                        "}")},
        {"link_evaluation",
         head + sampler +
             "node { name: \"a\" operator: \"recency\" input: \"CANDIDATES:candidates\" output: "
             "\"SCORES:a\" }\n"
             "node { name: \"b\" operator: \"edgebank\" input: \"CANDIDATES:candidates\" output: "
             "\"SCORES:b\" }\n"
             "node { name: \"node\" operator: \"link_evaluation\" input: \"SCORES_1:a\" input: "
             "\"SCORES_2:b\" output: \"EVALUATION:out\" options { "
             "[type.googleapis.com/weft.operators.link.v1.LinkEvaluation] { window_events: 100 "
             "window_ranks: 20 report_every_events: 64 } } }\n" +
             tail},
    };
  }();
  return *kCases;
}

class EveryOperatorThreads : public testing::TestWithParam<std::string> {};

TEST_P(EveryOperatorThreads, KeepsItsPromises) {
  const std::string& name = GetParam();
  const auto found = Cases().find(name);
  ASSERT_NE(found, Cases().end()) << "add a graph for " << name << " to Cases()";
  tests::PropertyCase property;
  property.spec = found->second;
  property.catalog = &OperatorCatalog();
  property.encoders = &Encoders();
  std::vector<graph::EventBatch> batches;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    graph::EventBatch& batch = batches.emplace_back(
        tests::RandomEvents(seed, 97, 20, static_cast<graph::TimeUs>(seed) * 1000));
    batch.feature_count = 2;
    for (std::int64_t i = 0; i < 2 * batch.size(); ++i)
      batch.feature.push_back(static_cast<float>(i * 7 % 11) - 5.0f);
  }
  property.steps = tests::FeedSteps("events", 0, batches);
  tests::RunResult result;
  EXPECT_TRUE(tests::HoldsOnThreads(property, &result));
  EXPECT_FALSE(result.outputs["out"].empty());
  EXPECT_TRUE(tests::HoldsOnSerialSchedules(property, 3));
  EXPECT_TRUE(tests::HoldsAfterSaveAndLoad(property));
  EXPECT_TRUE(tests::HoldsOnReplay(property));
  EXPECT_TRUE(tests::DoesNotLeakTheFuture(property));
}

TEST_P(EveryOperatorThreads, HasAPageAndAContract) {
  const std::string& name = GetParam();
  const graph::Catalog::Entry& entry = OperatorCatalog().entries().find(name)->second;
  EXPECT_TRUE(std::filesystem::exists(OperatorPage(name))) << OperatorPage(name);
  EXPECT_FALSE(entry.contract.outputs.empty());
  EXPECT_GT(entry.contract.micro_batch, 0);
  EXPECT_NE(entry.OptionsPrototype(), nullptr) << entry.contract.options_type;
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : OperatorCatalog().entries()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryOperatorThreads, testing::ValuesIn(Names()),
                         [](const auto& information) { return information.param; });

TEST(OperatorPage, UnknownName) { EXPECT_EQ(OperatorPage("nothing"), ""); }

}  // namespace
}  // namespace weft::operators
