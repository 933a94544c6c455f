#include "rpc/dispatcher.h"

#include <future>
#include <utility>

#include "graph/check.h"
#include "graph/clock.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/message_arena.h"
#include "rpc/thread_slice.h"

namespace weft::rpc {
namespace {

using google::protobuf::Message;

}  // namespace

Dispatcher::Dispatcher(const Options& options, const graph::Clock* clock,
                       graph::MetricRegistry* metrics)
    : options_(options), clock_(clock), metrics_(metrics) {
  for (int i = 0; i < options.worker_threads; ++i) threads_.emplace_back([this] { Run(); });
}

Dispatcher::~Dispatcher() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Dispatcher::Add(std::string_view path, Method method) {
  const std::size_t slash = path.rfind('/');
  WEFT_CHECK(slash != std::string_view::npos && slash > 0 && path[0] == '/');
  method.service = path.substr(1, slash - 1);
  method.name = path.substr(slash + 1);
  method.seconds = &metrics_->GetHistogram(
      "grpc_server_handling_seconds", "Time from taking a unary call in to its answer.",
      {{"grpc_method", method.name}, {"grpc_service", method.service}});
  WEFT_CHECK(methods_.emplace(path, std::move(method)).second);
}

void Dispatcher::Run() {
  AskForShortSlices();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

bool Dispatcher::Post(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return false;
    if (waiting_.size() >= static_cast<std::size_t>(options_.max_waiting_calls)) return false;
    waiting_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

absl::Status Dispatcher::Handle(const Method& method, std::int64_t deadline_ns,
                                const Message& request, Message& response) const {
  if (clock_->NowNs() >= deadline_ns) {
    return absl::DeadlineExceededError("the call waited for a thread until its deadline");
  }
  return method.handler(CallContext{clock_, deadline_ns}, request, response);
}

void Dispatcher::Count(const Method& method, const absl::Status& status,
                       std::int64_t start_ns) const {
  method.seconds->Observe(static_cast<double>(clock_->NowNs() - start_ns) /
                          graph::kNanosecondsPerSecond);
  metrics_
      ->GetCounter("grpc_server_handled_total", "Unary calls answered, by their status.",
                   {{"grpc_code", absl::StatusCodeToString(status.code())},
                    {"grpc_method", method.name},
                    {"grpc_service", method.service}})
      .Add();
}

void Dispatcher::Call(std::string_view path, std::int64_t deadline_ns, const Message& request,
                      Message& response, const Done& done) {
  const auto found = methods_.find(path);
  if (found == methods_.end()) {
    return done(absl::UnimplementedError(graph::Concat("there is no method ", path)));
  }
  const Method& method = found->second;
  const std::int64_t start_ns = clock_->NowNs();
  const std::int64_t latest_ns =
      start_ns +
      static_cast<std::int64_t>(options_.default_deadline_seconds * graph::kNanosecondsPerSecond);
  if (deadline_ns == 0) deadline_ns = latest_ns;
  const bool posted = Post([=, this, &method, &request, &response] {
    const absl::Status status = Handle(method, deadline_ns, request, response);
    Count(method, status, start_ns);
    done(status);
  });
  if (posted) return;
  const absl::Status status =
      WithReason(absl::ResourceExhaustedError(graph::Concat(
                     "more than ", options_.max_waiting_calls, " calls wait; try again later")),
                 v1::ERROR_REASON_TOO_MANY_CALLS);
  Count(method, status, start_ns);
  done(status);
}

absl::StatusOr<std::string> Dispatcher::CallEncoded(std::string_view path, std::int64_t deadline_ns,
                                                    MessageCodec codec, std::string_view body) {
  const auto found = methods_.find(path);
  if (found == methods_.end()) {
    return absl::NotFoundError(graph::Concat("there is no method ", path));
  }
  WEFT_ASSIGN(const std::unique_ptr<Message> request,
              DecodeMessage(codec, body, *found->second.request));
  google::protobuf::Arena arena(LargeMessageArena());
  std::unique_ptr<Message> own;
  Message* response = nullptr;
  if (found->second.on_arena) {
    response = found->second.response->New(&arena);
  } else {
    own.reset(found->second.response->New());
    response = own.get();
  }
  std::promise<absl::Status> answered;
  Call(path, deadline_ns, *request, *response,
       [&](const absl::Status& status) { answered.set_value(status); });
  WEFT_TRY(answered.get_future().get());
  return EncodeMessage(codec, *response);
}

absl::StatusOr<std::unique_ptr<MessageStream>> Dispatcher::OpenStream(std::string_view path,
                                                                      const Message& request,
                                                                      StreamReady ready) const {
  const auto found = streams_.find(path);
  if (found != streams_.end()) return found->second.handler(request, std::move(ready));
  return absl::UnimplementedError(graph::Concat("there is no method ", path));
}

absl::StatusOr<std::unique_ptr<MessageStream>> Dispatcher::OpenEncodedStream(
    std::string_view path, MessageCodec codec, std::string_view body, StreamReady ready,
    std::unique_ptr<Message>& message) const {
  const auto found = streams_.find(path);
  if (found == streams_.end())
    return absl::NotFoundError(graph::Concat("there is no method ", path, " with a stream"));
  WEFT_ASSIGN(const std::unique_ptr<Message> request,
              DecodeMessage(codec, body, *found->second.request));
  message.reset(found->second.response->New());
  return found->second.handler(*request, std::move(ready));
}

}  // namespace weft::rpc
