#include "rpc/http_server.h"

#include <charconv>
#include <thread>
#include <utility>

#include <httplib.h>

#include "graph/clock.h"
#include "graph/text.h"
#include "rpc/connect_error.h"
#include "rpc/connect_stream.h"
#include "rpc/error_details.h"

namespace weft::rpc {
namespace {

// A stream holds one.
constexpr int kThreads = 32;
constexpr int kKeepAliveSeconds = 5;

constexpr char kJsonType[] = "application/json";
constexpr char kBinaryType[] = "application/proto";

void SetError(const absl::Status& status, httplib::Response& response) {
  response.status = ConnectHttpStatus(status);
  response.set_content(ConnectErrorText(status), "application/json");
}

bool HasType(const httplib::Request& request, std::string_view wanted) {
  const std::string type = request.get_header_value("Content-Type");
  return type.substr(0, type.find(';')) == wanted;
}

class ConnectServer final : public HttpServer {
 public:
  ConnectServer(const Options& options, Environment environment)
      : options_(options),
        environment_(std::move(environment)),
        address_(options.address),
        streams_(environment_.dispatcher, environment_.clock) {}

  ~ConnectServer() override {
    streams_.End();
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen() {
    SetRoutes();
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_payload_max_length(static_cast<std::size_t>(options_.max_message_bytes));
    server_.set_keep_alive_timeout(kKeepAliveSeconds);
    server_.set_tcp_nodelay(true);
    // The default shares a taken port with whoever has it.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    if (address_.port == 0) {
      address_.port = server_.bind_to_any_port(address_.host);
      if (address_.port < 0) return Taken();
    } else if (!server_.bind_to_port(address_.host, address_.port)) {
      return Taken();
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() does nothing before the thread has come that far.
    while (!server_.is_running()) std::this_thread::yield();
    return absl::OkStatus();
  }

  const Address& address() const override { return address_; }

 private:
  absl::Status Taken() const {
    return absl::UnavailableError(graph::Concat(
        "http_listen: cannot listen on ", options_.address.ToString(), "; is the port in use?"));
  }

  void SetRoutes() {
    server_.Get("/livez", [this](const httplib::Request&, httplib::Response& response) {
      Probe(environment_.alive(), response);
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      Probe(environment_.ready(), response);
    });
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(environment_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
    server_.Post(R"(/[a-z0-9.]+\.[A-Za-z]+/[A-Za-z]+)",
                 [this](const httplib::Request& request, httplib::Response& response) {
                   Call(request, response);
                 });
  }

  static void Probe(bool good, httplib::Response& response) {
    response.status = good ? 200 : 503;
    response.set_content(good ? "ok\n" : "not ok\n", "text/plain");
  }

  void Call(const httplib::Request& request, httplib::Response& response) {
    const bool streams =
        HasType(request, kConnectJsonStream) || HasType(request, kConnectBinaryStream);
    const bool binary = HasType(request, kBinaryType) || HasType(request, kConnectBinaryStream);
    if (!streams && !binary && !HasType(request, kJsonType)) {
      response.status = 415;
      response.set_header("Accept-Post",
                          "application/json, application/proto, "
                          "application/connect+json, application/connect+proto");
      return;
    }
    const MessageCodec codec = binary ? MessageCodec::kBinary : MessageCodec::kJson;
    std::int64_t deadline_ns = 0;
    if (const std::string timeout = request.get_header_value("Connect-Timeout-Ms");
        !timeout.empty()) {
      std::int64_t timeout_ms = 0;
      const auto [end, failure] =
          std::from_chars(timeout.data(), timeout.data() + timeout.size(), timeout_ms);
      // Connect allows ten digits.
      if (failure != std::errc() || end != timeout.data() + timeout.size() || timeout_ms < 0 ||
          timeout_ms > 9'999'999'999) {
        return SetError(InvalidField("Connect-Timeout-Ms", "expected milliseconds"), response);
      }
      deadline_ns = environment_.clock->NowNs() + timeout_ms * graph::kNanosecondsPerMillisecond;
    }
    if (streams) return streams_.Serve(request, deadline_ns, codec, response);
    absl::StatusOr<std::string> answer =
        environment_.dispatcher->CallEncoded(request.path, deadline_ns, codec, request.body);
    if (!answer.ok()) return SetError(answer.status(), response);
    response.set_content(*answer, binary ? kBinaryType : kJsonType);
  }

  const Options options_;
  const Environment environment_;
  Address address_;
  ConnectStreams streams_;
  httplib::Server server_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const Options& options,
                                                              Environment environment) {
  auto server = std::make_unique<ConnectServer>(options, std::move(environment));
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return server;
}

}  // namespace weft::rpc
