// ConnectStreams: methods that answer with a stream, over HTTP/1.1 in the manner of the Connect
// protocol: request and responses are in envelopes (a byte of flags, four of length, big end
// first), the last envelope has the flag 2 and the error, if there is one, as JSON.
#pragma once

#include <cstdint>
#include <memory>

#include "graph/state.h"
#include "rpc/dispatcher.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace weft::rpc {

// Content types of such a stream, by codec.
inline constexpr char kConnectJsonStream[] = "application/connect+json";
inline constexpr char kConnectBinaryStream[] = "application/connect+proto";

// Thread rule: any thread.
class ConnectStreams {
 public:
  // Streams at once; each holds a thread of the server.
  static constexpr int kMost = 24;

  // Both outlive it.
  ConnectStreams(Dispatcher* dispatcher, const graph::Clock* clock);
  ~ConnectStreams();

  // Answers with the stream; `deadline_ns` 0: none. Errors are in the last envelope.
  void Serve(const httplib::Request& request, std::int64_t deadline_ns, MessageCodec codec,
             httplib::Response& response);
  // Ends all streams, and those to come, with UNAVAILABLE.
  void End();

 private:
  struct Shared;
  class Stream;

  Dispatcher* const dispatcher_;
  const graph::Clock* const clock_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace weft::rpc
