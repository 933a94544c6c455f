// The meta-test: what every operator of the catalog has to keep. A new operator needs one entry in
// Cases().
#include "operators/catalog.h"

#include <filesystem>
#include <map>
#include <regex>

#include "graph/text.h"
#include "gtest/gtest.h"
#include "operators/hierarchy/episode_batch.h"
#include "operators/hierarchy/episode_forecaster.h"
#include "operators/hierarchy/episode_segmenter.h"
#include "operators/hierarchy/readout.h"
#include "operators/hierarchy/salience.h"
#include "operators/hierarchy/snapshots.h"
#include "operators/link/link_evaluation_reader.h"
#include "operators/link/link_types.h"
#include "operators/sequence/opinion_batch.h"
#include "operators/sequence/sequence_row.h"
#include "operators/sequence/sparse_batch.h"
#include "tests/harness/property.h"

namespace weft::operators {
namespace {

using hierarchy::EpisodeBatch;
using hierarchy::ForecastBatch;
using hierarchy::ReadoutBatch;
using hierarchy::SalienceBatch;
using hierarchy::SegmentedSnapshots;
using hierarchy::SnapshotBatch;
using link::LinkCandidates;
using link::LinkEvaluationReport;
using link::LinkScores;
using sequence::OpinionBatch;
using sequence::SequenceBatch;
using sequence::SparseBatch;

template <class T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string EventBytes(const graph::EventBatch& events) {
  return Bytes(events.source) + Bytes(events.target) + Bytes(events.time_us) + Bytes(events.label) +
         Bytes(events.feature);
}

void AddLinkEncoders(tests::PayloadEncoders& encoders) {
  encoders.Add<LinkCandidates>([](const LinkCandidates& candidates) {
    return EventBytes(candidates.events) + Bytes(candidates.negative) +
           Bytes(candidates.extra_begin) + Bytes(candidates.extra);
  });
  encoders.Add<LinkScores>([](const LinkScores& scores) {
    return graph::Concat(EventBytes(scores.events), Bytes(scores.negative),
                         Bytes(scores.positive_score), Bytes(scores.negative_score),
                         Bytes(scores.positive_probability), Bytes(scores.negative_probability),
                         Bytes(scores.rank), scores.node, scores.model, scores.model_version);
  });
  encoders.Add<LinkEvaluationReport>([](const LinkEvaluationReport& report) {
    return graph::Concat(report.node, report.model, report.event_count, " ", report.ap, " ",
                         report.auc, " ", report.log_loss.value_or(-1.0), " ",
                         report.mrr.value_or(-1.0));
  });
}

void AddHierarchyEncoders(tests::PayloadEncoders& encoders) {
  encoders.Add<SnapshotBatch>([](const SnapshotBatch& snapshots) {
    return Bytes(snapshots.begin_us) + Bytes(snapshots.end_us) + Bytes(snapshots.interactions_end) +
           Bytes(snapshots.interactions);
  });
  encoders.Add<SegmentedSnapshots>([](const SegmentedSnapshots& segmented) {
    std::string text = graph::Concat(segmented.begin, "-", segmented.end);
    for (const auto& [kind, snapshot, boundary, score] : segmented.decided.steps)
      text += graph::Concat(" ", static_cast<int>(kind), " ", snapshot, " ", boundary, " ", score);
    return text + Bytes(segmented.decided.steps_end);
  });
  encoders.Add<EpisodeBatch>([](const EpisodeBatch& batch) {
    std::string text = Bytes(batch.words);
    for (const hierarchy::EpisodeRow& row : batch.rows)
      text += graph::Concat(static_cast<int>(row.kind), " ", row.level, " ", row.number, " ",
                            row.parent_begin, " ", row.pairs_end) +
              Bytes(std::vector(1, row.episode));
    return text;
  });
  encoders.Add<SalienceBatch>([](const SalienceBatch& batch) {
    std::string text;
    for (const auto& [level, number, begin, score] : batch.rows)
      text += graph::Concat(level, " ", number, " ", begin, " ") + Bytes(std::vector(1, score));
    return text;
  });
  encoders.Add<ReadoutBatch>([](const ReadoutBatch& batch) {
    std::string text;
    for (const hierarchy::Readout& row : batch.rows) {
      text += graph::Concat(row.snapshot, " ", row.now_us, " ") +
              Bytes(std::vector(1, row.windows)) + Bytes(row.episodes.rows) +
              Bytes(row.episodes.words) + Bytes(row.graph.features) + Bytes(row.graph.group_size);
      for (const auto& edges : row.graph.edges) text += Bytes(edges);
      for (const hierarchy::LevelReadout& level : row.levels)
        text += graph::Concat(level.level, " ", level.begin, " ", level.begin_us) +
                Bytes(std::vector(1, level.columns));
    }
    return text;
  });
  encoders.Add<ForecastBatch>([](const ForecastBatch& batch) {
    std::string text;
    for (const hierarchy::ForecastRow& row : batch.rows) {
      text += graph::Concat(row.level, " ", row.begin, " ", row.begin_us, " ", row.now_us, " ",
                            row.end.based_on) +
              Bytes(std::vector(1, row.end.end_us)) +
              Bytes(std::vector{row.end.ends_within, row.ends_within});
      for (const hierarchy::NodeShare& next : row.next)
        text += graph::Concat(" ", next.node) + Bytes(std::vector(1, next.share));
    }
    return text;
  });
}

void AddSequenceEncoders(tests::PayloadEncoders& encoders) {
  encoders.Add<SequenceBatch>([](const SequenceBatch& batch) {
    std::string text;
    for (const sequence::SequenceRow& row : batch.rows) {
      text += graph::Concat(row.series, " ", row.time_us, " ", row.said.field) +
              Bytes(std::vector{row.value, row.said.score, row.said.alarm});
      for (const sequence::StepForecast& step : row.said.forecasts)
        text += graph::Concat(" ", step.horizon, " ", static_cast<int>(step.is_known)) +
                Bytes(std::vector{step.mean}) + Bytes(std::vector(1, step.quantile));
    }
    return text;
  });
  encoders.Add<OpinionBatch>([](const OpinionBatch& batch) {
    std::string bytes;
    for (const std::string& name : batch.expert) bytes += name + ",";
    for (std::size_t i = 0; i < batch.series.size(); ++i) {
      bytes += graph::Concat(";", batch.series[i], ",", batch.time_us[i], ",", batch.value[i]);
      for (const auto& column : batch.opinion) bytes += graph::Concat(",", column[i]);
    }
    return bytes;
  });
  encoders.Add<SparseBatch>([](const SparseBatch& batch) {
    return graph::Concat(batch.width, " ") + Bytes(batch.series) + Bytes(batch.time_us) +
           Bytes(batch.value) + Bytes(batch.unpredicted) + Bytes(batch.bits) +
           Bytes(batch.bits_end);
  });
}

const tests::PayloadEncoders& Encoders() {
  static const auto* const kEncoders = [] {
    auto* encoders = new tests::PayloadEncoders();
    AddLinkEncoders(*encoders);
    AddHierarchyEncoders(*encoders);
    AddSequenceEncoders(*encoders);
    return encoders;
  }();
  return *kEncoders;
}

// A graph around each operator: input "events", output "out".
using GraphCases = std::map<std::string, std::string, std::less<>>;

const std::string kHead = "input { name: \"events\" type: \"EventBatch\" }\n";
const std::string kTail = "output { name: \"out\" stream: \"out\" }\n";

GraphCases HierarchyCases() {
  const auto hierarchy = [&](int count) {
    const std::string nodes[] = {
        "node { name: \"a\" operator: \"snapshot_builder\" input: \"EVENTS:events\" output: "
        "\"SNAPSHOTS:a\" options { [type.googleapis.com/weft.operators.hierarchy.v1."
        "SnapshotBuilder] { width_us: 2 max_empty: 4 } } }\n",
        "node { name: \"b\" operator: \"episode_segmenter\" input: \"SNAPSHOTS:a\" output: "
        "\"SEGMENTED:b\" options { [type.googleapis.com/weft.operators.hierarchy.v1."
        "EpisodeSegmenter] { window: 2 threshold: -100 } } }\n",
        "node { name: \"c\" operator: \"episode_tree_build\" input: \"SEGMENTED:b\" output: "
        "\"EPISODES:c\" options { [type.googleapis.com/weft.operators.hierarchy.v1."
        "EpisodeTreeBuild] { max_leaves: 64 keep_seconds: 0.003 report_every: 3 } } }\n",
        "node { name: \"d\" operator: \"episode_readout\" input: \"EPISODES:c\" output: "
        "\"READOUT:d\" }\n"};
    std::string text = kHead;
    for (int i = 0; i < count; ++i) text += nodes[i];
    return text + "output { name: \"out\" stream: \"" + static_cast<char>('a' + count - 1) +
           "\" }\n";
  };
  const auto behind = [&](int count, const std::string& node) {
    const std::string text = hierarchy(count);
    return text.substr(0, text.rfind("output {")) + node + kTail;
  };
  return {
      {"snapshot_builder", hierarchy(1)},
      {"episode_readout", hierarchy(4)},
      {"salience",
       behind(3,
              "node { name: \"d\" operator: \"salience\" input: \"EPISODES:c\" output: "
              "\"SALIENCE:out\" options { [type.googleapis.com/weft.operators.hierarchy.v1."
              "Salience] { window: 64 learn_every: 5 max_scores: 64 } } }\n")},
      {"episode_predictor",
       behind(4,
              "node { name: \"e\" operator: \"episode_predictor\" input: \"READOUT:d\" output: "
              "\"FORECASTS:out\" options { [type.googleapis.com/weft.operators.hierarchy.v1."
              "EpisodePredictor] { head: HEAD_RELATIONAL horizon_us: 20 seed: 2 } } }\n")},
      {"episode_segmenter", hierarchy(2)},
      {"episode_tree_build", hierarchy(3)},
  };
}

GraphCases LinkCases() {
  const std::string sampler =
      "node { name: \"sampler\" operator: \"negative_sampler\" input: \"EVENTS:events\" "
      "output: \"CANDIDATES:candidates\" options { [type.googleapis.com/"
      "weft.operators.link.v1.NegativeSampler] { ranked_one_in: 4 } } }\n";
  const auto scorer = [&](const std::string& name, const std::string& options) {
    return kHead + sampler + "node { name: \"node\" operator: \"" + name +
           "\" input: \"CANDIDATES:candidates\" output: \"SCORES:out\" options { " + options +
           " } }\n" + kTail;
  };
  return {
      {"negative_sampler",
       kHead +
           "node { name: \"node\" operator: \"negative_sampler\" input: \"EVENTS:events\" "
           "output: "
           "\"CANDIDATES:out\" options { [type.googleapis.com/weft.operators.link.v1."
           "NegativeSampler] { seed: 3 max_targets: 9 ranked_one_in: 3 max_sources: 7 } } }\n" +
           kTail},
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
       kHead + sampler +
           "node { name: \"a\" operator: \"recency\" input: \"CANDIDATES:candidates\" output: "
           "\"SCORES:a\" }\n"
           "node { name: \"b\" operator: \"edgebank\" input: \"CANDIDATES:candidates\" output: "
           "\"SCORES:b\" }\n"
           "node { name: \"node\" operator: \"link_evaluation\" input: \"SCORES_1:a\" input: "
           "\"SCORES_2:b\" output: \"EVALUATION:out\" options { "
           "[type.googleapis.com/weft.operators.link.v1.LinkEvaluation] { window_events: 100 "
           "window_ranks: 20 report_every_events: 64 } } }\n" +
           kTail},
  };
}

constexpr const char* kAllEncoders =
    "SparseEncoder] { field { scalar { feature: 1 least: -2 most: 2 bits: 60 } } "
    "field { random_scalar { resolution: 0.1 } } field { date_time {} } "
    "field { category { feature: 1 bits: 64 active: 5 } } "
    "field { coordinate { feature: [ 0, 1 ] radius: 2 bits: 64 active: 4 } } }";

GraphCases SequenceCases() {
  const auto chain = [](int count) {
    const std::string type = "[type.googleapis.com/weft.operators.sequence.v1.";
    const auto node = [](const std::string& name, const std::string& input,
                         const std::string& output, const std::string& options) {
      return "node { name: \"" + name + "\" operator: \"" + name + "\" input: \"" + input +
             "\" output: \"" + output + "\" options { " + options + " } }\n";
    };
    const std::string nodes[] = {
        node("sparse_encoder", "EVENTS:events", "SDR:a",
             type + (count == 1 ? kAllEncoders
                                : "SparseEncoder] { field { scalar { feature: 1 "
                                  "least: -2 most: 2 bits: 60 } } }")),
        node("spatial_pooler", "SDR:a", "COLUMNS:b",
             type + "SpatialPooler] { columns: 128 active_columns: 8 boost_strength: 1 "
                    "max_series: 3 }"),
        node("temporal_memory", "COLUMNS:b", "CELLS:c",
             type + "TemporalMemory] { cells_per_column: 4 activation_threshold: 4 "
                    "min_threshold: 3 max_new_synapses: 6 predicted_decrement: 0.01 "
                    "max_segments: 90 max_series: 3 }"),
        node("sdr_classifier", "CELLS:c", "SEQUENCE:d",
             type + "SdrClassifier] { least: -2 most: 2 horizon: [ 1, 2 ] max_series: 3 }")};
    std::string text = kHead;
    for (int i = 0; i < count; ++i) text += nodes[i];
    return text + "output { name: \"out\" stream: \"" + static_cast<char>('a' + count - 1) +
           "\" }\n";
  };
  const auto behind = [&](int count, const std::string& node) {
    const std::string text = chain(count);
    return text.substr(0, text.rfind("output {")) + node + kTail;
  };
  return {{"sparse_encoder", chain(1)},
          {"spatial_pooler", chain(2)},
          {"temporal_memory", chain(3)},
          {"sdr_classifier", chain(4)},
          {"anomaly_likelihood",
           behind(3,
                  "node { name: \"node\" operator: \"anomaly_likelihood\" input: \"CELLS:c\" "
                  "output: \"SEQUENCE:out\" options { [type.googleapis.com/"
                  "weft.operators.sequence.v1.AnomalyLikelihood] { learning: 20 estimation: 10 "
                  "max_series: 3 } } }\n")},
          {"sparsey",
           behind(1,
                  "node { name: \"node\" operator: \"sparsey\" input: \"SDR:a\" "
                  "output: \"CODES:out\" options { [type.googleapis.com/"
                  "weft.operators.sequence.v1.Sparsey] { modules: 6 has_past: true back_off: 0.9 "
                  "saturation: 0.5 learn_records: 40 episode_gap_us: 50 max_series: 3 "
                  "picture_width: 42 window_step: 4 hears_above: true "
                  "level { modules: 4 persistence: 2 } } } }\n")},
          {"sequence_model",
           kHead +
               "node { name: \"node\" operator: \"sequence_model\" input: \"EVENTS:events\" "
               "output: \"SEQUENCE:out\" options { [type.googleapis.com/"
               "weft.operators.sequence.v1.SequenceModel] { series { field {} field { feature: 1 } "
               "horizon: [ 1, 3 ] } max_series: 2 } } }\n" +
               kTail}};
}

// Experts, each as the first and as one that hears another, and what becomes of what they say.
GraphCases ExpertCases() {
  const std::string type = "[type.googleapis.com/weft.operators.sequence.v1.";
  const auto node = [&type](const std::string& name, const std::string& op,
                            const std::string& input, const std::string& output,
                            const std::string& options) {
    return "node { name: \"" + name + "\" operator: \"" + op + "\" input: \"" + input +
           "\" output: \"" + output + "\" options { " + type + options + " } }\n";
  };
  const std::string level = "Level] { feature: 1 length: 20 max_series: 3 }";
  const std::string forecast = "Forecast] { feature: 1 horizon: 2 max_series: 3 }";
  const std::string first = node("a", "level", "EVENTS:events", "OPINIONS:a", level);
  const auto hears = [&](const std::string& op, const std::string& options) {
    return kHead + first + node("node", op, "HEARD:a", "OPINIONS:out", options) + kTail;
  };
  const std::string ranks = "RankCalibration] { ring: 200 skipped: 5 fewest: 10 max_series: 3 }";
  return {
      {"level", kHead + node("node", "level", "EVENTS:events", "OPINIONS:out", level) + kTail},
      {"seasonal", hears("seasonal", "Seasonal] { max_series: 3 }")},
      {"discord", hears("discord",
                        "Discord] { block: 2 values: BLOCK_VALUES_EXTREMES "
                        "dead_zone: true max_series: 3 }")},
      {"rank_calibration", hears("rank_calibration", ranks)},
      {"combine", kHead + first + node("b", "rank_calibration", "HEARD:a", "OPINIONS:b", ranks) +
                      node("node", "combine", "HEARD:b", "SEQUENCE:out",
                           "Combine] { held: 5 sharpness: 1 max_series: 3 }") +
                      kTail},
      {"forecast_rls",
       kHead + node("node", "forecast_rls", "EVENTS:events", "OPINIONS:out", forecast) + kTail},
      {"forecast_knn", hears("forecast_knn", "Forecast] { step_us: 1000 max_series: 3 }")},
      {"forecast_histogram", hears("forecast_histogram", "Forecast] { max_series: 3 }")},
      {"expert_mixture", kHead +
                             node("a", "forecast_rls", "EVENTS:events", "OPINIONS:a", forecast) +
                             node("b", "forecast_histogram", "HEARD:a", "OPINIONS:b", forecast) +
                             node("node", "expert_mixture", "HEARD:b", "SEQUENCE:out",
                                  "ExpertMixture] { horizon: 2 max_series: 3 }") +
                             kTail}};
}

const GraphCases& Cases() {
  static const auto* const kCases = [] {
    auto* cases = new GraphCases(LinkCases());
    cases->merge(HierarchyCases());
    cases->merge(SequenceCases());
    cases->merge(ExpertCases());
    return cases;
  }();
  return *kCases;
}

class EveryOperatorThreads : public testing::TestWithParam<std::string> {};

// Events of 20 nodes with two features, and a while without any.
std::vector<tests::InputStep> Steps() {
  std::vector<graph::EventBatch> batches;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    graph::EventBatch& batch = batches.emplace_back(
        tests::RandomEvents(seed, 97, 20, static_cast<graph::TimeUs>(seed) * 1000));
    batch.feature_count = 2;
    for (std::int64_t i = 0; i < 2 * batch.size(); ++i)
      batch.feature.push_back(static_cast<float>(i * 7 % 11) - 5.0f);
  }
  batches.emplace_back();  // the feed is quiet
  batches.push_back(batches.front());
  for (graph::TimeUs& time_us : batches.back().time_us) time_us += 10'000;
  return tests::FeedSteps("events", 0, batches);
}

