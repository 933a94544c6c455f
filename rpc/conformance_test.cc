// Every method answers alike over gRPC and as JSON.
#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "operators/catalog.h"
#include "operators/hierarchy/planted_hierarchy.h"
#include "rpc/channel.h"
#include "rpc/client.h"
#include "rpc/connect_stream.h"
#include "rpc/grpc_status.h"
#include "rpc/ingest_client.h"
#include "rpc/logging.h"
#include "rpc/test_predictor.h"
#include "weft/v1/ingest.pb.h"

namespace weft::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using nlohmann::json;

// By method: requests in text form. "ID" stands for the id of an episode, "OTHER" for the next one.
const std::multimap<std::string, std::string>& Requests() {
  static const auto& requests = *new std::multimap<std::string, std::string>{
      {"IngestService/IngestBatch",
       "feed: 'events' producer: 'p' batch { key: 'a' key: 'b' source: 0 target: 1 "
       "time_us: 9000000000000 }"},
      {"IngestService/IngestBatch", "feed: 'nothing'"},
      {"LinkService/ScoreLinks", "pair { source: '1' target: '2' } pair { source: 'x' }"},
      {"LinkService/ScoreLinks", ""},
      {"LinkService/RankTargets", "source: '1' top_k: 3"},
      {"LinkService/GetEvaluation", ""},
      {"LinkService/ExplainLinks", "pair { source: '1' target: '2' }"},
      {"LinkService/GetHistory", "node: '1' limit: 3"},
      {"HierarchyService/Timeline", "max_items: 20"},
      {"HierarchyService/Timeline",
       "level: 1 max_items: 7 from_us: 500000000 to_us: 3000000000 state: EPISODE_STATE_FINAL "
       "entity: '3' min_salience: 1 max_names: -1"},
      {"HierarchyService/Timeline", "max_items: -4"},
      {"HierarchyService/GetEpisode", "id: ID"},
      {"HierarchyService/GetEpisode", "id: 7"},
      {"HierarchyService/Ancestors", "id: ID"},
      {"HierarchyService/Descendants", "id: ID limit: 5"},
      {"HierarchyService/At", "time_us: 1000000000"},
      {"HierarchyService/At", "time_us: 1000000000 tree { as_of_us: 2000000000 }"},
      {"HierarchyService/Overlaps", "level: 1 from_us: 5 to_us: 900000000 limit: 2"},
      {"HierarchyService/Descendants", "id: ID keep_share: 0.5"},
      {"HierarchyService/TopSalient", "level: 1 top_k: 3"},
      {"HierarchyService/TopSalient", "level: 1 top_k: 3 order: EPISODE_ORDER_LEARNED"},
      {"HierarchyService/Boundaries", "level: 2 min_strength: 0.5"},
      {"HierarchyService/FollowEntity", "entity: '1' level: 2"},
      {"HierarchyService/Compare", "id: ID other_id: OTHER"},
      {"HierarchyService/Similar", "id: ID top_k: 4"},
      {"HierarchyService/PredictNext", "level: 1 horizon_us: 60000000"},
      {"HierarchyService/PredictNext", "level: 9"},
      {"HierarchyService/Subgraph", "max_nodes: 9"},
      {"HierarchyService/Stats", ""},
      {"HierarchyService/Stats", "tree { node: 'nothing' }"},
      {"HierarchyService/Stats", "tree { node: 'recency' }"},
      {"SequenceService/CreateModel", "series: 'own' settings { horizon: 2 }"},
      {"SequenceService/CreateModel", "series: 'own' settings { horizon: -2 }"},
      {"SequenceService/Push", "series: 'late' record { time_us: 1 value: 1 }"},
      {"SequenceService/Push", "series: '1'"},
      {"SequenceService/Predict", "series: '1' steps: 1"},
      {"SequenceService/Predict", "series: 'nobody'"},
      {"SequenceService/Explain", "series: '1'"},
      {"SequenceService/Reset", "series: '2'"},
      {"SequenceService/ListSeries", "limit: 3"},
      {"AdminService/GetServerInfo", ""},
      {"AdminService/GetGraph", ""},
      {"AdminService/Checkpoint", ""},
      {"AdminService/GetStateHash", ""},
      {"AdminService/ListModelVersions", ""},
      {"AdminService/ExportModelVersion", "number: 99"},
      {"AdminService/KeepModelVersion", "node: 'nothing'"},
      {"AdminService/ImportModelVersion", "node: 'nothing'"},
      {"AdminService/PromoteModelVersion", "number: 99"},
      {"AdminService/RollBackModel", "node: 'nothing'"},
      {"AdminService/DropModelVersion", "number: 99"},
      {"AdminService/Drain", ""},
  };
  return requests;
}

