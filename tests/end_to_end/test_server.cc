// A server process for tests: `weft serve` with the counting predictor of rpc/test_predictor.h.
//   weft_test_server DATA_DIR LISTEN
// Prints its gRPC and its HTTP address on one line when it serves; SIGTERM drains it.
#include <csignal>
#include <cstdio>
#include <thread>

#include "rpc/test_predictor.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s DATA_DIR LISTEN\n", argv[0]);
    return 2;
  }
  // Every thread inherits the mask, so that only the one below sees the signal.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  weft::rpc::Server::Options options;
  options.config.set_data_dir(argv[1]);
  options.config.set_listen(argv[2]);
  options.config.set_http_listen("127.0.0.1:0");
  options.graph_text = weft::rpc::kTestGraph;
  options.graph_name = "test.pbtxt";
  options.catalog = &weft::rpc::TestCatalog();
  auto server = weft::rpc::Server::Start(std::move(options));
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    return 1;
  }
  std::printf("%s %s\n", (*server)->address().c_str(), (*server)->http_address().c_str());
  std::fflush(stdout);
  std::thread terminator([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    (*server)->RequestDrain();
  });
  (*server)->Wait();
  const absl::Status drained = (*server)->Drain(10.0);
  // A drain that a client asked for leaves the thread waiting for a signal.
  pthread_kill(terminator.native_handle(), SIGTERM);
  terminator.join();
  return drained.ok() ? 0 : 1;
}
