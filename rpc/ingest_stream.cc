#include "rpc/ingest_stream.h"

#include <atomic>
#include <mutex>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/grpc_status.h"
#include "rpc/ingest_handlers.h"
#include "rpc/position.h"

namespace weft::rpc {
namespace {

// Reads batches as long as the session takes them, and writes what the session has to tell: one
// acknowledgement at a time, so that many become one while the client is slow. Every call into gRPC
// is made with mutex_ held; at most one read and one write are under way.
class IngestStream final : public grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse> {
 public:
  explicit IngestStream(const ServiceEnvironment& environment) : environment_(environment) {
    const std::scoped_lock lock(mutex_);
    Read();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      const std::scoped_lock lock(mutex_);
      reading_ = false;
      sender_closed_ = true;
      return Pump();
    }
    // Outside the lock: the session's progress may be told meanwhile, and a big batch takes its
    // time.
    const absl::Status status = Take();
    const std::scoped_lock lock(mutex_);
    reading_ = false;
    if (!status.ok() && ending_.ok()) ending_ = status;
    Pump();
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (!ok && ending_.ok()) ending_ = absl::CancelledError("the client has gone");
    Pump();
  }

  void OnCancel() override {
    const std::scoped_lock lock(mutex_);
    if (ending_.ok()) ending_ = absl::CancelledError("the client has gone");
    cancelled_ = true;
    Pump();
  }

  void OnDone() override {
    if (session_ != nullptr) session_->Close();
    delete this;
  }

 private:
  absl::Status Take() {
    if (session_ == nullptr) {
      if (!request_.has_hello()) {
        return InvalidField("message", "expected a hello as the first message of the stream");
      }
      return TakeHello(request_.hello());
    }
    if (!request_.has_batch()) {
      return InvalidField("message", "expected a batch after the hello");
    }
    WEFT_TRY(environment_.host->CheckServing());
    const std::uint64_t before = session_->end_seq();
    WEFT_TRY(session_->Submit(request_.batch()));
    // Nothing will become durable of a batch that was there already; the client still waits for an
    // answer.
    if (session_->end_seq() == before) repeat_ack_ = true;
    return absl::OkStatus();
  }

  absl::Status TakeHello(const v1::IngestHello& hello) {
    WEFT_TRY(environment_.host->CheckServing());
    WEFT_ASSIGN(Sequencer* const sequencer, environment_.host->FindSequencer(hello.feed()));
    const FeedLimits& limits = sequencer->options().limits;
    if (hello.feature_count() > limits.feature_count) {
      return InvalidField("hello.feature_count",
                          graph::Concat("expected at most ", limits.feature_count, ", got ",
                                        hello.feature_count()));
    }
    WEFT_ASSIGN(std::shared_ptr<IngestSession> session,
                sequencer->Connect(hello.producer(), hello.resume(), [this] {
                  const std::scoped_lock lock(mutex_);
                  Pump();
                }));
    limits_ = limits;
    const std::scoped_lock lock(mutex_);
    session_ = std::move(session);
    return absl::OkStatus();
  }

  void Read() {
    reading_ = true;
    StartRead(&request_);
  }

  void Write() {
    writing_ = true;
    StartWrite(&response_);
  }

  void End(const absl::Status& status) {
    finished_ = true;
    Finish(ToGrpcStatus(status));
  }

  // Does whatever can be done now.
  void Pump() {
    if (finished_ || writing_) return;
    if (cancelled_) return End(ending_);
    if (session_ == nullptr) {
      if (!ending_.ok() || sender_closed_) End(ending_);
      return;
    }
    // The client is told at once, and comes back when there may be room again.
    if (ending_.ok()) ending_ = session_->writer_status();
    if (!welcomed_ && ending_.ok()) {
      if (!session_->Ready()) return;
      FillWelcome();
      welcomed_ = true;
      // A client that comes back may have nothing left to send, and still wait for how far it has
      // come.
      if (session_->first_seq() > 0) repeat_ack_ = true;
      Write();
      return;
    }
    IngestSession::Progress progress = session_->TakeProgress();
    if (progress.fenced && ending_.ok()) {
      ending_ = WithReason(absl::AbortedError("a newer connection of this producer has taken over"),
                           v1::ERROR_REASON_PRODUCER_FENCED);
    }
    if (welcomed_ && HasNews(progress)) {
      FillAck(std::move(progress));
      Write();
    } else if (!ending_.ok()) {
      return End(ending_);
    } else if (progress.durable_seq >= session_->end_seq() && !reading_ && sender_closed_) {
      return End(absl::OkStatus());
    } else if (progress.draining && progress.durable_seq >= session_->end_seq()) {
      return End(DrainingError());
    }
    if (!reading_ && !sender_closed_ && ending_.ok() && session_->MayRead()) Read();
  }

  bool HasNews(const IngestSession::Progress& progress) const {
    return repeat_ack_ || progress.durable_seq != told_.durable_seq ||
           progress.applied_seq != told_.applied_seq || !progress.rejects.empty() ||
           progress.draining != told_.draining;
  }

  void FillWelcome() {
    response_.Clear();
    v1::IngestWelcome& welcome = *response_.mutable_welcome();
    told_ = session_->TakeProgress();
    welcome.set_epoch(session_->epoch());
    welcome.set_next_seq(session_->first_seq());
    welcome.set_last_event_digest(session_->last_digest());
    welcome.set_credits(told_.credits);
    v1::IngestLimits& limits = *welcome.mutable_limits();
    limits.set_message_bytes(environment_.max_message_bytes);
    limits.set_batch_events(limits_.batch_events);
    limits.set_key_bytes(limits_.key_bytes);
    limits.set_feature_count(limits_.feature_count);
  }

  void FillAck(IngestSession::Progress progress) {
    response_.Clear();
    v1::IngestAck& ack = *response_.mutable_ack();
    ack.set_durable_seq(progress.durable_seq);
    ack.set_applied_seq(progress.applied_seq);
    ack.set_credits(progress.credits);
    ack.set_draining(progress.draining);
    AddRejects(progress.rejects, *ack.mutable_reject());
    if (progress.position.offset > 0) *ack.mutable_position() = EncodePosition(progress.position);
    repeat_ack_ = false;
    told_ = std::move(progress);
  }

  const ServiceEnvironment environment_;
  FeedLimits limits_;
  v1::IngestRequest request_;
  v1::IngestResponse response_;

  std::mutex mutex_;
  std::shared_ptr<IngestSession> session_;  // written once, by the reading side with mutex_ held
  IngestSession::Progress told_;
  absl::Status ending_;  // what the stream will end with
  std::atomic<bool> repeat_ack_ = false;
  bool welcomed_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool sender_closed_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
};

}  // namespace

grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* StartIngestStream(
    const ServiceEnvironment& environment) {
  return new IngestStream(environment);
}

}  // namespace weft::rpc
