// Dispatcher: every method but those that take a stream of requests, once. A handler is a plain
// function from a request to a response, or to a stream of them; gRPC and HTTP/JSON both come
// through here, so that behaviour, deadlines, limits and metrics cannot differ between them.
//
// Calls run on a few worker threads, because a handler may wait (for the graph, for an fsync) and
// gRPC's own threads must not. What waits for a thread is bounded; beyond that a call is
// RESOURCE_EXHAUSTED at once.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "graph/check.h"
#include "graph/metrics.h"
#include "graph/state.h"
#include "rpc/message_codec.h"
#include "rpc/message_stream.h"

namespace weft::rpc {

// What a handler may know of its call.
struct CallContext {
  const graph::Clock* clock = nullptr;
  std::int64_t deadline_ns = 0;  // of the clock

  // Until the deadline, at least 1.
  std::int64_t left_us() const {
    return std::max<std::int64_t>(1, (deadline_ns - clock->NowNs()) / 1000);
  }
};

class Dispatcher {
 public:
  struct Options {
    int worker_threads = 4;
    int max_waiting_calls = 1024;
    double default_deadline_seconds = 5.0;
  };
  using Done = std::function<void(const absl::Status&)>;

  // Both outlive the dispatcher.
  Dispatcher(const Options& options, const graph::Clock* clock, graph::MetricRegistry* metrics);
  // Answers what waits with UNAVAILABLE, and lets running calls end.
  ~Dispatcher();

  // `path` is "/weft.v1.LinkService/ScoreLinks". Before the first call only.
  template <class Request, class Response>
  void Register(
      std::string_view path,
      std::function<absl::StatusOr<Response>(const CallContext&, const Request&)> handler) {
    AddMethod<Request, Response>(
        path, /*on_arena=*/false,
        [handler = std::move(handler)](const CallContext& context, const Request& request,
                                       Response& response) {
          absl::StatusOr<Response> result = handler(context, request);
          if (!result.ok()) return std::move(result).status();
          response = *std::move(result);
          return absl::OkStatus();
        });
  }

  // For responses of thousands of parts: the handler fills one that is on an arena, so that these
  // are neither allocated nor freed one by one.
  template <class Request, class Response>
  void RegisterLarge(
      std::string_view path,
      std::function<absl::Status(const CallContext&, const Request&, Response&)> handler) {
    AddMethod<Request, Response>(path, /*on_arena=*/true, std::move(handler));
  }

  // A method that answers with a stream. Its handler must not wait.
  template <class Request, class Response>
  void RegisterStream(
      std::string_view path,
      std::function<absl::StatusOr<std::unique_ptr<MessageStream>>(const Request&, StreamReady)>
          handler) {
    StreamMethod method;
    method.request = &Request::default_instance();
    method.response = &Response::default_instance();
    method.handler = [handler = std::move(handler)](const google::protobuf::Message& request,
                                                    StreamReady ready) {
      return handler(static_cast<const Request&>(request), std::move(ready));
    };
    WEFT_CHECK(streams_.emplace(path, std::move(method)).second);
  }

  // Runs the method on a worker; `done` is called there, or here if the call cannot be taken in.
  // `request` and `response` live until then. `deadline_ns` 0 means the default.
  void Call(std::string_view path, std::int64_t deadline_ns,
            const google::protobuf::Message& request, google::protobuf::Message& response,
            const Done& done);
  // The same from bytes to bytes, waiting. NOT_FOUND for an unknown path, INVALID_ARGUMENT for
  // bytes that are no request.
  absl::StatusOr<std::string> CallEncoded(std::string_view path, std::int64_t deadline_ns,
                                          MessageCodec codec, std::string_view body);
  bool Has(std::string_view path) const { return methods_.contains(path); }

  // Begins a stream. UNIMPLEMENTED for an unknown path.
  absl::StatusOr<std::unique_ptr<MessageStream>> OpenStream(
      std::string_view path, const google::protobuf::Message& request, StreamReady ready) const;
  // The same from bytes; `message` is then for Next. NOT_FOUND for an unknown path.
  absl::StatusOr<std::unique_ptr<MessageStream>> OpenEncodedStream(
      std::string_view path, MessageCodec codec, std::string_view body, StreamReady ready,
      std::unique_ptr<google::protobuf::Message>& message) const;

  // Runs `work` on a worker; false if too much waits already.
  bool Post(std::function<void()> work);

 private:
  struct Method {
    const google::protobuf::Message* request = nullptr;
    const google::protobuf::Message* response = nullptr;
    bool on_arena = false;
    std::function<absl::Status(const CallContext&, const google::protobuf::Message&,
                               google::protobuf::Message&)>
        handler;
    std::string service;
    std::string name;
    graph::Histogram* seconds = nullptr;
  };

  struct StreamMethod {
    const google::protobuf::Message* request = nullptr;
    const google::protobuf::Message* response = nullptr;
    std::function<absl::StatusOr<std::unique_ptr<MessageStream>>(const google::protobuf::Message&,
                                                                 StreamReady)>
        handler;
  };

  template <class Request, class Response, class Handler>
  void AddMethod(std::string_view path, bool on_arena, Handler handler) {
    Method method;
    method.request = &Request::default_instance();
    method.response = &Response::default_instance();
    method.on_arena = on_arena;
    method.handler = [handler = std::move(handler)](const CallContext& context,
                                                    const google::protobuf::Message& request,
                                                    google::protobuf::Message& response) {
      return handler(context, static_cast<const Request&>(request),
                     static_cast<Response&>(response));
    };
    Add(path, std::move(method));
  }
  void Add(std::string_view path, Method method);
  absl::Status Handle(const Method& method, std::int64_t deadline_ns,
                      const google::protobuf::Message& request,
                      google::protobuf::Message& response) const;
  void Count(const Method& method, const absl::Status& status, std::int64_t start_ns) const;
  void Run();

  const Options options_;
  const graph::Clock* const clock_;
  graph::MetricRegistry* const metrics_;
  std::map<std::string, Method, std::less<>> methods_;
  std::map<std::string, StreamMethod, std::less<>> streams_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weft::rpc