// Fields that are others with every call.
bool Changes(const google::protobuf::FieldDescriptor& field) {
  const std::string& name = field.full_name();
  return name == "weft.v1.GetServerInfoResponse.uptime_seconds" ||
         name == "weft.v1.IngestBatchResponse.applied_seq" || name == "weft.v1.CheckpointInfo.id" ||
         name == "weft.v1.CreateModelResponse.position" ||
         name == "weft.v1.PushResponse.position" || name == "weft.v1.PushResponse.durable_seq" ||
         name == "weft.v1.ResetResponse.position";
}

class ConformanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kError);
    std::ifstream file("deploy/graphs/service.pbtxt");
    std::ostringstream text;
    text << file.rdbuf();
    Server::Options options = TestServerOptions(place_);
    options.graph_text = text.str() + R"(
node { name: "series" operator: "sequence_model" input: "EVENTS:events" output: "SEQUENCE:series" }
output { name: "series" stream: "series" }
)";
    options.catalog = &operators::OperatorCatalog();
    auto server = Server::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = MakeChannel(server_->address());
    http_ = std::make_unique<httplib::Client>("http://" + server_->http_address());
    hierarchy_ = HierarchyClient::Open(server_->address());
    Ingest(1, 0);
  }

  // The planted hierarchy of a seed, `later_us` later.
  void Ingest(std::uint64_t seed, graph::TimeUs later_us) {
    operators::hierarchy::PlantedHierarchyOptions planted;
    planted.seed = seed;
    planted.interactions = 4.0;
    const graph::EventBatch events = operators::hierarchy::MakePlantedHierarchy(planted).events;
    auto client = IngestClient::Open({.address = server_->address(),
                                      .feed = "events",
                                      .producer = "planted" + std::to_string(seed)});
    ASSERT_TRUE(client.ok()) << client.status();
    for (std::size_t i = 0; i < events.source.size(); ++i)
      ASSERT_TRUE((*client)
                      ->Add(std::to_string(events.source[i]), std::to_string(events.target[i]),
                            events.time_us[i] + later_us, {}, {})
                      .ok());
    const absl::Status status = (*client)->Wait(IngestClient::Level::kApplied);
    ASSERT_TRUE(status.ok()) << status;
    v1::OverlapsRequest leaves;
    const auto found = hierarchy_->Overlaps(leaves);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_GT(found->episode_size(), 10);
    id_ = found->episode(4).id();
    other_id_ = found->episode(5).id();
  }

  std::string WithIds(std::string text) const {
    for (const auto& [name, id] : {std::pair("OTHER", other_id_), std::pair("ID", id_)}) {
      const std::size_t at = text.find(name);
      if (at != std::string::npos)
        text.replace(at, std::string_view(name).size(), std::to_string(id));
    }
    return text;
  }

  absl::Status CallGrpc(const std::string& path, const Message& request, Message& response) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::Slice slice(request.SerializeAsString());
    const grpc::ByteBuffer sent(&slice, 1);
    grpc::ByteBuffer received;
    const auto call = stub.PrepareUnaryCall(&context, path, sent, &queue);
    grpc::Status status;
    call->StartCall();
    call->Finish(&received, &status, this);
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok) && ok);
    std::vector<grpc::Slice> parts;
    if (status.ok()) received.Dump(&parts);
    std::string text;
    for (const grpc::Slice& part : parts)
      text.append(reinterpret_cast<const char*>(part.begin()), part.size());
    EXPECT_TRUE(response.ParseFromString(text));
    return FromGrpcStatus(status);
  }

  void ExpectSame(const MethodDescriptor& method, const Message& request) {
    const std::string path = "/" + method.service()->full_name() + "/" + method.name();
    auto* const factory = google::protobuf::MessageFactory::generated_factory();
    const Message* const prototype = factory->GetPrototype(method.output_type());
    const std::unique_ptr<Message> over_grpc(prototype->New()), as_json(prototype->New()),
        as_binary(prototype->New());
    const absl::Status status = CallGrpc(path, request, *over_grpc);
    std::string text;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(request, &text).ok());
    const auto answer = http_->Post(path, text, "application/json");
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status == 200, status.ok()) << path << ": " << status << answer->body;
    if (!status.ok()) {
      const json error = json::parse(answer->body);
      EXPECT_EQ(error["message"], std::string(status.message())) << path;
      EXPECT_FALSE(error["code"].get<std::string>().empty());
      return;
    }
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(answer->body, as_json.get()).ok())
        << answer->body;
    // What `buf curl` speaks.
    const auto binary = http_->Post(path, request.SerializeAsString(), "application/proto");
    ASSERT_TRUE(binary && binary->status == 200) << path;
    EXPECT_EQ(binary->get_header_value("Content-Type"), "application/proto");
    EXPECT_TRUE(as_binary->ParseFromString(binary->body));
    google::protobuf::util::MessageDifferencer differencer;
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    IgnoreChanging(*method.output_type(), differencer);
    EXPECT_TRUE(differencer.Compare(*over_grpc, *as_json)) << path << ": " << difference;
    EXPECT_TRUE(differencer.Compare(*over_grpc, *as_binary)) << path << ": " << difference;
  }

  static void IgnoreChanging(const Descriptor& type,
                             google::protobuf::util::MessageDifferencer& differencer) {
    for (int i = 0; i < type.field_count(); ++i) {
      const auto& field = *type.field(i);
      if (Changes(field)) differencer.IgnoreField(&field);
      if (field.message_type() != nullptr) IgnoreChanging(*field.message_type(), differencer);
    }
  }

  TestPlace place_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<httplib::Client> http_;
  std::unique_ptr<HierarchyClient> hierarchy_;
  std::uint64_t id_ = 0, other_id_ = 0;
};

