#include "rpc/health_service.h"

#include <optional>

namespace weft::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// Sends the status at the start and whenever it has changed. Deletes itself when the call is over.
// Its calls into gRPC are made with the service's mutex held.
class HealthService::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthService* service, std::string name) : service_(service), name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  void Offer(ServingStatus status) {
    wanted_ = status;
    Send();
  }
  void End(const grpc::Status& status) {
    if (finished_) return;
    finished_ = true;
    Finish(status);
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(service_->mutex_);
    writing_ = false;
    if (ok) Send();
  }
  void OnCancel() override {
    const std::scoped_lock lock(service_->mutex_);
    End(grpc::Status::CANCELLED);
  }
  void OnDone() override {
    service_->Remove(this);
    delete this;
  }

 private:
  void Send() {
    if (writing_ || finished_ || !wanted_ || wanted_ == sent_) return;
    sent_ = wanted_;
    writing_ = true;
    response_.set_status(*sent_);
    StartWrite(&response_);
  }

  HealthService* const service_;
  const std::string name_;
  HealthCheckResponse response_;
  std::optional<ServingStatus> wanted_;
  std::optional<ServingStatus> sent_;
  bool writing_ = false;
  bool finished_ = false;
};

HealthService::HealthService(std::vector<std::string> services)
    : services_(services.begin(), services.end()) {}

HealthService::ServingStatus HealthService::StatusOf(const std::string& service) {
  if (!service.empty() && !services_.contains(service)) {
    return HealthCheckResponse::SERVICE_UNKNOWN;
  }
  return serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void HealthService::SetServing(bool serving) {
  const std::scoped_lock lock(mutex_);
  serving_ = serving;
  for (Watcher* watcher : watchers_) watcher->Offer(StatusOf(watcher->name()));
}

void HealthService::Close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "the server stops");
  for (Watcher* watcher : watchers_) watcher->End(status);
}

void HealthService::Remove(Watcher* watcher) {
  const std::scoped_lock lock(mutex_);
  watchers_.erase(watcher);
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const std::scoped_lock lock(mutex_);
  const ServingStatus status = StatusOf(request->service());
  if (status == HealthCheckResponse::SERVICE_UNKNOWN) {
    reactor->Finish({grpc::StatusCode::NOT_FOUND, "there is no such service"});
  } else {
    response->set_status(status);
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext*, const HealthCheckRequest* request) {
  auto* const watcher = new Watcher(this, request->service());
  const std::scoped_lock lock(mutex_);
  watchers_.insert(watcher);
  watcher->Offer(StatusOf(watcher->name()));
  if (closed_) watcher->End({grpc::StatusCode::UNAVAILABLE, "the server stops"});
  return watcher;
}

}  // namespace weft::rpc
