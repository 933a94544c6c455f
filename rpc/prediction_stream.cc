#include "rpc/prediction_stream.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/grpc_status.h"
#include "rpc/position.h"
#include "rpc/prediction_metadata.h"

namespace weft::rpc {
namespace {

constexpr int kSourcesMax = 256;

// Takes one packet after another from the subscription. Packets are put into words on the
// dispatcher's workers, not on the executor's thread that reports them. Every call into gRPC is
// made with mutex_ held.
class PredictionStream final : public grpc::ServerWriteReactor<v1::SubscribePredictionsResponse> {
 public:
  PredictionStream(const ServiceEnvironment& environment,
                   const v1::SubscribePredictionsRequest& request)
      : environment_(environment), sources_(request.source().begin(), request.source().end()) {}

  void Begin(grpc::CallbackServerContext& context, const v1::SubscribePredictionsRequest& request) {
    absl::Status status = environment_.host->CheckServing();
    if (status.ok() && request.source_size() > kSourcesMax) {
      status = InvalidField("source", graph::Concat("expected at most ", kSourcesMax, " keys, got ",
                                                    request.source_size()));
    }
    std::shared_ptr<PredictionHub::Subscription> subscription;
    if (status.ok()) {
      auto subscribed = environment_.predictions->Subscribe(request.output(), [this] { Wake(); });
      status = subscribed.status();
      if (status.ok()) subscription = *std::move(subscribed);
    }
    const std::scoped_lock lock(mutex_);
    if (!status.ok()) return End(status);
    subscription_ = std::move(subscription);
    context.AddInitialMetadata(kSubscribedKey, "1");
    StartSendInitialMetadata();
    Pump();
  }

  void OnWriteDone(bool ok) override {
    const std::scoped_lock lock(mutex_);
    writing_ = false;
    if (!ok) return End(absl::CancelledError("the client has gone"));
    Pump();
  }
  void OnCancel() override {
    const std::scoped_lock lock(mutex_);
    cancelled_ = true;
    if (!writing_) End(absl::CancelledError("the client has gone"));
  }
  void OnDone() override {
    if (subscription_ != nullptr) subscription_->Close();
    Release();
  }

 private:
  ~PredictionStream() override = default;

  // The stream lives until the call is over and no worker has it in hand.
  void Release() {
    bool last = false;
    {
      const std::scoped_lock lock(mutex_);
      done_ = true;
      last = !posted_;
    }
    if (last) delete this;
  }

  void Wake() {
    {
      const std::scoped_lock lock(mutex_);
      if (posted_ || writing_ || finished_) return;
      posted_ = true;
    }
    if (environment_.dispatcher->Post([this] { Work(); })) return;
    // Too busy. The next packet tries again, and OnWriteDone looks as well.
    const std::scoped_lock lock(mutex_);
    posted_ = false;
  }

  void Work() {
    bool last = false;
    {
      const std::scoped_lock lock(mutex_);
      posted_ = false;
      Pump();
      last = done_;
    }
    if (last) delete this;
  }

  void End(const absl::Status& status) {
    if (finished_) return;
    finished_ = true;
    Finish(ToGrpcStatus(status));
  }

  void Pump() {
    if (writing_ || finished_ || subscription_ == nullptr) return;
    if (cancelled_) return End(absl::CancelledError("the client has gone"));
    while (const auto batch = subscription_->Next()) {
      if (!Fill(*batch)) continue;
      writing_ = true;
      StartWrite(&response_);
      return;
    }
    if (subscription_->closed()) End(DrainingError());
  }

  // False if none of the batch's events is wanted.
  bool Fill(const PredictionBatch& batch) {
    const Interner& interner = environment_.host->interner();
    const operators::link::LinkScores& scores = *batch.scores;
    response_.Clear();
    for (std::size_t i = 0; i < scores.positive_score.size(); ++i) {
      const std::string_view source = interner.Key(scores.events.source[i]);
      if (!sources_.empty() && !sources_.contains(std::string(source))) continue;
      v1::Prediction& prediction = *response_.add_prediction();
      prediction.set_source(source.data(), source.size());
      const std::string_view target = interner.Key(scores.events.target[i]);
      prediction.set_target(target.data(), target.size());
      prediction.set_time_us(scores.events.time_us[i]);
      prediction.set_score(scores.positive_score[i]);
      if (!scores.positive_probability.empty())
        prediction.set_probability(scores.positive_probability[i]);
      if (i >= scores.negative.size() || scores.negative[i] == graph::kNoNode) continue;
      const std::string_view negative = interner.Key(scores.negative[i]);
      prediction.set_negative(negative.data(), negative.size());
      if (i < scores.negative_score.size()) {
        prediction.set_negative_score(scores.negative_score[i]);
      }
      if (i < scores.negative_probability.size())
        prediction.set_negative_probability(scores.negative_probability[i]);
    }
    response_.mutable_model()->set_node(subscription_->node());
    response_.mutable_model()->set_name(scores.model);
    response_.mutable_model()->set_version(scores.model_version);
    *response_.mutable_position() = EncodePosition(batch.position);
    response_.set_dropped_count(subscription_->dropped_count());
    return response_.prediction_size() > 0;
  }

  const ServiceEnvironment environment_;
  const absl::flat_hash_set<std::string> sources_;
  v1::SubscribePredictionsResponse response_;

  std::mutex mutex_;
  std::shared_ptr<PredictionHub::Subscription> subscription_;  // written once, in Begin
  bool writing_ = false;
  bool posted_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
  bool done_ = false;
};

}  // namespace

grpc::ServerWriteReactor<v1::SubscribePredictionsResponse>* StartPredictionStream(
    const ServiceEnvironment& environment, grpc::CallbackServerContext& context,
    const v1::SubscribePredictionsRequest& request) {
  auto* const stream = new PredictionStream(environment, request);
  stream->Begin(context, request);
  return stream;
}

}  // namespace weft::rpc
