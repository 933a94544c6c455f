#include "rpc/ingest_client.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/channel.h"
#include "rpc/error_details.h"
#include "rpc/event_builder.h"
#include "rpc/grpc_status.h"
#include "weft/v1/ingest.grpc.pb.h"

namespace weft::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBackoffFirst{50};
constexpr milliseconds kBackoffMost{2000};

// Whether a new connection may help: the server says so, or the connection broke.
bool MayRetry(const absl::Status& status) {
  return RetryDelaySeconds(status) || absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsUnknown(status) || absl::IsInternal(status);
}

steady_clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
}

// One connection: a stream and the thread that reads it.
struct Connection {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReaderWriter<v1::IngestRequest, v1::IngestResponse>> stream;
  std::thread reader;
};

class StreamingClient final : public IngestClient {
 public:
  explicit StreamingClient(Options options) : options_(std::move(options)) {}

  ~StreamingClient() override { Disconnect(); }

  absl::Status Begin() {
    channel_ = MakeChannel(options_.address);
    stub_ = v1::IngestService::NewStub(channel_);
    absl::Status status = Connect(options_.resume);
    // A server that asks for patience gets it; one that is not there may be a wrong address.
    if (RetryDelaySeconds(status)) status = ConnectAgain(status, options_.resume);
    WEFT_TRY(status);
    first_seq_ = welcome_.next_seq();
    next_seq_ = first_seq_;
    const std::scoped_lock lock(mutex_);
    progress_.sent_seq = next_seq_;
    return absl::OkStatus();
  }

  std::uint64_t next_seq() const override { return first_seq_; }
  std::uint64_t last_event_digest() const override { return welcome_.last_event_digest(); }
  const v1::IngestLimits& limits() const override { return welcome_.limits(); }

  absl::Status Add(std::string_view source, std::string_view target, std::int64_t time_us,
                   std::optional<float> label, std::span<const float> features) override {
    if (!builder_.Fits(features.size())) WEFT_TRY(Flush());
    builder_.Add(source, target, time_us, label, features);
    if (builder_.size() < BatchEvents() && 2 * builder_.bytes() < welcome_.limits().message_bytes())
      return absl::OkStatus();
    return Flush();
  }

  absl::Status AddColumns(v1::EventColumns columns) override {
    WEFT_TRY(Flush());
    return Send(std::move(columns));
  }

  absl::Status Flush() override {
    if (builder_.size() == 0) return absl::OkStatus();
    return Send(builder_.Take());
  }

  absl::Status Wait(Level level) override {
    WEFT_TRY(Flush());
    while (true) {
      {
        std::unique_lock lock(mutex_);
        const auto reached = [&] {
          return (level == Level::kDurable ? progress_.durable_seq : progress_.applied_seq) >=
                 next_seq_;
        };
        changed_.wait(lock, [&] { return reached() || broken_; });
        if (reached()) return absl::OkStatus();
      }
      WEFT_TRY(Reconnect());
      WEFT_TRY(SendWaiting());
    }
  }

  absl::Status Finish() override {
    WEFT_TRY(Wait(Level::kDurable));
    if (connection_ != nullptr) connection_->stream->WritesDone();
    if (connection_ != nullptr && connection_->reader.joinable()) connection_->reader.join();
    connection_.reset();
    return absl::OkStatus();
  }

  Progress progress() const override {
    const std::scoped_lock lock(mutex_);
    return progress_;
  }

 private:
  std::int64_t BatchEvents() const {
    return std::min(options_.batch_events, welcome_.limits().batch_events());
  }

  // Queues a batch until it is acknowledged, and sends it when there are credits.
  absl::Status Send(v1::EventColumns columns) {
    columns.set_first_seq(next_seq_);
    const auto count = static_cast<std::uint64_t>(columns.time_us_size());
    next_seq_ += count;
    v1::IngestRequest request;
    *request.mutable_batch() = std::move(columns);
    {
      const std::scoped_lock lock(mutex_);
      unacknowledged_.push_back({next_seq_, std::move(request)});
      progress_.sent_seq = next_seq_;
    }
    return SendWaiting();
  }

