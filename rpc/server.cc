#include "rpc/server.h"

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include "graph/check.h"
#include "graph/clock.h"
#include "graph/text.h"
#include "rpc/address.h"
#include "rpc/admin_handlers.h"
#include "rpc/alarm_stream.h"
#include "rpc/episode_stream.h"
#include "rpc/explanation_handlers.h"
#include "rpc/forecast_stream.h"
#include "rpc/grpc_log.h"
#include "rpc/health_service.h"
#include "rpc/hierarchy_handlers.h"
#include "rpc/history_handlers.h"
#include "rpc/http_server.h"
#include "rpc/ingest_handlers.h"
#include "rpc/link_handlers.h"
#include "rpc/logging.h"
#include "rpc/metrics_text.h"
#include "rpc/model_handlers.h"
#include "rpc/output_hub.h"
#include "rpc/prediction_stream.h"
#include "rpc/sequence_handlers.h"
#include "rpc/server_config.h"
#include "rpc/services.h"
#include "rpc/thread_slice.h"
#include "rpc/version.h"

namespace weft::rpc {
namespace {

using graph::Concat;

constexpr int kPingIntervalMs = 10'000;
constexpr int kKeepAliveMs = 60'000;
constexpr int kKeepAliveTimeoutMs = 20'000;

// Once in a process, before the first server.
void PrepareGrpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    TakeOverGrpcLog();
    grpc::EnableDefaultHealthCheckService(false);  // ours can be reached through reflection
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(Concat("graph_file: cannot read ", path));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::StatusOr<Address> CheckedAddress(std::string_view text, std::string_view field,
                                       bool insecure) {
  WEFT_ASSIGN(Address address, ParseAddress(text, field));
  if (address.IsLoopback() || insecure) return address;
  return absl::InvalidArgumentError(
      Concat(field, ": ", address.ToString(), " can be reached from other machines, and what is ",
             "sent there is not encrypted; say `insecure` to allow that, or listen on 127.0.0.1"));
}

class GrpcServer final : public Server {
 public:
  explicit GrpcServer(Options options)
      : options_(std::move(options)),
        clock_(options_.clock != nullptr ? options_.clock : &system_clock_),
        start_ns_(clock_->NowNs()) {}

  ~GrpcServer() override {
    if (outputs_ != nullptr) outputs_->Close();  // ends streams, for which HTTP would wait
    http_.reset();
    if (health_ != nullptr) health_->Close();
    if (grpc_ != nullptr) grpc_->Shutdown(std::chrono::system_clock::now());
    // Handlers hold on to the host; streams were ended by Shutdown.
    dispatcher_.reset();
    grpc_.reset();
  }

  absl::Status Begin() {
    WEFT_ASSIGN(options_.config, CompleteServerConfig(std::move(options_.config)));
    if (options_.graph_name.empty()) options_.graph_name = options_.config.graph_file();
    if (options_.graph_text.empty()) {
      WEFT_ASSIGN(options_.graph_text, ReadFile(options_.config.graph_file()));
    }
    WEFT_CHECK(options_.catalog != nullptr);
    const auto cores = static_cast<int>(std::thread::hardware_concurrency());
    executor_ = graph::MakeExecutor(options_.threads > 0 ? options_.threads : std::max(1, cores));
    BuildParts();
    WEFT_TRY(Listen());
    WEFT_TRY(ListenHttp());
    WEFT_TRY(host_->Open([this](GraphHost::Phase phase) {
      health_->SetServing(phase == GraphHost::Phase::kServing);
    }));
    Log(LogLevel::kInfo, "serving",
        {{"address", address_},
         {"http_address", http_address_},
         {"version", std::string(kVersion)}});
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }
  const std::string& http_address() const override { return http_address_; }
  graph::MetricRegistry& metrics() override { return metrics_; }

  void Wait() override {
    std::unique_lock lock(mutex_);
    drain_wanted_changed_.wait(lock, [&] { return drain_wanted_; });
  }

  void RequestDrain() override {
    {
      const std::scoped_lock lock(mutex_);
      drain_wanted_ = true;
    }
    drain_wanted_changed_.notify_all();
  }

  absl::Status Drain(double deadline_seconds) override {
    RequestDrain();
    Log(LogLevel::kInfo, "draining");
    health_->SetServing(false);
    const auto deadline = std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::system_clock::duration>(
                              std::chrono::duration<double>(deadline_seconds));
    absl::Status drained = host_->Drain();
    outputs_->Close();
    health_->Close();
    grpc_->Shutdown(deadline);
    http_.reset();
    Log(drained.ok() ? LogLevel::kInfo : LogLevel::kError, "drained",
        {{"status", drained.ToString(absl::StatusToStringMode::kWithNoExtraData)}});
    return drained;
  }

