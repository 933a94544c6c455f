// HttpServer: the second port. Probes, metrics, and every method that takes one request as JSON in
// the manner of the Connect protocol:
//   POST /weft.v1.LinkService/ScoreLinks   Content-Type: application/json (or application/proto)
// A failed call answers with the HTTP status that Connect gives its code and {"code": "...",
// "message": "..."}. Methods that answer with a stream: connect_stream.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "graph/state.h"
#include "rpc/address.h"
#include "rpc/dispatcher.h"

namespace weft::rpc {

class HttpServer {
 public:
  struct Options {
    Address address;
    std::int64_t max_message_bytes = 16 << 20;
  };
  // What it serves from; outlives the server.
  struct Environment {
    Dispatcher* dispatcher = nullptr;
    const graph::Clock* clock = nullptr;
    std::function<std::string()> metrics;  // text for /metrics
    std::function<bool()> alive;           // for /livez
    std::function<bool()> ready;           // for /readyz
  };

  // Listens and serves on threads of its own. UNAVAILABLE if the port is taken.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options,
                                                           Environment environment);
  // Lets running requests end.
  virtual ~HttpServer() = default;

  // With the port that was taken.
  virtual const Address& address() const = 0;
};

}  // namespace weft::rpc
