#include "rpc/connect_stream.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "graph/text.h"
#include "rpc/connect_error.h"
#include "rpc/error_details.h"
#include "rpc/message_codec.h"

namespace weft::rpc {
namespace {

constexpr std::size_t kEnvelopeBytes = 5;
constexpr char kMessageFlags = 0;
constexpr char kEndFlags = 2;
// How often a quiet stream looks whether its client is still there.
constexpr std::int64_t kLookNs = 1'000'000'000;

std::string Envelope(char flags, std::string_view body) {
  std::string text(1, flags);
  for (int shift = 24; shift >= 0; shift -= 8)
    text.push_back(static_cast<char>(body.size() >> shift & 0xff));
  return text.append(body);
}

absl::StatusOr<std::string_view> Open(std::string_view envelope) {
  const auto wrong = [](std::string_view what) {
    return absl::InvalidArgumentError(
        graph::Concat("the body is not one envelope of the Connect protocol: ", what));
  };
  if (envelope.size() < kEnvelopeBytes) return wrong("it has less than 5 bytes");
  if (envelope[0] != kMessageFlags) return wrong("its flags are not 0");
  std::size_t length = 0;
  for (std::size_t i = 1; i < kEnvelopeBytes; ++i)
    length = length << 8 | static_cast<unsigned char>(envelope[i]);
  if (length != envelope.size() - kEnvelopeBytes) return wrong("its length is another one");
  return envelope.substr(kEnvelopeBytes);
}

std::string EndEnvelope(const absl::Status& status) {
  nlohmann::json end = nlohmann::json::object();
  if (!status.ok()) end["error"] = ConnectErrorJson(status);
  return Envelope(kEndFlags, end.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

// What all streams know; outlives the object, because responses do.
struct ConnectStreams::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;
  bool ended = false;
};

class ConnectStreams::Stream {
 public:
  Stream(std::shared_ptr<Shared> shared, const graph::Clock* clock, std::int64_t deadline_ns,
         MessageCodec codec)
      : shared_(std::move(shared)), clock_(clock), deadline_ns_(deadline_ns), codec_(codec) {}
  ~Stream() {
    stream_.reset();  // no more calls of Wake
    const std::scoped_lock lock(shared_->mutex);
    if (counted_) --shared_->count;
  }

  absl::Status Begin(const Dispatcher& dispatcher, const httplib::Request& request) {
    {
      const std::scoped_lock lock(shared_->mutex);
      if (shared_->count >= kMost)
        return WithReason(absl::ResourceExhaustedError(
                              graph::Concat("there are already ", kMost, " streams over HTTP")),
                          v1::ERROR_REASON_TOO_MANY_SUBSCRIBERS);
      ++shared_->count;
      counted_ = true;
    }
    const absl::StatusOr<std::string_view> body = Open(request.body);
    if (!body.ok()) return body.status();
    auto opened = dispatcher.OpenEncodedStream(
        request.path, codec_, *body, [this] { Wake(); }, message_);
    if (!opened.ok()) return opened.status();
    stream_ = *std::move(opened);
    return absl::OkStatus();
  }

  // Writes the next envelope; false once the client has gone.
  bool Provide(httplib::DataSink& sink) {
    while (sink.is_writable()) {
      switch (stream_->Next(*message_)) {
        case MessageStream::Step::kMessage: {
          const absl::StatusOr<std::string> body = EncodeMessage(codec_, *message_);
          if (!body.ok()) return End(body.status(), sink);
          return Write(Envelope(kMessageFlags, *body), sink);
        }
        case MessageStream::Step::kEnd:
          return End(stream_->status(), sink);
        case MessageStream::Step::kNothing:
          break;
      }
      if (deadline_ns_ > 0 && clock_->NowNs() >= deadline_ns_)
        return End(absl::DeadlineExceededError("the stream's deadline has passed"), sink);
      if (!WaitForMore()) return End(DrainingError(), sink);
    }
    return false;
  }

 private:
  static bool Write(const std::string& text, httplib::DataSink& sink) {
    return sink.write(text.data(), text.size());
  }
  static bool End(const absl::Status& status, httplib::DataSink& sink) {
    if (!Write(EndEnvelope(status), sink)) return false;
    sink.done();
    return true;
  }

  void Wake() {
    {
      const std::scoped_lock lock(shared_->mutex);
      ready_ = true;
    }
    shared_->changed.notify_all();
  }

  // False if all streams shall end.
  bool WaitForMore() {
    std::int64_t wait_ns = kLookNs;
    if (deadline_ns_ > 0)
      wait_ns = std::clamp<std::int64_t>(deadline_ns_ - clock_->NowNs(), 0, kLookNs);
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_for(lock, std::chrono::nanoseconds(wait_ns),
                              [this] { return ready_ || shared_->ended; });
    ready_ = false;
    return !shared_->ended;
  }

  const std::shared_ptr<Shared> shared_;
  const graph::Clock* const clock_;
  const std::int64_t deadline_ns_;
  const MessageCodec codec_;
  std::unique_ptr<google::protobuf::Message> message_;
  std::unique_ptr<MessageStream> stream_;
  bool counted_ = false;
  bool ready_ = false;  // guarded by shared_->mutex
};

ConnectStreams::ConnectStreams(Dispatcher* dispatcher, const graph::Clock* clock)
    : dispatcher_(dispatcher), clock_(clock), shared_(std::make_shared<Shared>()) {}

ConnectStreams::~ConnectStreams() = default;

void ConnectStreams::Serve(const httplib::Request& request, std::int64_t deadline_ns,
                           MessageCodec codec, httplib::Response& response) {
  const char* const type = codec == MessageCodec::kJson ? kConnectJsonStream : kConnectBinaryStream;
  const auto stream = std::make_shared<Stream>(shared_, clock_, deadline_ns, codec);
  const absl::Status status = stream->Begin(*dispatcher_, request);
  if (!status.ok()) return response.set_content(EndEnvelope(status), type);
  response.set_chunked_content_provider(
      type, [stream](std::size_t, httplib::DataSink& sink) { return stream->Provide(sink); });
}

void ConnectStreams::End() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->ended = true;
  }
  shared_->changed.notify_all();
}

}  // namespace weft::rpc
