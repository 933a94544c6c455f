#include "rpc/sequencer.h"

#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/clock.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/event_builder.h"
#include "rpc/event_digest.h"

namespace weft::rpc {
namespace {

using graph::LogAppend;
using graph::LogPosition;
using graph::LogRecord;
using graph::RejectReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A log in memory that can be full.
class MemoryLog final : public graph::EventLog {
 public:
  absl::Status Append(std::span<const LogAppend> appends) override {
    std::unique_lock lock(mutex_);
    if (!fault_.ok()) return fault_;
    for (const LogAppend& append : appends) {
      auto record = graph::DecodeLogRecord(append.position, append.bytes);
      EXPECT_TRUE(record.ok()) << record.status();
      EXPECT_EQ(record->entry_count(), append.entry_count);
      EXPECT_EQ(append.position.offset, end_);
      end_ += append.entry_count;
      records_.push_back(*std::move(record));
      for (const graph::NewNode& node : append.new_nodes) keys_.push_back(node.key);
      if (append.producer) producers_[append.producer->name] = *append.producer;
    }
    return absl::OkStatus();
  }
  absl::Status Read(LogPosition from,
                    const std::function<absl::Status(const LogRecord&)>& visit) const override {
    for (const LogRecord& record : records_) {
      if (record.position.offset + record.entry_count() <= from.offset) continue;
      if (absl::Status status = visit(record); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  LogPosition End(std::uint32_t feed) const override { return {0, feed, end_}; }
  absl::StatusOr<std::vector<graph::ProducerState>> Producers(std::uint32_t) const override {
    std::vector<graph::ProducerState> states;
    for (const auto& [name, state] : producers_) states.push_back(state);
    return states;
  }

  void SetFault(absl::Status fault) {
    const std::scoped_lock lock(mutex_);
    fault_ = std::move(fault);
  }
  std::vector<LogRecord> records() const { return records_; }
  std::vector<std::string> keys() const { return keys_; }

 private:
  std::mutex mutex_;
  absl::Status fault_;
  std::uint64_t end_ = 0;
  std::vector<LogRecord> records_;
  std::vector<std::string> keys_;
  std::map<std::string, graph::ProducerState> producers_;
};

v1::EventColumns Batch(std::uint64_t first_seq, const std::vector<std::int64_t>& times_us) {
  EventBuilder builder;
  for (const std::int64_t time : times_us) builder.Add("a", "b", time, {}, {});
  v1::EventColumns columns = builder.Take();
  columns.set_first_seq(first_seq);
  return columns;
}

class SequencerThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.feed_name = "events";
    options_.feed = 1;
    options_.lateness_us = 10;
    Open();
  }

  void Open() {
    sequencer_.reset();
    writer_ = std::make_unique<LogWriter>(&log_, &metrics_, [this](const absl::Status& status) {
      failure_ = status;
      sequencer_->OnWriterStopped();
    });
    Sequencer::Environment environment{&interner_, writer_.get(), &clock_, &metrics_};
    sequencer_ = std::make_unique<Sequencer>(options_, environment, [this](DurableRecord record) {
      delivered_.push_back(std::move(record));
    });
    ASSERT_TRUE(sequencer_->Load(log_).ok());
  }

  std::shared_ptr<IngestSession> Connect(std::string_view producer, bool resume = false) {
    auto session = sequencer_->Connect(producer, resume, [] {});
    EXPECT_TRUE(session.ok()) << session.status();
    return session.ok() ? *session : nullptr;
  }

  graph::ManualClock clock_;
  graph::MetricRegistry metrics_;
  MemoryLog log_;
  Interner interner_{100};
  Sequencer::Options options_;
  absl::Status failure_;
  std::vector<DurableRecord> delivered_;
  std::unique_ptr<LogWriter> writer_;  // ends before what it calls
  std::unique_ptr<Sequencer> sequencer_;

  ~SequencerThreadsTest() override { writer_.reset(); }
};

TEST_F(SequencerThreadsTest, PutsABatchIntoOneRecord) {
  const auto session = Connect("p");
  EXPECT_EQ(session->first_seq(), 0u);
  EXPECT_EQ(session->epoch(), 1u);
  ASSERT_TRUE(session->Submit(Batch(0, {100, 90, 120})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  ASSERT_EQ(log_.records().size(), 1u);
  const LogRecord record = log_.records()[0];
  EXPECT_EQ(record.seq_count, 3u);
  EXPECT_THAT(record.events.source, ElementsAre(0, 0, 0));
  EXPECT_THAT(record.events.target, ElementsAre(1, 1, 1));
  EXPECT_THAT(record.events.time_us, ElementsAre(100, 90, 120));
  EXPECT_EQ(record.watermark_us, 110);
  EXPECT_THAT(log_.keys(), ElementsAre("a", "b"));
  ASSERT_EQ(delivered_.size(), 1u);
  EXPECT_EQ(*delivered_[0].events, record.events);
  const IngestSession::Progress progress = session->TakeProgress();
  EXPECT_EQ(progress.durable_seq, 3u);
  EXPECT_EQ(progress.applied_seq, 0u);
  EXPECT_EQ(progress.credits, static_cast<std::uint64_t>(options_.limits.window_events) - 3);
  sequencer_->OnApplied({0, 1, 3});
  EXPECT_EQ(session->TakeProgress().applied_seq, 3u);
  EXPECT_EQ(session->TakeProgress().credits,
            static_cast<std::uint64_t>(options_.limits.window_events));
}

TEST_F(SequencerThreadsTest, SkipsWhatItHasAndRefusesGaps) {
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(Batch(0, {1, 2, 3})).ok());
  ASSERT_TRUE(session->Submit(Batch(0, {1, 2, 3})).ok());
  ASSERT_TRUE(session->Submit(Batch(1, {2, 3, 4, 5})).ok());
  EXPECT_EQ(session->Submit(Batch(6, {7})).code(), absl::StatusCode::kOutOfRange);
  ASSERT_TRUE(session->Submit(Batch(5, {6})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  std::vector<std::int64_t> times;
  std::vector<std::uint64_t> first_seqs;
  for (const LogRecord& record : log_.records()) {
    first_seqs.push_back(record.first_seq);
    times.insert(times.end(), record.events.time_us.begin(), record.events.time_us.end());
  }
  EXPECT_THAT(times, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(first_seqs, ElementsAre(0, 3, 5));
}

TEST_F(SequencerThreadsTest, ProducersDoNotShareSequences) {
  const auto first = Connect("p");
  const auto second = Connect("q");
  ASSERT_TRUE(first->Submit(Batch(0, {1, 2})).ok());
  ASSERT_TRUE(second->Submit(Batch(0, {3})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_EQ(first->TakeProgress().durable_seq, 2u);
  EXPECT_EQ(second->TakeProgress().durable_seq, 1u);
  EXPECT_EQ(sequencer_->GetReport().producer_count, 2u);
}

TEST_F(SequencerThreadsTest, FencesTheOlderSession) {
  bool told = false;
  const auto older = *sequencer_->Connect("p", false, [&] { told = true; });
  const auto newer = Connect("p", true);
  EXPECT_TRUE(told);
  EXPECT_EQ(newer->epoch(), 2u);
  EXPECT_TRUE(older->TakeProgress().fenced);
  EXPECT_EQ(older->Submit(Batch(0, {1})).code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(newer->Submit(Batch(0, {1})).ok());
}

TEST_F(SequencerThreadsTest, RemembersProducersAndTimes) {
  ASSERT_TRUE(Connect("p")->Submit(Batch(0, {100, 200})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  Open();
  EXPECT_EQ(sequencer_->Connect("p", false, [] {}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const auto session = Connect("p", true);
  EXPECT_EQ(session->first_seq(), 2u);
  EXPECT_EQ(session->epoch(), 2u);
  EXPECT_EQ(session->last_digest(), EventDigest("a", "b", 200, 0, {}));
  EXPECT_TRUE(session->Ready());
  ASSERT_TRUE(session->Submit(Batch(2, {189, 190})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(session->TakeProgress().rejects, ElementsAre(graph::Reject{2, RejectReason::kLate}));
  EXPECT_EQ(session->TakeProgress().applied_seq, 2u);
}

TEST_F(SequencerThreadsTest, LatenessIsJudgedAgainstTheWatermarkBeforeTheBatch) {
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(Batch(0, {1000, 1})).ok());
  ASSERT_TRUE(session->Submit(Batch(2, {990, 989})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(session->TakeProgress().rejects, ElementsAre(graph::Reject{3, RejectReason::kLate}));
  EXPECT_THAT(session->TakeProgress().rejects, IsEmpty());
  EXPECT_EQ(log_.records()[1].rejects.size(), 1u);
}

TEST_F(SequencerThreadsTest, ATimeFarAheadOfTheClockMovesNothing) {
  options_.max_ahead_us = 1'000'000;
  Open();
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(Batch(0, {100, 1'000'001, 1'000'000})).ok());
  ASSERT_TRUE(session->Submit(Batch(3, {999'990, graph::kAfterAllTime})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(session->TakeProgress().rejects,
              ElementsAre(graph::Reject{1, RejectReason::kTooFarAhead},
                          graph::Reject{4, RejectReason::kTooFarAhead}));
  EXPECT_EQ(sequencer_->GetReport().watermark_us, 1'000'000 - options_.lateness_us);
  clock_.AdvanceUs(1);
  ASSERT_TRUE(session->Submit(Batch(5, {1'000'001})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(session->TakeProgress().rejects, IsEmpty());
}

TEST_F(SequencerThreadsTest, AnyTimeIsTakenWithoutALimit) {
  options_.max_ahead_us = graph::kAfterAllTime;
  Open();
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(Batch(0, {graph::kAfterAllTime - 1})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(session->TakeProgress().rejects, IsEmpty());
}

TEST_F(SequencerThreadsTest, ABatchOfRejectsIsARecordWithoutEvents) {
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(Batch(0, {1000})).ok());
  ASSERT_TRUE(session->Submit(Batch(1, {1, 2})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  ASSERT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(delivered_[1].events, nullptr);
  EXPECT_EQ(delivered_[1].position.offset, 1u);
  EXPECT_EQ(sequencer_->GetReport().durable.offset, 2u);
  EXPECT_EQ(sequencer_->GetReport().rejected_count, 2u);
  sequencer_->OnApplied({0, 1, 2});
  EXPECT_EQ(session->TakeProgress().applied_seq, 3u);
}

TEST_F(SequencerThreadsTest, KeepsItsLimits) {
  options_.limits.max_producers = 1;
  options_.limits.batch_events = 2;
  options_.limits.window_events = 3;
  Open();
  const auto session = Connect("p");
  EXPECT_EQ(sequencer_->Connect("q", false, [] {}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(sequencer_->Connect("", false, [] {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(sequencer_->Connect(std::string(129, 'x'), false, [] {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(session->Submit(Batch(0, {1, 2, 3})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(session->MayRead());
  ASSERT_TRUE(session->Submit(Batch(0, {1, 2})).ok());
  EXPECT_TRUE(session->MayRead());
  ASSERT_TRUE(session->Submit(Batch(2, {1, 2})).ok());
  EXPECT_FALSE(session->MayRead());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_EQ(session->TakeProgress().credits, 0u);
  sequencer_->OnApplied({0, 1, 2});
  EXPECT_TRUE(session->MayRead());
  EXPECT_EQ(session->TakeProgress().credits, 1u);
}

TEST_F(SequencerThreadsTest, ADictionaryThatIsFullRefusesNewNodesOnly) {
  EventBuilder builder;
  for (int i = 0; i < 101; ++i) builder.Add("hub", graph::Concat("n", i), 1, {}, {});
  builder.Add("hub", "n3", 1, {}, {});
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(builder.Take()).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(session->TakeProgress().rejects,
              ElementsAre(graph::Reject{99, RejectReason::kTooManyNodes},
                          graph::Reject{100, RejectReason::kTooManyNodes}));
  EXPECT_EQ(log_.keys().size(), 100u);
}

TEST_F(SequencerThreadsTest, RefusesColumnsThatContradictEachOther) {
  const auto session = Connect("p");
  const auto refused = [&](const std::function<void(v1::EventColumns&)>& change) {
    v1::EventColumns columns = Batch(0, {1, 2});
    change(columns);
    return session->Submit(columns).code() == absl::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](auto& columns) { columns.clear_time_us(); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.add_source(0); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.mutable_target()->RemoveLast(); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.set_source(1, 2); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.add_integer_key(1); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.add_label(1); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.add_feature(1); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.set_feature_count(-1); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.set_feature_count(1 << 30); }));
  EXPECT_TRUE(refused([](auto& columns) { columns.set_first_seq(~std::uint64_t{0}); }));
  EXPECT_TRUE(session->Submit(Batch(0, {1, 2})).ok());
}

TEST_F(SequencerThreadsTest, IntegerKeysAreTheirText) {
  v1::EventColumns columns;
  columns.add_integer_key(-7);
  columns.add_integer_key(std::numeric_limits<std::int64_t>::min());
  columns.add_source(0);
  columns.add_target(1);
  columns.add_time_us(5);
  ASSERT_TRUE(Connect("p")->Submit(columns).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(log_.keys(), ElementsAre("-7", "-9223372036854775808"));
  EXPECT_EQ(interner_.Find("-7"), 0u);
}

TEST_F(SequencerThreadsTest, FillsMissingFeaturesUp) {
  options_.limits.feature_count = 3;
  Open();
  EventBuilder builder;
  const std::vector<float> two = {1, 2};
  builder.Add("a", "b", 1, 0.5F, two);
  builder.Add("a", "b", 1, {}, two);
  ASSERT_TRUE(Connect("p")->Submit(builder.Take()).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  const graph::EventBatch events = log_.records()[0].events;
  EXPECT_EQ(events.feature_count, 3);
  EXPECT_THAT(events.feature, ElementsAre(1, 2, 0, 1, 2, 0));
  EXPECT_THAT(events.label, ElementsAre(0.5F, 0.0F));
}

TEST_F(SequencerThreadsTest, AFullDiskHoldsUpAndLosesNothing) {
  const auto session = Connect("p");
  log_.SetFault(absl::ResourceExhaustedError("full"));
  ASSERT_TRUE(session->Submit(Batch(0, {1, 2})).ok());
  // Who waits is told at once, not when its deadline comes.
  EXPECT_EQ(sequencer_->WaitDurable("p", 2, clock_.NowNs() + 60'000'000'000).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(session->writer_status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(metrics_.GetGauge("weft_log_disk_full", "").Value(), 1);
  const absl::Status full = session->Submit(Batch(2, {3}));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReasonOf(full), v1::ERROR_REASON_DISK_FULL);
  EXPECT_TRUE(RetryDelaySeconds(full));
  EXPECT_EQ(session->TakeProgress().durable_seq, 0u);
  log_.SetFault(absl::OkStatus());
  // The writer tries again by itself, and says that the disk is full until it has got through.
  while (!writer_->status().ok()) std::this_thread::yield();
  EXPECT_TRUE(session->writer_status().ok());
  EXPECT_EQ(metrics_.GetGauge("weft_log_disk_full", "").Value(), 0);
  EXPECT_EQ(session->TakeProgress().durable_seq, 2u);
}

TEST_F(SequencerThreadsTest, AFailedLogEndsEverything) {
  const auto session = Connect("p");
  log_.SetFault(absl::DataLossError("broken"));
  ASSERT_TRUE(session->Submit(Batch(0, {1})).ok());
  EXPECT_EQ(writer_->Flush().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(session->Submit(Batch(1, {2})).code(), absl::StatusCode::kDataLoss);
  writer_.reset();
  EXPECT_EQ(failure_.code(), absl::StatusCode::kDataLoss);
}

TEST_F(SequencerThreadsTest, MarksAQuietFeedOnce) {
  options_.idle_after_ns = 1'000'000'000;
  Open();
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(Batch(0, {100})).ok());
  clock_.AdvanceUs(999'999);
  ASSERT_TRUE(sequencer_->Tick().ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_EQ(log_.records().size(), 1u);
  clock_.AdvanceUs(1);
  ASSERT_TRUE(sequencer_->Tick().ok());
  ASSERT_TRUE(sequencer_->Tick().ok());
  ASSERT_TRUE(writer_->Flush().ok());
  ASSERT_EQ(log_.records().size(), 2u);
  EXPECT_EQ(log_.records()[1].kind, graph::RecordKind::kIdle);
  EXPECT_EQ(log_.records()[1].watermark_us, 100);
  EXPECT_EQ(log_.records()[1].producer, 0u);
  ASSERT_TRUE(session->Submit(Batch(1, {99, 100})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_THAT(session->TakeProgress().rejects, ElementsAre(graph::Reject{1, RejectReason::kLate}));
}

TEST_F(SequencerThreadsTest, TakesNothingWhileDraining) {
  const auto session = Connect("p");
  ASSERT_TRUE(session->Submit(Batch(0, {1})).ok());
  sequencer_->StartDrain();
  EXPECT_EQ(session->Submit(Batch(1, {2})).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(sequencer_->Connect("q", false, [] {}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(session->TakeProgress().draining);
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_EQ(session->TakeProgress().durable_seq, 1u);
}

TEST_F(SequencerThreadsTest, WaitsForPositions) {
  ASSERT_TRUE(Connect("p")->Submit(Batch(0, {1, 2})).ok());
  ASSERT_TRUE(writer_->Flush().ok());
  EXPECT_EQ(sequencer_->WaitApplied({0, 1, 2}, clock_.NowNs()).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(sequencer_->WaitApplied({0, 1, 3}, clock_.NowNs()).code(),
            absl::StatusCode::kOutOfRange);
  sequencer_->OnApplied({0, 1, 2});
  EXPECT_TRUE(sequencer_->WaitApplied({0, 1, 2}, clock_.NowNs()).ok());
}

TEST_F(SequencerThreadsTest, OneCallBatches) {
  const auto first = sequencer_->SubmitOnce("p", Batch(0, {5, 6}), false);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->end_seq, 2u);
  EXPECT_EQ(first->end.offset, 2u);
  const auto again = sequencer_->SubmitOnce("p", Batch(0, {5, 6}), false);
  EXPECT_EQ(again->end_seq, 2u);
  EXPECT_EQ(again->end.offset, 2u);
  const auto appended = sequencer_->SubmitOnce("p", Batch(0, {7}), true);
  EXPECT_EQ(appended->end_seq, 3u);
  EXPECT_EQ(appended->end.offset, 3u);
}

TEST(RejectReasonTest, HasTheSameNumbersOnTheWire) {
  EXPECT_EQ(int{v1::REJECT_REASON_LATE}, static_cast<int>(RejectReason::kLate));
  EXPECT_EQ(int{v1::REJECT_REASON_KEY_TOO_LONG}, static_cast<int>(RejectReason::kKeyTooLong));
  EXPECT_EQ(int{v1::REJECT_REASON_KEY_EMPTY}, static_cast<int>(RejectReason::kKeyEmpty));
  EXPECT_EQ(int{v1::REJECT_REASON_NOT_FINITE}, static_cast<int>(RejectReason::kNotFinite));
  EXPECT_EQ(int{v1::REJECT_REASON_FEATURE_COUNT}, static_cast<int>(RejectReason::kFeatureCount));
  EXPECT_EQ(int{v1::REJECT_REASON_TOO_MANY_NODES}, static_cast<int>(RejectReason::kTooManyNodes));
  EXPECT_EQ(int{v1::REJECT_REASON_TOO_FAR_AHEAD}, static_cast<int>(RejectReason::kTooFarAhead));
}

}  // namespace
}  // namespace weft::rpc
