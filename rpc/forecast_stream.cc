#include "rpc/forecast_stream.h"

#include <memory>
#include <set>
#include <utility>

#include "graph/check.h"
#include "operators/hierarchy/episode_forecaster.h"
#include "rpc/episode_message.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "rpc/read_hierarchy.h"

namespace weft::rpc {
namespace {

using operators::hierarchy::ForecastBatch;
using operators::hierarchy::ForecastRow;

class ForecastStream final : public MessageStream {
 public:
  ForecastStream(const Interner& interner, const v1::SubscribeForecastsRequest& request,
                 std::shared_ptr<OutputHub::Subscription> subscription)
      : interner_(interner),
        levels_(request.level().begin(), request.level().end()),
        subscription_(std::move(subscription)) {}
  ~ForecastStream() override { subscription_->Close(); }

  Step Next(google::protobuf::Message& message) override {
    auto& response = static_cast<v1::SubscribeForecastsResponse&>(message);
    while (const auto packet = subscription_->Next()) {
      response.Clear();
      for (const ForecastRow& row : packet->Get<ForecastBatch>().rows)
        if (levels_.empty() || levels_.contains(row.level)) Fill(row, *response.add_forecast());
      if (response.forecast_size() == 0) continue;
      *response.mutable_position() = EncodePosition(packet->end());
      response.set_dropped_count(subscription_->dropped_count());
      return Step::kMessage;
    }
    return subscription_->closed() ? Step::kEnd : Step::kNothing;
  }
  absl::Status status() const override { return DrainingError(); }

 private:
  void Fill(const ForecastRow& row, v1::EpisodeForecast& forecast) const {
    forecast.set_id(cache::EpisodeId({row.level, row.begin}));
    forecast.set_level(row.level);
    forecast.set_begin_us(row.begin_us);
    forecast.set_now_us(row.now_us);
    forecast.set_end_p10_us(row.end.end_us[0]);
    forecast.set_end_p50_us(row.end.end_us[1]);
    forecast.set_end_p90_us(row.end.end_us[2]);
    forecast.set_ends_within(row.ends_within);
    forecast.set_counted_ends_within(row.end.ends_within);
    forecast.set_based_on(row.end.based_on);
    for (const auto& [node, share] : row.next) {
      if (share <= 0.0) break;
      v1::EntityCount& entity = *forecast.add_next_entity();
      FillEntity(interner_.Key(node), 0, 0, entity);
      entity.set_share(share);
    }
  }

  const Interner& interner_;
  const std::set<std::int32_t> levels_;
  const std::shared_ptr<OutputHub::Subscription> subscription_;
};

}  // namespace

void RegisterForecastStream(GraphHost* host, OutputHub* hub, Dispatcher& dispatcher) {
  dispatcher.RegisterStream<v1::SubscribeForecastsRequest, v1::SubscribeForecastsResponse>(
      "/weft.v1.HierarchyService/SubscribeForecasts",
      [host, hub](const v1::SubscribeForecastsRequest& request,
                  StreamReady ready) -> absl::StatusOr<std::unique_ptr<MessageStream>> {
        WEFT_TRY(host->CheckServing());
        WEFT_TRY(CheckLevels(request.level()));
        WEFT_ASSIGN(auto subscription,
                    hub->Subscribe(graph::PacketTypeName<ForecastBatch>::kName, "forecasts",
                                   request.output(), std::move(ready)));
        return std::make_unique<ForecastStream>(host->interner(), request, std::move(subscription));
      });
}

}  // namespace weft::rpc