 private:
  void BuildParts() {
    GraphHost::Options host;
    host.config = options_.config;
    host.graph_text = options_.graph_text;
    host.graph_name = options_.graph_name;
    GraphHost::Environment environment;
    environment.catalog = options_.catalog;
    environment.executor = executor_.get();
    environment.clock = clock_;
    environment.metrics = &metrics_;
    environment.trace = options_.trace;
    environment.device = options_.device;
    const config::v1::CallConfig& call = options_.config.call();
    outputs_ = std::make_unique<OutputHub>(
        OutputHub::Options{call.max_subscribers(), call.subscriber_queue()}, &metrics_);
    host_ = std::make_unique<GraphHost>(std::move(host), environment);
    host_->OnBuilt([this](graph::Graph& graph, const graph::ParsedSpec& spec) {
      return outputs_->Attach(graph, spec);
    });
    Dispatcher::Options dispatcher;
    dispatcher.worker_threads = call.worker_threads();
    dispatcher.max_waiting_calls = call.max_waiting_calls();
    dispatcher.default_deadline_seconds = call.default_deadline_seconds();
    dispatcher_ = std::make_unique<Dispatcher>(dispatcher, clock_, &metrics_);
    RegisterIngestHandlers(host_.get(), *dispatcher_);
    const auto choice = std::make_shared<PredictorChoice>(host_.get());
    RegisterLinkHandlers(host_.get(), choice, *dispatcher_);
    RegisterExplanationHandlers(host_.get(), choice, *dispatcher_);
    RegisterHistoryHandlers(host_.get(), *dispatcher_);
    RegisterPredictionStream(host_.get(), outputs_.get(), *dispatcher_);
    RegisterHierarchyHandlers(host_.get(), *dispatcher_);
    RegisterEpisodeStream(host_.get(), outputs_.get(), *dispatcher_);
    RegisterForecastStream(host_.get(), outputs_.get(), *dispatcher_);
    RegisterSequenceHandlers(host_.get(), *dispatcher_);
    RegisterAlarmStream(host_.get(), outputs_.get(), *dispatcher_);
    AdminEnvironment admin;
    admin.host = host_.get();
    admin.clock = clock_;
    admin.start_ns = start_ns_;
    admin.max_message_bytes = call.max_message_bytes();
    admin.graph_text = options_.graph_text;
    admin.request_drain = [this] { RequestDrain(); };
    RegisterAdminHandlers(admin, *dispatcher_);
    RegisterModelHandlers(host_.get(), *dispatcher_);
    const ServiceEnvironment services{host_.get(), dispatcher_.get(), clock_,
                                      call.max_message_bytes()};
    ingest_service_ = std::make_unique<IngestGrpcService>(services);
    link_service_ = std::make_unique<LinkGrpcService>(services);
    hierarchy_service_ = std::make_unique<HierarchyGrpcService>(services);
    sequence_service_ = std::make_unique<SequenceGrpcService>(services);
    admin_service_ = std::make_unique<AdminGrpcService>(services);
    health_ = std::make_unique<HealthService>(std::vector<std::string>{
        "weft.v1.IngestService", "weft.v1.LinkService", "weft.v1.HierarchyService",
        "weft.v1.SequenceService", "weft.v1.AdminService"});
  }

  absl::Status Listen() {
    WEFT_ASSIGN(Address address,
                CheckedAddress(options_.config.listen(), "listen", options_.config.insecure()));
    PrepareGrpc();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address.ToString(), grpc::InsecureServerCredentials(), &port);
    const auto message_bytes = static_cast<int>(options_.config.call().max_message_bytes());
    builder.SetMaxReceiveMessageSize(message_bytes);
    builder.SetMaxSendMessageSize(message_bytes);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kPingIntervalMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveTimeoutMs);
    builder.RegisterService(ingest_service_.get());
    builder.RegisterService(link_service_.get());
    builder.RegisterService(hierarchy_service_.get());
    builder.RegisterService(sequence_service_.get());
    builder.RegisterService(admin_service_.get());
    builder.RegisterService(health_.get());
    AskForShortSlices();  // gRPC's threads inherit them
    {
      const GrpcSilence silence;  // about a taken port
      grpc_ = builder.BuildAndStart();
    }
    AskForUsualSlices();
    if (grpc_ == nullptr || port == 0) {
      return absl::UnavailableError(
          Concat("listen: cannot listen on ", address.ToString(), "; is the port in use?"));
    }
    address.port = port;
    address_ = address.ToString();
    return absl::OkStatus();
  }

  absl::Status ListenHttp() {
    if (options_.config.http_listen() == "none") return absl::OkStatus();
    HttpServer::Options options;
    WEFT_ASSIGN(options.address, CheckedAddress(options_.config.http_listen(), "http_listen",
                                                options_.config.insecure()));
    options.max_message_bytes = options_.config.call().max_message_bytes();
    HttpServer::Environment environment;
    environment.dispatcher = dispatcher_.get();
    environment.clock = clock_;
    environment.metrics = [this] { return MetricsText(metrics_); };
    environment.alive = [this] { return host_->phase() != GraphHost::Phase::kFailed; };
    environment.ready = [this] { return host_->phase() == GraphHost::Phase::kServing; };
    WEFT_ASSIGN(http_, HttpServer::Start(options, std::move(environment)));
    http_address_ = http_->address().ToString();
    return absl::OkStatus();
  }

  Options options_;
  const graph::SystemClock system_clock_;
  const graph::Clock* const clock_;
  const std::int64_t start_ns_;
  graph::MetricRegistry metrics_;
  std::unique_ptr<graph::Executor> executor_;
  std::unique_ptr<OutputHub> outputs_;
  std::unique_ptr<HealthService> health_;
  std::unique_ptr<GraphHost> host_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<IngestGrpcService> ingest_service_;
  std::unique_ptr<LinkGrpcService> link_service_;
  std::unique_ptr<HierarchyGrpcService> hierarchy_service_;
  std::unique_ptr<SequenceGrpcService> sequence_service_;
  std::unique_ptr<AdminGrpcService> admin_service_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<HttpServer> http_;
  std::string address_;
  std::string http_address_;

  std::mutex mutex_;
  std::condition_variable drain_wanted_changed_;
  bool drain_wanted_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Options options) {
  auto server = std::make_unique<GrpcServer>(std::move(options));
  WEFT_TRY(server->Begin());
  return server;
}

}  // namespace weft::rpc
