// StartGrpcStream: a MessageStream over gRPC.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "rpc/dispatcher.h"
#include "rpc/grpc_status.h"
#include "rpc/stream_metadata.h"

namespace weft::rpc {

// Takes one message after another from the stream. They are made on the dispatcher's workers, not
// on the executor's thread that reports them. Every call into gRPC is made with mutex_ held.
template <class Response>
class GrpcStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit GrpcStream(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  void Begin(grpc::CallbackServerContext& context, std::string_view path,
             const google::protobuf::Message& request) {
    auto opened = dispatcher_.OpenStream(path, request, [this] { Wake(); });
    const std::scoped_lock lock(mutex_);
    if (!opened.ok()) return End(opened.status());
    stream_ = *std::move(opened);
    context.AddInitialMetadata(kSubscribedKey, "1");
    this->StartSendInitialMetadata();
    Pump();
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (!ok) return End(absl::CancelledError("the client has gone"));
    Pump();
  }
  void OnCancel() override {
    const std::scoped_lock lock(mutex_);
    cancelled_ = true;
    if (!writing_) End(absl::CancelledError("the client has gone"));
  }
  void OnDone() override {
    std::unique_ptr<MessageStream> stream;
    {
      const std::scoped_lock lock(mutex_);
      stream = std::move(stream_);
    }
    stream.reset();  // no more calls of Wake
    Release();
  }

 private:
  ~GrpcStream() override = default;

  // The reactor lives until the call is over and no worker has it in hand.
  void Release() {
    bool last = false;
    {
      const std::scoped_lock lock(mutex_);
      done_ = true;
      last = !posted_;
    }
    if (last) delete this;
  }

  void Wake() {
    {
      const std::scoped_lock lock(mutex_);
      if (posted_ || writing_ || finished_) return;
      posted_ = true;
    }
    if (dispatcher_.Post([this] { Work(); })) return;
    // Too busy. The next packet tries again, and OnWriteDone looks as well.
    const std::scoped_lock lock(mutex_);
    posted_ = false;
  }

  void Work() {
    bool last = false;
    {
      const std::scoped_lock lock(mutex_);
      posted_ = false;
      Pump();
      last = done_;
    }
    if (last) delete this;
  }

  void End(const absl::Status& status) {
    if (finished_) return;
    finished_ = true;
    this->Finish(ToGrpcStatus(status));
  }

  void Pump() {
    if (writing_ || finished_ || stream_ == nullptr) return;
    if (cancelled_) return End(absl::CancelledError("the client has gone"));
    switch (stream_->Next(response_)) {
      case MessageStream::Step::kMessage:
        writing_ = true;
        this->StartWrite(&response_);
        return;
      case MessageStream::Step::kNothing:
        return;
      case MessageStream::Step::kEnd:
        return End(stream_->status());
    }
  }

  Dispatcher& dispatcher_;
  Response response_;

  std::mutex mutex_;
  std::unique_ptr<MessageStream> stream_;
  bool writing_ = false;
  bool posted_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
  bool done_ = false;
};

// What a CallbackService method with a stream of responses returns; deletes itself when the call is
// over.
template <class Response>
grpc::ServerWriteReactor<Response>* StartGrpcStream(Dispatcher& dispatcher, std::string_view path,
                                                    grpc::CallbackServerContext* context,
                                                    const google::protobuf::Message* request) {
  auto* const stream = new GrpcStream<Response>(dispatcher);
  stream->Begin(*context, path, *request);
  return stream;
}

}  // namespace weft::rpc