TEST_F(ConformanceTest, EveryUnaryMethodAnswersAlike) {
  const auto* const pool = google::protobuf::DescriptorPool::generated_pool();
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  for (const char* name : {"IngestService", "LinkService", "HierarchyService", "AdminService"}) {
    const auto* const service = pool->FindServiceByName(std::string("weft.v1.") + name);
    ASSERT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      if (method.client_streaming() || method.server_streaming()) continue;
      const auto [begin, end] = Requests().equal_range(std::string(name) + "/" + method.name());
      EXPECT_NE(begin, end) << "add requests for " << method.full_name();
      for (auto request = begin; request != end; ++request) {
        const std::unique_ptr<Message> message(factory->GetPrototype(method.input_type())->New());
        ASSERT_TRUE(
            google::protobuf::TextFormat::ParseFromString(WithIds(request->second), message.get()))
            << method.full_name() << " " << request->second;
        ExpectSame(method, *message);
      }
    }
  }
}

std::string Envelope(std::string_view body) {
  std::string text(5, '\0');
  text[4] = static_cast<char>(body.size());
  return text.append(body);
}

// The messages of a stream over HTTP.
class HttpStream {
 public:
  HttpStream(const std::string& address, const std::string& path, std::string_view body,
             const char* type = kConnectJsonStream)
      : client_("http://" + address) {
    request_.method = "POST";
    request_.path = path;
    request_.set_header("Content-Type", type);
    request_.body = Envelope(body);
    request_.response_handler = [this](const httplib::Response& response) {
      const std::scoped_lock lock(mutex_);
      status_ = response.status;
      changed_.notify_all();
      return true;
    };
    request_.content_receiver = [this](const char* data, std::size_t size, std::uint64_t,
                                       std::uint64_t) {
      const std::scoped_lock lock(mutex_);
      bytes_.append(data, size);
      changed_.notify_all();
      return !closed_;
    };
    thread_ = std::thread([this] {
      httplib::Response response;
      httplib::Error error;
      client_.send(request_, response, error);
      const std::scoped_lock lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return status_ != 0 || ended_; });
  }
  ~HttpStream() {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
    }
    client_.stop();
    thread_.join();
  }

  int status() const { return status_; }
  // Its flags, and its body.
  std::pair<int, std::string> Next() {
    std::unique_lock lock(mutex_);
    const auto length = [this] {
      std::size_t bytes = 0;
      for (std::size_t i = 1; i < 5; ++i)
        bytes = bytes << 8 | static_cast<unsigned char>(bytes_[i]);
      return bytes;
    };
    changed_.wait(lock,
                  [&] { return ended_ || (bytes_.size() >= 5 && bytes_.size() >= 5 + length()); });
    if (bytes_.size() < 5) return {-1, ""};
    const std::pair<int, std::string> envelope(bytes_[0], bytes_.substr(5, length()));
    bytes_.erase(0, 5 + envelope.second.size());
    return envelope;
  }

 private:
  httplib::Client client_;
  httplib::Request request_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;
  int status_ = 0;
  bool ended_ = false;
  bool closed_ = false;
};

