// `link_evaluation`: its figures, and which model it names to answer.
#include <functional>

#include "gmock/gmock.h"
#include "graph/mark_batch.h"
#include "gtest/gtest.h"
#include "operators/catalog.h"
#include "operators/learn/ranking_metrics.h"
#include "operators/link/link_evaluation_reader.h"
#include "operators/link/link_types.h"
#include "tests/harness/operator_runner.h"

namespace weft::operators::link {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::OperatorRunner;

std::shared_ptr<LinkScores> Scores(std::size_t first, std::size_t count) {
  auto scores = std::make_shared<LinkScores>();
  for (std::size_t i = first; i < first + count; ++i) {
    scores->events.source.push_back(1);
    scores->events.target.push_back(2);
    scores->events.time_us.push_back(static_cast<graph::TimeUs>(i));
    scores->negative.push_back(i % 10 == 9 ? graph::kNoNode : 3);
    scores->positive_score.push_back(static_cast<float>(i * 7 % 13) / 13.0f);
    scores->negative_score.push_back(static_cast<float>(i * 5 % 11) / 12.0f);
    scores->rank.push_back(i % 4 == 0 ? static_cast<float>(1 + i % 3) : 0.0f);
  }
  scores->positive_probability = scores->positive_score;
  scores->negative_probability = scores->negative_score;
  scores->node = "tested";
  scores->model = "test";
  return scores;
}

absl::Status Feed(OperatorRunner& runner, std::string_view port, std::shared_ptr<LinkScores> scores,
                  std::size_t first) {
  return runner.Feed(port, graph::Packet::Make<LinkScores>(std::move(scores), {0, 0, first},
                                                           static_cast<graph::TimeUs>(first)));
}

double GaugeOf(OperatorRunner& runner, std::string_view name, const graph::Labels& labels) {
  double value = -1.0;
  runner.metrics().Visit([&](const graph::MetricView& metric) {
    if (metric.name == name && *metric.labels == labels) value = metric.gauge->Value();
  });
  return value;
}

void ReadFrom(OperatorRunner& runner,
              const std::function<void(const LinkEvaluationReader&)>& read) {
  ASSERT_TRUE(runner
                  .Read([&](const graph::Operator& op) {
                    const auto* const reader = dynamic_cast<const LinkEvaluationReader*>(&op);
                    ASSERT_NE(reader, nullptr);
                    read(*reader);
                  })
                  .ok());
}

TEST(LinkEvaluationOperator, ReportsOverTheWindows) {
  OperatorRunner runner(OperatorCatalog(), "link_evaluation",
                        "window_events: 50 window_ranks: 10 report_every_events: 64", {"SCORES_1"});
  ASSERT_TRUE(runner.status().ok()) << runner.status();
  std::vector<float> positive;
  std::vector<float> negative;
  std::vector<double> reciprocal;
  for (std::size_t first = 0; first < 200; first += 20) {
    const auto scores = Scores(first, 20);
    for (std::size_t i = 0; i < 20 && first < 80; ++i) {
      if (scores->rank[i] > 0.0f) reciprocal.push_back(1.0 / static_cast<double>(scores->rank[i]));
      if (scores->negative[i] == graph::kNoNode) continue;
      positive.push_back(scores->positive_score[i]);
      negative.push_back(scores->negative_score[i]);
    }
    ASSERT_TRUE(Feed(runner, "SCORES_1", scores, first).ok());
    if (first == 100) {
      ASSERT_TRUE(runner.SaveAndLoad().ok());
    }
  }
  const auto reports = runner.Outputs<LinkEvaluationReport>("EVALUATION");
  ASSERT_EQ(reports.size(), 2u);           // 180 events count
  EXPECT_EQ(reports[0]->event_count, 72);  // the first micro-batch end at or after 64
  EXPECT_EQ(reports[0]->window_events, 50);
  const learn::RankingScore expected =
      learn::RankingOf(std::span(positive).last(50), std::span(negative).last(50));
  EXPECT_DOUBLE_EQ(reports[0]->ap, expected.average_precision);
  EXPECT_DOUBLE_EQ(reports[0]->auc, expected.area_under_curve);
  EXPECT_TRUE(reports[0]->log_loss.has_value());
  EXPECT_EQ(reports[0]->node, "tested");
  EXPECT_EQ(reports[0]->ranked_events, 10);
  double sum = 0.0;
  for (const double one : std::span(reciprocal).last(10)) sum += one;
  EXPECT_DOUBLE_EQ(*reports[0]->mrr, sum / 10.0);
  const graph::Labels labels = {{"model", "test"}, {"node", "tested"}};
  EXPECT_EQ(GaugeOf(runner, "weft_link_average_precision", labels), reports[1]->ap);
  EXPECT_EQ(GaugeOf(runner, "weft_link_area_under_curve", labels), reports[1]->auc);
  EXPECT_EQ(GaugeOf(runner, "weft_link_log_loss", labels), *reports[1]->log_loss);
  EXPECT_EQ(GaugeOf(runner, "weft_link_mean_reciprocal_rank", labels), *reports[1]->mrr);
}

TEST(LinkEvaluationOperator, SaysAfterARestartWhatItSaidBefore) {
  OperatorRunner runner(OperatorCatalog(), "link_evaluation", "report_every_events: 64",
                        {"SCORES_1"});
  for (std::size_t first = 0; first < 100; first += 20)
    ASSERT_TRUE(Feed(runner, "SCORES_1", Scores(first, 20), first).ok());
  ASSERT_TRUE(runner.SaveAndLoad().ok());
  const LinkEvaluationReport said = *runner.Outputs<LinkEvaluationReport>("EVALUATION").back();
  ReadFrom(runner, [&](const LinkEvaluationReader& reader) {
    ASSERT_EQ(reader.reports().size(), 1u);
    const LinkEvaluationReport report = reader.reports().front();
    EXPECT_EQ(report.node, said.node);
    EXPECT_EQ(report.model, said.model);
    EXPECT_EQ(report.event_count, said.event_count);
    EXPECT_EQ(report.ap, said.ap);
    EXPECT_EQ(report.log_loss, said.log_loss);
    EXPECT_EQ(report.mrr, said.mrr);
    EXPECT_TRUE(reader.choice(LinkQuestion::kPairs).learned.empty());  // nothing learns
  });
}

TEST(LinkEvaluationOperator, SaysNothingOfProbabilitiesThatAreNone) {
  OperatorRunner runner(OperatorCatalog(), "link_evaluation", "report_every_events: 64",
                        {"SCORES_1"});
  for (std::size_t first = 0; first < 100; first += 20) {
    const auto scores = Scores(first, 20);
    scores->positive_probability.clear();
    scores->negative_probability.clear();
    scores->rank.clear();
    ASSERT_TRUE(Feed(runner, "SCORES_1", scores, first).ok());
  }
  const auto reports = runner.Outputs<LinkEvaluationReport>("EVALUATION");
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0]->log_loss, std::nullopt);
  EXPECT_EQ(reports[0]->mrr, std::nullopt);
}

