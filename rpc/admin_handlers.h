// The methods of AdminService.
#pragma once

#include <functional>

#include "rpc/dispatcher.h"
#include "rpc/graph_host.h"
#include "weft/v1/admin.pb.h"

namespace weft::rpc {

// What the handlers need besides the host; outlives what is registered.
struct AdminEnvironment {
  GraphHost* host = nullptr;
  const graph::Clock* clock = nullptr;
  std::int64_t start_ns = 0;  // of the process, by the clock
  std::int64_t max_message_bytes = 0;
  std::string graph_text;
  std::function<void()> request_drain;
};

void RegisterAdminHandlers(const AdminEnvironment& environment, Dispatcher& dispatcher);

}  // namespace weft::rpc