  // Writes everything that has not been written to this connection.
  absl::Status SendWaiting() {
    while (true) {
      const v1::IngestRequest* request = nullptr;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return broken_ || limit_seq_ > written_seq_; });
        if (!broken_) {
          for (const Batch& batch : unacknowledged_) {
            if (batch.end_seq > written_seq_) {
              request = &batch.request;
              written_seq_ = batch.end_seq;
              break;
            }
          }
          if (request == nullptr) return absl::OkStatus();
          writing_ = true;
        }
      }
      // What is being written stays in the queue until writing_ is false.
      const bool written = request != nullptr && connection_->stream->Write(*request);
      {
        const std::scoped_lock lock(mutex_);
        writing_ = false;
        DropAcknowledged();
        if (written) continue;
        broken_ = true;
      }
      WEFT_TRY(Reconnect());
    }
  }

  // With mutex_ held.
  void DropAcknowledged() {
    if (writing_) return;
    while (!unacknowledged_.empty() && unacknowledged_.front().end_seq <= progress_.durable_seq) {
      unacknowledged_.pop_front();
    }
  }

  absl::Status Connect(bool resume) {
    Disconnect();
    auto connection = std::make_unique<Connection>();
    connection->stream = stub_->Ingest(&connection->context);
    v1::IngestRequest request;
    v1::IngestHello& hello = *request.mutable_hello();
    hello.set_feed(options_.feed);
    hello.set_producer(options_.producer);
    hello.set_resume(resume);
    hello.set_feature_count(options_.feature_count);
    v1::IngestResponse response;
    if (!connection->stream->Write(request) || !connection->stream->Read(&response)) {
      return FromGrpcStatus(connection->stream->Finish());
    }
    if (!response.has_welcome()) {
      connection->context.TryCancel();
      connection->stream->Finish();
      return absl::InternalError("expected a welcome from the server");
    }
    welcome_ = response.welcome();
    const std::scoped_lock lock(mutex_);
    const std::uint64_t known = welcome_.next_seq();
    if (progress_.sent_seq > 0 && known < progress_.durable_seq) {
      return absl::DataLossError(graph::Concat("the server's log ends at event ", known, ", but ",
                                               progress_.durable_seq, " were acknowledged"));
    }
    progress_.durable_seq = known;
    written_seq_ = known;
    limit_seq_ = known + welcome_.credits();
    broken_ = false;
    ending_ = absl::OkStatus();
    DropAcknowledged();
    connection_ = std::move(connection);
    connection_->reader = std::thread([this, open = connection_.get()] { ReadAll(*open); });
    return absl::OkStatus();
  }

  void Disconnect() {
    if (connection_ == nullptr) return;
    connection_->context.TryCancel();
    if (connection_->reader.joinable()) connection_->reader.join();
    connection_.reset();
  }

  void ReadAll(Connection& connection) {
    v1::IngestResponse response;
    while (connection.stream->Read(&response)) {
      if (response.has_ack()) TakeAck(response.ack());
    }
    const absl::Status status = FromGrpcStatus(connection.stream->Finish());
    {
      const std::scoped_lock lock(mutex_);
      broken_ = true;
      ending_ = status;
    }
    changed_.notify_all();
  }

  void TakeAck(const v1::IngestAck& ack) {
    {
      const std::scoped_lock lock(mutex_);
      progress_.durable_seq = std::max(progress_.durable_seq, ack.durable_seq());
      progress_.applied_seq = std::max(progress_.applied_seq, ack.applied_seq());
      progress_.rejected_count += static_cast<std::uint64_t>(ack.reject_size());
      if (ack.has_position()) progress_.position = ack.position();
      limit_seq_ = std::max(limit_seq_, ack.durable_seq() + ack.credits());
      DropAcknowledged();
    }
    changed_.notify_all();
    if (options_.on_reject == nullptr) return;
    for (const v1::EventReject& reject : ack.reject()) {
      options_.on_reject(reject.seq(), reject.reason());
    }
  }

  absl::Status Reconnect() {
    // The reader says why: a failed write alone does not know, but it means that reading ends too.
    // Cancelling here would put our own status in the place of the server's.
    if (connection_ != nullptr && connection_->reader.joinable()) connection_->reader.join();
    absl::Status status;
    {
      const std::scoped_lock lock(mutex_);
      status = ending_;
    }
    if (status.ok()) status = absl::UnavailableError("the server ended the stream");
    WEFT_TRY(ConnectAgain(status, true));
    const std::scoped_lock lock(mutex_);
    ++progress_.reconnect_count;
    return absl::OkStatus();
  }

  // Tries again, ever more slowly, until the time is over or the server refuses for good. `status`
  // is what ended the try before.
  absl::Status ConnectAgain(absl::Status status, bool resume) {
    const auto until = steady_clock::now() + Seconds(options_.reconnect_seconds);
    steady_clock::duration backoff = kBackoffFirst;
    while (MayRetry(status)) {
      const auto pause = std::max(backoff, Seconds(RetryDelaySeconds(status).value_or(0)));
      if (steady_clock::now() + pause >= until) return status;
      std::this_thread::sleep_for(pause);
      backoff = std::min<steady_clock::duration>(backoff * 2, kBackoffMost);
      status = Connect(resume);
      if (status.ok()) return status;
    }
    return status;
  }

  struct Batch {
    std::uint64_t end_seq = 0;
    v1::IngestRequest request;
  };

  const Options options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::IngestService::Stub> stub_;
  v1::IngestWelcome welcome_;
  std::uint64_t first_seq_ = 0;
  std::uint64_t next_seq_ = 0;
  EventBuilder builder_;
  std::unique_ptr<Connection> connection_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> unacknowledged_;
  Progress progress_;
  std::uint64_t written_seq_ = 0;  // on this connection
  std::uint64_t limit_seq_ = 0;    // as far as the credits go
  absl::Status ending_;
  bool broken_ = false;
  bool writing_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<IngestClient>> IngestClient::Open(Options options) {
  auto client = std::make_unique<StreamingClient>(std::move(options));
  WEFT_TRY(client->Begin());
  return client;
}

}  // namespace weft::rpc