// Two models over the same events: a baseline of fixed skill, and a learned one of any.
class Contest {
 public:
  Contest()
      : runner_(OperatorCatalog(), "link_evaluation",
                "window_events: 256 window_ranks: 64 report_every_events: 64",
                {"SCORES_1", "SCORES_2"}) {}

  // One round: `wrong` of 64 events are scored below their negatives, and all are ranked `rank`.
  void Round(int wrong, float rank) {
    Feed("SCORES_1", Scored("weft", true, wrong, rank));
    Feed("SCORES_2", Scored("recency", false, 20, 2.0f));
    events_ += 65;  // telling the time takes a place
  }
  LinkChoice Choice(LinkQuestion question) {
    LinkChoice choice;
    ReadFrom(runner_,
             [&](const LinkEvaluationReader& reader) { choice = reader.choice(question); });
    return choice;
  }
  OperatorRunner& runner() { return runner_; }

 private:
  void Feed(std::string_view port, std::shared_ptr<LinkScores> scores) {
    ASSERT_TRUE(link::Feed(runner_, port, std::move(scores), events_).ok());
    // The other port's packet of the same place is next.
    ASSERT_TRUE(runner_.AdvanceTime(port, static_cast<graph::TimeUs>(events_ + 64)).ok());
  }
  static std::shared_ptr<LinkScores> Scored(std::string model, bool learned, int wrong,
                                            float rank) {
    auto scores = std::make_shared<LinkScores>();
    for (int i = 0; i < 64; ++i) {
      scores->events.source.push_back(1);
      scores->events.target.push_back(2);
      scores->events.time_us.push_back(i);
      scores->negative.push_back(3);
      scores->positive_score.push_back(i < wrong ? 0.2f : 0.9f);
      scores->negative_score.push_back(i < wrong ? 0.8f : 0.1f);
      scores->rank.push_back(rank);
    }
    scores->node = model + "_node";
    scores->model = std::move(model);
    scores->learned = learned;
    return scores;
  }