TEST_P(EveryOperatorThreads, KeepsItsPromises) {
  const std::string& name = GetParam();
  const auto found = Cases().find(name);
  ASSERT_NE(found, Cases().end()) << "add a graph for " << name << " to Cases()";
  tests::PropertyCase property;
  property.spec = found->second;
  property.catalog = &OperatorCatalog();
  property.encoders = &Encoders();
  property.steps = Steps();
  tests::RunResult result;
  EXPECT_TRUE(tests::HoldsOnThreads(property, &result));
  EXPECT_FALSE(result.outputs["out"].empty());
  EXPECT_TRUE(tests::HoldsOnSerialSchedules(property, 3));
  EXPECT_TRUE(tests::HoldsAfterSaveAndLoad(property));
  EXPECT_TRUE(tests::HoldsOnReplay(property));
  EXPECT_TRUE(tests::DoesNotLeakTheFuture(property));
}

// Of operators that follow series: those that give way to others come back as if they had stayed.
TEST_P(EveryOperatorThreads, GoesOnWithSeriesThatGaveWay) {
  const std::string& few = Cases().at(GetParam());
  if (few.find("max_series: ") == std::string::npos) return;
  const std::string all =
      std::regex_replace(few, std::regex("max_series: [0-9]+"), "max_series: 50");
  const auto executor = graph::MakeExecutor(1);
  std::vector<tests::OutputPacket> outputs[2];
  for (int i = 0; i < 2; ++i) {
    auto result = tests::RunGraph(i == 0 ? few : all, Steps(),
                                  {&OperatorCatalog(), &Encoders(), executor.get()});
    ASSERT_TRUE(result.ok()) << result.status();
    outputs[i] = result->outputs["out"];
  }
  ASSERT_FALSE(outputs[0].empty());
  EXPECT_EQ(outputs[0], outputs[1]);
}

TEST_P(EveryOperatorThreads, HasAPageAndAContract) {
  const std::string& name = GetParam();
  const graph::Catalog::Entry& entry = OperatorCatalog().entries().find(name)->second;
  EXPECT_TRUE(std::filesystem::exists(OperatorPage(name))) << OperatorPage(name);
  EXPECT_FALSE(entry.contract.outputs.empty());
  EXPECT_GT(entry.contract.micro_batch, 0);
  if (entry.contract.options_type.empty()) return;
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
