#include "rpc/episode_stream.h"

#include <memory>
#include <set>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/hierarchy/episode_batch.h"
#include "rpc/episode_message.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "rpc/read_hierarchy.h"

namespace weft::rpc {
namespace {

using operators::hierarchy::EpisodeBatch;
using operators::hierarchy::EpisodeRow;

constexpr int kNames = 3;

v1::EpisodeChange ChangeOf(const EpisodeRow& row) {
  switch (row.kind) {
    case EpisodeRow::kOpened:
      return v1::EPISODE_CHANGE_OPENED;
    case EpisodeRow::kClosed:
      return v1::EPISODE_CHANGE_CLOSED;
    case EpisodeRow::kGrown:
      return v1::EPISODE_CHANGE_GROWN;
    default:
      return v1::EPISODE_CHANGE_FINAL;
  }
}

PickedEpisode PickRow(const EpisodeRow& row) {
  PickedEpisode picked;
  picked.level = row.level;
  picked.episode = row.episode;
  if (row.kind == EpisodeRow::kClosed) picked.state = v1::EPISODE_STATE_PROVISIONAL;
  if (row.kind != EpisodeRow::kFinal) return picked;
  picked.state = v1::EPISODE_STATE_FINAL;
  picked.parent_id = cache::EpisodeId({row.level + 1, row.parent_begin});
  return picked;
}

class EpisodeChanges final : public MessageStream {
 public:
  EpisodeChanges(const Interner& interner, const v1::SubscribeRequest& request, int names,
                 std::shared_ptr<OutputHub::Subscription> subscription)
      : interner_(interner),
        levels_(request.level().begin(), request.level().end()),
        changes_(request.change().begin(), request.change().end()),
        min_salience_(request.min_salience()),
        names_(names),
        subscription_(std::move(subscription)) {}
  ~EpisodeChanges() override { subscription_->Close(); }

  Step Next(google::protobuf::Message& message) override {
    auto& response = static_cast<v1::SubscribeResponse&>(message);
    while (const auto packet = subscription_->Next()) {
      response.Clear();
      for (const EpisodeRow& row : packet->Get<EpisodeBatch>().rows)
        if (Wants(row)) Fill(row, *response.add_event());
      if (response.event_size() == 0) continue;
      *response.mutable_position() = EncodePosition(packet->end());
      response.set_dropped_count(subscription_->dropped_count());
      return Step::kMessage;
    }
    return subscription_->closed() ? Step::kEnd : Step::kNothing;
  }
  absl::Status status() const override { return DrainingError(); }

 private:
  bool Wants(const EpisodeRow& row) const {
    if (!levels_.empty() && !levels_.contains(row.level)) return false;
    if (!changes_.empty() && !changes_.contains(ChangeOf(row))) return false;
    if (min_salience_ == 0.0) return true;
    return row.kind == EpisodeRow::kFinal && cache::SalienceNats(row.episode) >= min_salience_;
  }
  void Fill(const EpisodeRow& row, v1::EpisodeEvent& event) const {
    event.set_change(ChangeOf(row));
    FillEpisode(PickRow(row), interner_, names_, *event.mutable_episode());
  }

  const Interner& interner_;
  const std::set<std::int32_t> levels_;
  const std::set<int> changes_;
  const double min_salience_;
  const int names_;
  const std::shared_ptr<OutputHub::Subscription> subscription_;
};

absl::StatusOr<std::unique_ptr<MessageStream>> Subscribe(GraphHost& host, OutputHub& hub,
                                                         const v1::SubscribeRequest& request,
                                                         StreamReady ready) {
  WEFT_TRY(host.CheckServing());
  WEFT_ASSIGN(const int names, CheckedNames(request.max_names(), kNames));
  WEFT_TRY(CheckLevels(request.level()));
  if (!(request.min_salience() >= 0.0))
    return InvalidField("min_salience",
                        graph::Concat("expected 0 or more, got ", request.min_salience()));
  WEFT_ASSIGN(auto subscription, hub.Subscribe(graph::PacketTypeName<EpisodeBatch>::kName,
                                               "episodes", request.output(), std::move(ready)));
  return std::make_unique<EpisodeChanges>(host.interner(), request, names, std::move(subscription));
}

}  // namespace

void RegisterEpisodeStream(GraphHost* host, OutputHub* hub, Dispatcher& dispatcher) {
  dispatcher.RegisterStream<v1::SubscribeRequest, v1::SubscribeResponse>(
      "/weft.v1.HierarchyService/Subscribe",
      [host, hub](const v1::SubscribeRequest& request, StreamReady ready) {
        return Subscribe(*host, *hub, request, std::move(ready));
      });
}

}  // namespace weft::rpc
