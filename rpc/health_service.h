// HealthService: grpc.health.v1, for the server as a whole ("") and for each of its services.
// Thread rule: any thread.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "grpc/health/v1/health.grpc.pb.h"

namespace weft::rpc {

class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // The names that Check knows, besides "". All NOT_SERVING at first.
  explicit HealthService(std::vector<std::string> services);

  // For all services at once; tells the watchers.
  void SetServing(bool serving);
  // Ends all watches, so that the server can shut down.
  void Close();

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;
  using ServingStatus = grpc::health::v1::HealthCheckResponse::ServingStatus;
  ServingStatus StatusOf(const std::string& service);
  void Remove(Watcher* watcher);

  const std::set<std::string> services_;
  std::mutex mutex_;
  bool serving_ = false;         // guarded by mutex_
  bool closed_ = false;          // guarded by mutex_
  std::set<Watcher*> watchers_;  // guarded by mutex_
};

}  // namespace weft::rpc
