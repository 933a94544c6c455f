// SequenceService through a server.
#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/catalog.h"
#include "rpc/client.h"
#include "rpc/error_details.h"
#include "rpc/ingest_client.h"
#include "rpc/logging.h"
#include "rpc/test_predictor.h"

namespace weft::rpc {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGraph = R"(
name: "sequence"
input { name: "records" type: "EventBatch" }
node { name: "model" operator: "sequence_model" input: "EVENTS:records"
       output: "SEQUENCE:said" output: "MARKS:alarms" options {
         [type.googleapis.com/weft.operators.sequence.v1.SequenceModel] {
           series { horizon: [ 1, 4 ] } max_series: 3 } } }
node { name: "snapshots" operator: "snapshot_builder" input: "EVENTS:records"
       output: "SNAPSHOTS:snapshots" options {
         [type.googleapis.com/weft.operators.hierarchy.v1.SnapshotBuilder] {
           width_us: 3000000000 } } }
node { name: "segmenter" operator: "episode_segmenter" input: "SNAPSHOTS:snapshots"
       output: "SEGMENTED:segmented" }
node { name: "episodes" operator: "episode_tree_build" input: "SEGMENTED:segmented"
       input: "MARKS:alarms" }
output { name: "said" stream: "said" }
)";
constexpr graph::TimeUs kStep = 300'000'000;

class SequenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kError);
    options_ = TestServerOptions(place_);
    options_.graph_text = kGraph;
    options_.config.mutable_feed()->set_lateness_us(0);
    options_.config.mutable_feed()->set_feature_count(2);
    options_.config.mutable_feed()->set_missing_values(true);
    options_.catalog = &operators::OperatorCatalog();
    Start();
  }

  void Start() {
    server_.reset();
    auto server = Server::Start(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = SequenceClient::Open(server_->address(), 30);
  }

  // Series whose times have nothing to do with each other's share a feed.
  void StartWithLateness(std::int64_t lateness_us) {
    options_.config.mutable_feed()->set_lateness_us(lateness_us);
    Start();
  }

  static double Wave(std::int64_t i) {
    return 10.0 + 4.0 * std::sin(static_cast<double>(i) * M_PI / 144.0) +
           0.1 * std::sin(static_cast<double>(i * i));
  }

  // Records [begin, end) of a daily wave; that of `peak` lies far off.
  static v1::PushRequest Records(const std::string& series, std::int64_t begin, std::int64_t end,
                                 std::int64_t peak = -1) {
    v1::PushRequest request;
    request.set_series(series);
    for (std::int64_t i = begin; i < end; ++i) {
      v1::SequenceRecord& record = *request.add_record();
      record.set_time_us(i * kStep);
      record.add_value(static_cast<float>(Wave(i) + (i == peak ? 20.0 : 0.0)));
    }
    return request;
  }

  v1::PushResponse Push(const v1::PushRequest& request) {
    const auto response = client_->Push(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::PushResponse();
  }
  std::vector<v1::RecordVerdict> PushMany(const std::string& series, std::int64_t count,
                                          std::int64_t peak = -1) {
    std::vector<v1::RecordVerdict> verdicts;
    for (std::int64_t begin = 0; begin < count; begin += 500) {
      const v1::PushResponse response =
          Push(Records(series, begin, std::min(begin + 500, count), peak));
      verdicts.insert(verdicts.end(), response.verdict().begin(), response.verdict().end());
    }
    return verdicts;
  }
  absl::StatusOr<v1::PredictResponse> Predict(const std::string& series, std::int64_t steps = 0) {
    v1::PredictRequest request;
    request.set_series(series);
    request.set_steps(steps);
    return client_->Predict(request);
  }
  absl::StatusOr<v1::ExplainResponse> Explain(const std::string& series) {
    v1::ExplainRequest request;
    request.set_series(series);
    return client_->Explain(request);
  }

  TestPlace place_;
  Server::Options options_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<SequenceClient> client_;
};

TEST_F(SequenceTest, SaysHowUnusualRecordsAreAndWhatComesNext) {
  const std::vector<v1::RecordVerdict> verdicts = PushMany("web", 3000, 2990);
  ASSERT_EQ(verdicts.size(), 3000u);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    ASSERT_EQ(verdicts[i].time_us(), static_cast<graph::TimeUs>(i) * kStep);
  EXPECT_EQ(verdicts[0].forecast_size(), 0);
  const v1::RecordVerdict& peak = verdicts[2990];
  EXPECT_GT(peak.alarm(), 0.175);
  double others = 0.0;
  for (std::size_t i = 1500; i < 2990; ++i) others = std::max(others, verdicts[i].score());
  EXPECT_GT(peak.score(), others);
  EXPECT_GT(peak.expert_size(), 2);
  ASSERT_EQ(verdicts[2980].forecast_size(), 2);
  EXPECT_EQ(verdicts[2980].forecast(1).horizon(), 4);
  EXPECT_NEAR(verdicts[2980].forecast(1).mean(), Wave(2984), 0.5);

  const auto next = Predict("web", 3);
  ASSERT_TRUE(next.ok()) << next.status();
  ASSERT_EQ(next->forecast_size(), 3);
  EXPECT_EQ(next->record_count(), 3000);
  EXPECT_FALSE(next->forecast(0).interpolated());
  EXPECT_TRUE(next->forecast(2).interpolated());
  for (const v1::StepForecast& step : next->forecast()) {
    EXPECT_LE(step.p10(), step.p50());
    EXPECT_LE(step.p50(), step.p90());
    EXPECT_NEAR(step.mean(), Wave(2999 + step.horizon()), 1.0);
  }
  const auto why = Explain("web");
  ASSERT_TRUE(why.ok()) << why.status();
  ASSERT_EQ(why->field_size(), 1);
  EXPECT_NEAR(why->field(0).most(), 30.0, 5.0);
  EXPECT_NEAR(why->field(0).season_mean(), Wave(2999), 1.0);
  ASSERT_EQ(why->alike_size(), 3);
  for (const v1::AlikeMoment& moment : why->alike()) {
    EXPECT_NEAR(static_cast<double>(moment.records_ago() % 288), 0.0, 1.0);
    EXPECT_EQ(moment.time_us(), (2999 - moment.records_ago()) * kStep);
  }
  double weight = 0.0;
  for (const v1::ForecastOpinion& opinion : why->opinion()) weight += opinion.weight();
  EXPECT_NEAR(weight, 2.0, 1e-9);
}

TEST_F(SequenceTest, GivesSeriesModelsOfTheirOwn) {
  StartWithLateness(1'000 * kStep);
  v1::CreateModelRequest create;
  create.set_series("pair");
  create.mutable_settings()->add_field();
  create.mutable_settings()->add_field()->set_feature(1);
  create.mutable_settings()->add_horizon(2);
  ASSERT_TRUE(client_->CreateModel(create).ok());
  v1::CreateModelRequest htm;
  htm.set_series("htm");
  htm.mutable_settings()->set_model(v1::SEQUENCE_MODEL_KIND_HTM);
  htm.mutable_settings()->add_field();
  auto& category = *htm.mutable_settings()->add_field();
  category.set_feature(1);
  category.set_kind(v1::SEQUENCE_FIELD_KIND_CATEGORY);
  ASSERT_TRUE(client_->CreateModel(htm).ok());

  v1::PushRequest records = Records("pair", 0, 900);
  for (int i = 0; i < records.record_size(); ++i)
    records.mutable_record(i)->add_value(i == 850 ? 100.0f : static_cast<float>(i % 7));
  const v1::PushResponse said = Push(records);
  ASSERT_EQ(said.verdict_size(), 900);
  EXPECT_EQ(said.verdict(850).field(), 1);
  EXPECT_EQ(said.verdict(899).forecast(0).horizon(), 2);

  records = Records("htm", 0, 600);
  for (int i = 0; i < records.record_size(); ++i)
    records.mutable_record(i)->add_value(static_cast<float>(i % 2));
  const v1::PushResponse by_htm = Push(records);
  ASSERT_EQ(by_htm.verdict_size(), 600);
  EXPECT_EQ(by_htm.verdict(50).forecast_size(), 0);
  EXPECT_EQ(by_htm.verdict(599).expert_size(), 0);
  EXPECT_NEAR(by_htm.verdict(599).forecast(0).mean(), Wave(600), 2.0);
  EXPECT_TRUE(Explain("htm")->has_unpredicted());

  // After a restart they go on as if nothing had been.
  const auto pair = Predict("pair"), as_htm = Predict("htm");
  Start();
  ASSERT_TRUE(Predict("pair").ok());
  EXPECT_EQ(Predict("pair")->forecast(0).SerializeAsString(),
            pair->forecast(0).SerializeAsString());
  EXPECT_EQ(Predict("htm")->forecast(0).SerializeAsString(),
            as_htm->forecast(0).SerializeAsString());

  v1::ResetRequest reset;
  reset.set_series("pair");
  ASSERT_TRUE(client_->Reset(reset).ok());
  EXPECT_EQ(ErrorReasonOf(Predict("pair").status()), v1::ERROR_REASON_UNKNOWN_SERIES);
  Push(Records("pair", 900, 901));
  EXPECT_EQ(Explain("pair")->settings().field_size(), 2);
  reset.set_forget_model(true);
  ASSERT_TRUE(client_->Reset(reset).ok());
  Push(Records("pair", 901, 902));
  EXPECT_EQ(Explain("pair")->settings().field_size(), 1);
}

TEST_F(SequenceTest, FollowsThoseThatCameLately) {
  StartWithLateness(1'000 * kStep);
  for (const char* const series : {"a", "b", "c", "d"}) Push(Records(series, 0, 5));
  const auto all = client_->ListSeries({});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->series_count(), 3);
  EXPECT_EQ(all->evicted_count(), 1);
  ASSERT_EQ(all->series_size(), 3);
  EXPECT_EQ(all->series(0).series(), "d");
  EXPECT_EQ(all->series(0).record_count(), 5);
  v1::CreateModelRequest create;
  for (const char* const series : {"x", "y", "z"}) {
    create.set_series(series);
    ASSERT_TRUE(client_->CreateModel(create).ok());
  }
  create.set_series("one more");
  EXPECT_TRUE(absl::IsResourceExhausted(client_->CreateModel(create).status()));
}

TEST_F(SequenceTest, TakesMissingValuesAndSaysWhichRecordsAreLate) {
  StartWithLateness(500 * kStep);
  Push(Records("m", 0, 10));
  v1::PushRequest request = Records("m", 10, 20);
  request.mutable_record(3)->set_value(0, std::numeric_limits<float>::quiet_NaN());
  request.mutable_record(7)->set_time_us(-600 * kStep);
  const v1::PushResponse response = Push(request);
  EXPECT_EQ(response.verdict_size(), 9);
  EXPECT_TRUE(std::isnan(response.verdict(3).value()));
  ASSERT_EQ(response.reject_size(), 1);
  EXPECT_EQ(response.reject(0).record(), 7);
  EXPECT_EQ(response.reject(0).reason(), v1::REJECT_REASON_LATE);

  v1::PushRequest twice = Records("m", 30, 40);
  twice.set_producer("me");
  twice.set_first_seq(0);
  EXPECT_EQ(Push(twice).verdict_size(), 10);
  EXPECT_EQ(Push(twice).verdict_size(), 0);
  EXPECT_EQ(Predict("m")->record_count(), 29);
}

TEST_F(SequenceTest, SaysWhatIsWrong) {
  const auto message = [](const absl::Status& status) { return std::string(status.message()); };
  v1::PushRequest push;
  EXPECT_THAT(message(client_->Push(push).status()), HasSubstr("series: expected the key"));
  push.set_series("a");
  EXPECT_THAT(message(client_->Push(push).status()), HasSubstr("record: expected 1 to 1000"));
  push.add_record();
  EXPECT_THAT(message(client_->Push(push).status()),
              HasSubstr("record[0].value: expected 1 to 2 values, as the feed \"records\" has 2"));
  push.set_node("nothing");
  EXPECT_EQ(ErrorReasonOf(client_->Push(push).status()), v1::ERROR_REASON_UNKNOWN_NODE);
  push.set_node("segmenter");
  EXPECT_THAT(message(client_->Push(push).status()),
              HasSubstr("node: \"segmenter\" follows no series; these do: model"));
  v1::CreateModelRequest create;
  create.set_series("a");
  create.mutable_settings()->add_horizon(0);
  EXPECT_THAT(message(client_->CreateModel(create).status()),
              HasSubstr("settings.horizon[0]: expected rising numbers from 1 to 10000, got 0"));
  create.mutable_settings()->clear_horizon();
  create.mutable_settings()->add_field()->set_kind(v1::SEQUENCE_FIELD_KIND_CATEGORY);
  EXPECT_THAT(message(client_->CreateModel(create).status()),
              HasSubstr("settings.field[0].kind: expected a number"));
  create.mutable_settings()->clear_field();
  create.set_series("");
  EXPECT_THAT(message(client_->CreateModel(create).status()),
              HasSubstr("series: expected a key of 1 to 256 bytes, got 0"));
  Push(Records("a", 0, 3));
  EXPECT_THAT(message(Predict("a", 5).status()), HasSubstr("steps: expected at most 4"));
  EXPECT_THAT(message(Predict("b").status()), HasSubstr("\"model\" follows no series \"b\" now"));
}

TEST_F(SequenceTest, SendsAlarmsAndMarksThemInTheTimeline) {
  std::mutex mutex;
  std::condition_variable changed;
  bool subscribed = false;
  std::vector<v1::SeriesAlarm> alarms;
  std::thread subscriber([&] {
    v1::SubscribeAlarmsRequest request;
    request.add_series("web");
    request.set_min_score(0.2);
    const absl::Status status = client_->SubscribeAlarms(
        request,
        [&](const v1::SubscribeAlarmsResponse& response) {
          alarms.insert(alarms.end(), response.alarm().begin(), response.alarm().end());
          return false;
        },
        [&] {
          const std::scoped_lock lock(mutex);
          subscribed = true;
          changed.notify_all();
        });
    EXPECT_TRUE(status.ok()) << status;
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return subscribed; });
  }
  PushMany("web", 3000, 2990);
  subscriber.join();
  ASSERT_FALSE(alarms.empty());
  EXPECT_EQ(alarms[0].series(), "web");
  EXPECT_GE(alarms[0].verdict().alarm(), 0.2);

  const auto hierarchy = HierarchyClient::Open(server_->address(), 30);
  const auto timeline = hierarchy->Timeline({});
  ASSERT_TRUE(timeline.ok()) << timeline.status();
  bool marked = false;
  for (const v1::TimelineMark& mark : timeline->mark())
    marked |= mark.kind() == "anomaly" && mark.entity() == "web" &&
              mark.begin_us() == alarms.back().verdict().time_us();
  EXPECT_TRUE(marked);
}

}  // namespace
}  // namespace weft::rpc
