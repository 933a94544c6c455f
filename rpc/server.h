// Server: everything behind `weft serve`.
//
//   rpc::Server::Options options;
//   options.config.set_data_dir("/var/lib/weft");      // see
//   rpc/weft/config/v1/server_config.proto options.graph_text = ...; options.catalog = &catalog;
//   WEFT_ASSIGN(auto server, rpc::Server::Start(std::move(options)));
//   server->Wait();                                    // until RequestDrain or AdminService.Drain
//   server->Drain(10.0);
//
// Thread rule: any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/catalog.h"
#include "graph/metrics.h"
#include "graph/state.h"
#include "graph/trace.h"
#include "weft/config/v1/server_config.pb.h"

namespace weft::rpc {

class Server {
 public:
  struct Options {
    // Defaults are filled in by Start.
    config::v1::ServerConfig config;
    // The graph spec; read from config.graph_file if empty.
    std::string graph_text = {};
    // What errors call the spec; config.graph_file if empty.
    std::string graph_name = {};
    // The operators that a graph may name. Required; outlives the server.
    const graph::Catalog* catalog = nullptr;
    // Threads of the graph; 0: one for each core.
    int threads = 0;
    // Where kernels run.
    std::string device = "host";
    // Records the graph's work; may be null, outlives the server.
    graph::TraceRecorder* trace = nullptr;
    // The machine's if null; outlives the server.
    const graph::Clock* clock = nullptr;
  };

  // Takes the ports, recovers and serves. While it recovers, health says NOT_SERVING and everything
  // else UNAVAILABLE. INVALID_ARGUMENT for a bad configuration or graph, UNAVAILABLE for a port or
  // a data directory in use, else what the recovery failed with.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Options options);

  // Without Drain, ends at once; what is acknowledged is durable all the same.
  virtual ~Server() = default;

  // Where it listens, with the ports that were taken; http_address is empty if there is no HTTP.
  virtual const std::string& address() const = 0;
  virtual const std::string& http_address() const = 0;
  virtual graph::MetricRegistry& metrics() = 0;

  // Blocks until a drain has been requested, by RequestDrain or by a client.
  virtual void Wait() = 0;
  virtual void RequestDrain() = 0;

  // Health says NOT_SERVING, nothing new is taken in, what was taken in becomes durable and
  // applied, a last checkpoint is cut, calls under way may end for at most `deadline_seconds`, then
  // they are cancelled. Once.
  virtual absl::Status Drain(double deadline_seconds) = 0;
};

}  // namespace weft::rpc