  OperatorRunner runner_;
  std::size_t events_ = 0;
};

TEST(LinkEvaluationOperator, NamesTheBaselineWhileTheLearnedModelIsBehind) {
  Contest contest;
  contest.Round(40, 1.0f);
  LinkChoice choice = contest.Choice(LinkQuestion::kPairs);
  EXPECT_EQ(choice.learned, "weft_node");
  EXPECT_EQ(choice.answering, "weft_node");  // behind once
  ASSERT_TRUE(contest.runner().SaveAndLoad().ok());
  contest.Round(40, 1.0f);
  choice = contest.Choice(LinkQuestion::kPairs);
  EXPECT_EQ(choice.answering, "recency_node");
  EXPECT_THAT(choice.reason, HasSubstr("weft_node is not ahead of recency_node: average precision "
                                       "0."));
  EXPECT_THAT(choice.reason, HasSubstr("over the latest 128 events"));
  // By rank it is ahead.
  EXPECT_EQ(contest.Choice(LinkQuestion::kTargets).answering, "weft_node");
  const graph::Labels pairs = {{"node", "weft_node"}, {"question", "pairs"}};
  const graph::Labels targets = {{"node", "weft_node"}, {"question", "targets"}};
  EXPECT_EQ(GaugeOf(contest.runner(), "weft_link_fallback", pairs), 1.0);
  EXPECT_EQ(GaugeOf(contest.runner(), "weft_link_fallback", targets), 0.0);
  ASSERT_TRUE(contest.runner().SaveAndLoad().ok());
  EXPECT_EQ(contest.Choice(LinkQuestion::kPairs).answering, "recency_node");
  EXPECT_EQ(contest.Choice(LinkQuestion::kPairs).reason, choice.reason);
  for (int round = 0; round < 6; ++round) contest.Round(0, 4.0f);
  EXPECT_EQ(contest.Choice(LinkQuestion::kPairs).answering, "weft_node");
  choice = contest.Choice(LinkQuestion::kTargets);
  EXPECT_EQ(choice.answering, "recency_node");
  EXPECT_THAT(choice.reason, HasSubstr("mean reciprocal rank 0.2500 against 0.5000 over the latest "
                                       "64 ranked events"));
  // Each change is a mark.
  std::vector<std::string> texts;
  for (const graph::MarkBatch* batch : contest.runner().Outputs<graph::MarkBatch>("MARKS")) {
    for (const graph::Mark& mark : batch->marks) {
      EXPECT_EQ(mark.kind, "model");
      texts.push_back(mark.text);
    }
  }
  EXPECT_THAT(texts, ElementsAre(HasSubstr("pairs: weft_node is not ahead of recency_node"),
                                 HasSubstr("targets: weft_node is not ahead of recency_node"),
                                 HasSubstr("pairs: \"weft_node\" answers")));
}

TEST(LinkEvaluationOperator, RefusesReportsThatComeTooOften) {
  OperatorRunner runner(OperatorCatalog(), "link_evaluation", "report_every_events: 10",
                        {"SCORES_1"});
  EXPECT_THAT(std::string(runner.status().message()),
              HasSubstr("report_every_events: expected at least 64, got 10"));
}

}  // namespace
}  // namespace weft::operators::link
