#include "rpc/channel.h"

#include <grpcpp/grpcpp.h>

namespace weft::rpc {
namespace {

constexpr int kChannelKeepAliveMs = 30'000;
constexpr int kChannelKeepAliveTimeoutMs = 20'000;
constexpr int kBackoffFirstMs = 50;
constexpr int kBackoffMostMs = 1'000;
constexpr int kConnectTimeoutMs = 5'000;

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kChannelKeepAliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kChannelKeepAliveTimeoutMs);
  // A server that restarts is back within a second or so.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kBackoffFirstMs);
  // Despite its name: how long one attempt may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kBackoffMostMs);
  // Clients of one process must not share a connection that another has lost.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace weft::rpc
