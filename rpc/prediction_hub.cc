#include "rpc/prediction_hub.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"

namespace weft::rpc {

using operators::link::LinkScores;

std::optional<PredictionBatch> PredictionHub::Subscription::Next() {
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  PredictionBatch batch = std::move(queue_.front());
  queue_.pop_front();
  return batch;
}

std::uint64_t PredictionHub::Subscription::dropped_count() const {
  const std::scoped_lock lock(mutex_);
  return dropped_count_;
}

bool PredictionHub::Subscription::closed() const {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

void PredictionHub::Subscription::Close() {
  const std::scoped_lock lock(ready_mutex_);
  ready_ = nullptr;
}

void PredictionHub::Subscription::Put(const PredictionBatch& batch, std::size_t capacity,
                                      graph::Counter& dropped) {
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() >= capacity) {
      const auto lost = static_cast<std::uint64_t>(queue_.front().scores->size());
      dropped_count_ += lost;
      dropped.Add(lost);
      queue_.pop_front();
    }
    queue_.push_back(batch);
  }
  const std::scoped_lock lock(ready_mutex_);
  if (ready_) ready_();
}

void PredictionHub::Subscription::End() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  const std::scoped_lock lock(ready_mutex_);
  if (ready_) ready_();
}

PredictionHub::PredictionHub(const Options& options, graph::MetricRegistry* metrics)
    : options_(options),
      dropped_count_(metrics->GetCounter("weft_subscriber_dropped_total",
                                         "Predictions lost by subscribers that were too slow.")) {}

absl::Status PredictionHub::Attach(graph::Graph& graph, const graph::ParsedSpec& spec) {
  for (const graph::ParsedSpec::Output& declared : spec.outputs()) {
    const graph::ParsedSpec::Stream& stream =
        spec.streams()[static_cast<std::size_t>(declared.stream)];
    if (stream.type != graph::PacketTypeName<LinkScores>::kName) continue;
    auto output = std::make_unique<Output>();
    output->name = declared.name;
    if (stream.node >= 0) output->node = spec.nodes()[static_cast<std::size_t>(stream.node)].name;
    Output& published = *output;
    {
      const std::scoped_lock lock(mutex_);
      outputs_.push_back(std::move(output));
    }
    WEFT_TRY(graph.OnOutput(declared.name, [this, &published](const graph::Packet& packet) {
      Publish(published, packet);
    }));
  }
  return absl::OkStatus();
}

void PredictionHub::Publish(Output& output, const graph::Packet& packet) {
  std::vector<std::shared_ptr<Subscription>> subscriptions;
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(output.subscriptions, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : output.subscriptions) {
      if (auto subscription = weak.lock()) subscriptions.push_back(std::move(subscription));
    }
  }
  if (subscriptions.empty()) return;
  // Only the payload is shared, never the packet: its token would hold up what counts as applied.
  PredictionBatch batch;
  batch.scores = packet.Share<LinkScores>();
  batch.position = packet.position();
  for (const auto& subscription : subscriptions) {
    subscription->Put(batch, static_cast<std::size_t>(options_.subscriber_queue), dropped_count_);
  }
}

std::size_t PredictionHub::CountSubscribers() {
  std::size_t count = 0;
  for (const auto& output : outputs_) {
    std::erase_if(output->subscriptions, [](const auto& weak) { return weak.expired(); });
    count += output->subscriptions.size();
  }
  return count;
}

absl::StatusOr<std::shared_ptr<PredictionHub::Subscription>> PredictionHub::Subscribe(
    std::string_view name, std::function<void()> ready) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return DrainingError();
  const auto found = std::find_if(outputs_.begin(), outputs_.end(), [&](const auto& output) {
    return name.empty() || output->name == name;
  });
  if (found == outputs_.end()) {
    std::vector<std::string> names;
    for (const auto& output : outputs_) names.push_back(output->name);
    return WithReason(absl::NotFoundError(graph::Concat("there is no output \"", name,
                                                        "\" of link scores; the graph has: ",
                                                        graph::JoinNames(names, ", ", "none"))),
                      v1::ERROR_REASON_UNKNOWN_OUTPUT, {{"output", std::string(name)}});
  }
  if (CountSubscribers() >= static_cast<std::size_t>(options_.max_subscribers)) {
    return WithReason(absl::ResourceExhaustedError(graph::Concat(
                          "there are already ", options_.max_subscribers, " subscribers")),
                      v1::ERROR_REASON_TOO_MANY_SUBSCRIBERS);
  }
  auto subscription = std::make_shared<Subscription>();
  subscription->node_ = (*found)->node;
  subscription->ready_ = std::move(ready);
  (*found)->subscriptions.push_back(subscription);
  return subscription;
}

void PredictionHub::Close() {
  std::vector<std::shared_ptr<Subscription>> subscriptions;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    for (const auto& output : outputs_) {
      for (const auto& weak : output->subscriptions) {
        if (auto subscription = weak.lock()) subscriptions.push_back(std::move(subscription));
      }
    }
  }
  for (const auto& subscription : subscriptions) subscription->End();
}

}  // namespace weft::rpc
