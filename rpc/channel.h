// The gRPC channel of a client: message sizes and keepalive that suit our server.
#pragma once

#include <memory>
#include <string>

namespace grpc {
class Channel;
}

namespace weft::rpc {

// Plain text; connects on first use.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

}  // namespace weft::rpc
