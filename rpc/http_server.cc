#include "rpc/http_server.h"

#include <charconv>
#include <thread>
#include <utility>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "google/protobuf/util/json_util.h"
#include "graph/text.h"
#include "rpc/error_details.h"

namespace weft::rpc {
namespace {

constexpr int kThreads = 8;
constexpr int kKeepAliveSeconds = 5;
constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

struct ConnectError {
  const char* code;
  int http_status;
};

// As the Connect protocol has it.
ConnectError ToConnect(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
      return {"canceled", 499};
    case absl::StatusCode::kInvalidArgument:
      return {"invalid_argument", 400};
    case absl::StatusCode::kDeadlineExceeded:
      return {"deadline_exceeded", 504};
    case absl::StatusCode::kNotFound:
      return {"not_found", 404};
    case absl::StatusCode::kAlreadyExists:
      return {"already_exists", 409};
    case absl::StatusCode::kPermissionDenied:
      return {"permission_denied", 403};
    case absl::StatusCode::kResourceExhausted:
      return {"resource_exhausted", 429};
    case absl::StatusCode::kFailedPrecondition:
      return {"failed_precondition", 400};
    case absl::StatusCode::kAborted:
      return {"aborted", 409};
    case absl::StatusCode::kOutOfRange:
      return {"out_of_range", 400};
    case absl::StatusCode::kUnimplemented:
      return {"unimplemented", 501};
    case absl::StatusCode::kInternal:
      return {"internal", 500};
    case absl::StatusCode::kUnavailable:
      return {"unavailable", 503};
    case absl::StatusCode::kDataLoss:
      return {"data_loss", 500};
    case absl::StatusCode::kUnauthenticated:
      return {"unauthenticated", 401};
    default:
      return {"unknown", 500};
  }
}

// The details as Connect has them: the name of the type, the message in base64 without padding, and
// the message in JSON for people.
nlohmann::json ConnectDetails(const google::rpc::Status& message) {
  nlohmann::json details = nlohmann::json::array();
  for (const google::protobuf::Any& detail : message.details()) {
    const std::string_view url = detail.type_url();
    std::string value = absl::Base64Escape(detail.value());
    value.erase(value.find_last_not_of('=') + 1);
    std::string debug;
    const auto printed = google::protobuf::util::MessageToJsonString(detail, &debug);
    details.push_back({{"type", url.substr(url.rfind('/') + 1)}, {"value", value}});
    if (!printed.ok()) continue;
    details.back()["debug"] = nlohmann::json::parse(debug, nullptr, false);
    details.back()["debug"].erase("@type");
  }
  return details;
}

void SetError(const absl::Status& status, httplib::Response& response) {
  const ConnectError error = ToConnect(status.code());
  const google::rpc::Status message = ToRpcStatus(status);
  nlohmann::json body = {{"code", error.code}, {"message", message.message()}};
  if (!message.details().empty()) body["details"] = ConnectDetails(message);
  // Messages may quote what a client sent; what is not UTF-8 is replaced.
  const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  response.status = error.http_status;
  response.set_content(text, "application/json");
}

bool IsJson(const httplib::Request& request) {
  const std::string type = request.get_header_value("Content-Type");
  return type.substr(0, type.find(';')) == "application/json";
}

class ConnectServer final : public HttpServer {
 public:
  ConnectServer(const Options& options, Environment environment)
      : options_(options), environment_(std::move(environment)), address_(options.address) {}

  ~ConnectServer() override {
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
    if (!IsJson(request)) {
      response.status = 415;
      response.set_header("Accept-Post", "application/json");
      return;
    }
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
      deadline_ns = environment_.clock->NowNs() + timeout_ms * kNanosecondsPerMillisecond;
    }
    absl::StatusOr<std::string> answer =
        environment_.dispatcher->CallJson(request.path, deadline_ns, request.body);
    if (!answer.ok()) return SetError(answer.status(), response);
    response.set_content(*answer, "application/json");
  }

  const Options options_;
  const Environment environment_;
  Address address_;
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