TEST_F(ConformanceTest, StreamsAnswerAlike) {
  HttpStream episodes(server_->http_address(), "/weft.v1.HierarchyService/Subscribe",
                      R"({"level":[1],"change":["EPISODE_CHANGE_CLOSED"]})");
  HttpStream predictions(server_->http_address(), "/weft.v1.LinkService/SubscribePredictions",
                         R"({"source":["1"]})");
  v1::SubscribeRequest closed_leaves;
  closed_leaves.add_level(1);
  closed_leaves.add_change(v1::EPISODE_CHANGE_CLOSED);
  HttpStream binary(server_->http_address(), "/weft.v1.HierarchyService/Subscribe",
                    closed_leaves.SerializeAsString(), kConnectBinaryStream);
  EXPECT_EQ(episodes.status(), 200);
  std::mutex mutex;
  std::condition_variable changed;
  int subscribed = 0;
  v1::SubscribeResponse first_episodes;
  v1::SubscribePredictionsResponse first_predictions;
  const auto count = [&] {
    const std::scoped_lock lock(mutex);
    ++subscribed;
    changed.notify_all();
  };
  std::thread follow_episodes([&] {
    const auto receive = [&](const v1::SubscribeResponse& response) {
      first_episodes = response;
      return false;
    };
    EXPECT_TRUE(hierarchy_->Subscribe(closed_leaves, receive, count).ok());
  });
  std::thread follow_predictions([&] {
    v1::SubscribePredictionsRequest request;
    request.add_source("1");
    const auto receive = [&](const v1::SubscribePredictionsResponse& response) {
      first_predictions = response;
      return false;
    };
    const auto links = LinkClient::Open(server_->address());
    EXPECT_TRUE(links->SubscribePredictions(request, receive, count).ok());
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return subscribed == 2; });
  }
  Ingest(2, 4'000'000'000);
  follow_episodes.join();
  follow_predictions.join();
  const auto [flags, text] = episodes.Next();
  EXPECT_EQ(flags, 0);
  v1::SubscribeResponse same_episodes;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text, &same_episodes).ok()) << text;
  EXPECT_EQ(same_episodes.SerializeAsString(), first_episodes.SerializeAsString());
  EXPECT_GT(first_episodes.event_size(), 0);
  EXPECT_EQ(binary.Next().second, first_episodes.SerializeAsString());
  v1::SubscribePredictionsResponse same_predictions;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(predictions.Next().second, &same_predictions)
          .ok());
  EXPECT_EQ(same_predictions.SerializeAsString(), first_predictions.SerializeAsString());
}

TEST_F(ConformanceTest, StreamsOverHttpSayWhatIsWrong) {
  HttpStream wrong(server_->http_address(), "/weft.v1.HierarchyService/Subscribe",
                   R"({"level":[99]})");
  EXPECT_EQ(wrong.status(), 200);
  const auto [flags, text] = wrong.Next();
  EXPECT_EQ(flags, 2);
  EXPECT_EQ(json::parse(text)["error"]["code"], "invalid_argument") << text;
  HttpStream unknown(server_->http_address(), "/weft.v1.HierarchyService/Nothing", "{}");
  EXPECT_EQ(json::parse(unknown.Next().second)["error"]["code"], "not_found");
  const httplib::Headers headers;
  const auto broken =
      http_->Post("/weft.v1.HierarchyService/Subscribe", headers, "abc", kConnectJsonStream);
  ASSERT_TRUE(broken);
  EXPECT_THAT(broken->body, ::testing::HasSubstr("less than 5 bytes"));
}

TEST_F(ConformanceTest, AStreamOverHttpEndsWithTheServer) {
  HttpStream stream(server_->http_address(), "/weft.v1.HierarchyService/Subscribe", "{}");
  EXPECT_EQ(stream.status(), 200);
  EXPECT_TRUE(server_->Drain(5).ok());
  std::pair<int, std::string> envelope = stream.Next();
  while (envelope.first == 0) envelope = stream.Next();
  EXPECT_EQ(envelope.first, 2);
  EXPECT_EQ(json::parse(envelope.second)["error"]["code"], "unavailable");
}

}  // namespace
}  // namespace weft::rpc
