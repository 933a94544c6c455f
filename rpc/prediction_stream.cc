#include "rpc/prediction_stream.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/link_types.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "weft/v1/link.pb.h"

namespace weft::rpc {
namespace {

using operators::link::LinkScores;

constexpr int kSourcesMax = 256;

class PredictionStream final : public MessageStream {
 public:
  PredictionStream(const Interner& interner, const v1::SubscribePredictionsRequest& request,
                   std::shared_ptr<OutputHub::Subscription> subscription)
      : interner_(interner),
        sources_(request.source().begin(), request.source().end()),
        subscription_(std::move(subscription)) {}
  ~PredictionStream() override { subscription_->Close(); }

  Step Next(google::protobuf::Message& message) override {
    auto& response = static_cast<v1::SubscribePredictionsResponse&>(message);
    while (const auto packet = subscription_->Next())
      if (Fill(*packet, response)) return Step::kMessage;
    return subscription_->closed() ? Step::kEnd : Step::kNothing;
  }
  absl::Status status() const override { return DrainingError(); }

 private:
  // False if none of the packet's events is wanted.
  bool Fill(const graph::Packet& packet, v1::SubscribePredictionsResponse& response) const {
    const auto& scores = packet.Get<LinkScores>();
    response.Clear();
    for (std::size_t i = 0; i < scores.positive_score.size(); ++i) {
      const std::string_view source = interner_.Key(scores.events.source[i]);
      if (!sources_.empty() && !sources_.contains(std::string(source))) continue;
      v1::Prediction& prediction = *response.add_prediction();
      prediction.set_source(source.data(), source.size());
      const std::string_view target = interner_.Key(scores.events.target[i]);
      prediction.set_target(target.data(), target.size());
      prediction.set_time_us(scores.events.time_us[i]);
      prediction.set_score(scores.positive_score[i]);
      if (!scores.positive_probability.empty())
        prediction.set_probability(scores.positive_probability[i]);
      if (i >= scores.negative.size() || scores.negative[i] == graph::kNoNode) continue;
      const std::string_view negative = interner_.Key(scores.negative[i]);
      prediction.set_negative(negative.data(), negative.size());
      if (i < scores.negative_score.size()) {
        prediction.set_negative_score(scores.negative_score[i]);
      }
      if (i < scores.negative_probability.size())
        prediction.set_negative_probability(scores.negative_probability[i]);
    }
    response.mutable_model()->set_node(subscription_->node());
    response.mutable_model()->set_name(scores.model);
    response.mutable_model()->set_version(scores.model_version);
    *response.mutable_position() = EncodePosition(packet.position());
    response.set_dropped_count(subscription_->dropped_count());
    return response.prediction_size() > 0;
  }

  const Interner& interner_;
  const absl::flat_hash_set<std::string> sources_;
  const std::shared_ptr<OutputHub::Subscription> subscription_;
};

}  // namespace

void RegisterPredictionStream(GraphHost* host, OutputHub* hub, Dispatcher& dispatcher) {
  dispatcher.RegisterStream<v1::SubscribePredictionsRequest, v1::SubscribePredictionsResponse>(
      "/weft.v1.LinkService/SubscribePredictions",
      [host, hub](const v1::SubscribePredictionsRequest& request,
                  StreamReady ready) -> absl::StatusOr<std::unique_ptr<MessageStream>> {
        WEFT_TRY(host->CheckServing());
        if (request.source_size() > kSourcesMax)
          return InvalidField("source", graph::Concat("expected at most ", kSourcesMax,
                                                      " keys, got ", request.source_size()));
        WEFT_ASSIGN(auto subscription,
                    hub->Subscribe(graph::PacketTypeName<LinkScores>::kName, "link scores",
                                   request.output(), std::move(ready)));
        return std::make_unique<PredictionStream>(host->interner(), request,
                                                  std::move(subscription));
      });
}

}  // namespace weft::rpc
