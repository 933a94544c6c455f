// What gRPC itself has to say, as lines of the service's log instead of text of its own.
// Thread rule: any thread.
#pragma once

namespace weft::rpc {

// For the whole process, from now on.
void TakeOverGrpcLog();

// While it lives, gRPC says nothing on this thread: for calls whose failure the caller reports.
class GrpcSilence {
 public:
  GrpcSilence();
  ~GrpcSilence();
  GrpcSilence(const GrpcSilence&) = delete;
  GrpcSilence& operator=(const GrpcSilence&) = delete;
};

}  // namespace weft::rpc
