#include "rpc/alarm_stream.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/sequence/anomaly_ensemble.h"
#include "operators/sequence/sequence_row.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "rpc/sequence_message.h"

namespace weft::rpc {
namespace {

using operators::sequence::SequenceBatch;
using operators::sequence::SequenceRow;

class AlarmStream final : public MessageStream {
 public:
  AlarmStream(const Interner& interner, const v1::SubscribeAlarmsRequest& request,
              std::shared_ptr<OutputHub::Subscription> subscription)
      : interner_(interner),
        series_(request.series().begin(), request.series().end()),
        min_score_(request.has_min_score() ? request.min_score()
                                           : operators::sequence::AnomalyEnsemble::kAlarm),
        every_record_(request.every_record()),
        subscription_(std::move(subscription)) {}
  ~AlarmStream() override { subscription_->Close(); }

  Step Next(google::protobuf::Message& message) override {
    auto& response = static_cast<v1::SubscribeAlarmsResponse&>(message);
    while (const auto packet = subscription_->Next()) {
      response.Clear();
      for (const SequenceRow& row : packet->Get<SequenceBatch>().rows) {
        const std::string_view key = interner_.Key(row.series);
        if (!IsWanted(row, key)) continue;
        v1::SeriesAlarm& alarm = *response.add_alarm();
        alarm.set_series(std::string(key));
        FillVerdict(row, *alarm.mutable_verdict());
      }
      if (response.alarm_size() == 0) continue;
      *response.mutable_position() = EncodePosition(packet->end());
      response.set_dropped_count(subscription_->dropped_count());
      return Step::kMessage;
    }
    return subscription_->closed() ? Step::kEnd : Step::kNothing;
  }
  absl::Status status() const override { return DrainingError(); }

 private:
  bool IsWanted(const SequenceRow& row, std::string_view key) const {
    if (!every_record_ && (row.said.alarm <= 0.0 || row.said.alarm < min_score_)) return false;
    return series_.empty() || series_.contains(key);
  }

  const Interner& interner_;
  const std::set<std::string, std::less<>> series_;
  const double min_score_;
  const bool every_record_;
  const std::shared_ptr<OutputHub::Subscription> subscription_;
};

}  // namespace

void RegisterAlarmStream(GraphHost* host, OutputHub* hub, Dispatcher& dispatcher) {
  dispatcher.RegisterStream<v1::SubscribeAlarmsRequest, v1::SubscribeAlarmsResponse>(
      "/weft.v1.SequenceService/SubscribeAlarms",
      [host, hub](const v1::SubscribeAlarmsRequest& request,
                  StreamReady ready) -> absl::StatusOr<std::unique_ptr<MessageStream>> {
        WEFT_TRY(host->CheckServing());
        if (request.has_min_score() && !(request.min_score() >= 0.0 && request.min_score() <= 1.0))
          return InvalidField("min_score",
                              graph::Concat("expected 0 to 1, got ", request.min_score()));
        WEFT_ASSIGN(auto subscription,
                    hub->Subscribe(graph::PacketTypeName<SequenceBatch>::kName, "records of series",
                                   request.output(), std::move(ready)));
        return std::make_unique<AlarmStream>(host->interner(), request, std::move(subscription));
      });
}

}  // namespace weft::rpc
