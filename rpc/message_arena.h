// Messages of a gRPC call on an arena of its own: what Dispatcher::RegisterLarge is for.
#pragma once

#include <grpcpp/support/message_allocator.h>

#include "google/protobuf/arena.h"

namespace weft::rpc {

// For messages of some hundred kilobytes.
inline google::protobuf::ArenaOptions LargeMessageArena() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = std::size_t{64} << 10;
  options.max_block_size = std::size_t{1} << 20;
  return options;
}

// Lives as long as the server. Thread rule: any thread.
template <class Request, class Response>
class ArenaAllocator final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override { return new Holder; }

 private:
  class Holder final : public grpc::MessageHolder<Request, Response> {
   public:
    Holder() : arena_(LargeMessageArena()) {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }
    void Release() override { delete this; }

   private:
    google::protobuf::Arena arena_;
  };
};

}  // namespace weft::rpc
