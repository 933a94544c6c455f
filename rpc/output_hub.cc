#include "rpc/output_hub.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"

namespace weft::rpc {

std::optional<graph::Packet> OutputHub::Subscription::Next() {
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  graph::Packet packet = std::move(queue_.front());
  queue_.pop_front();
  return packet;
}

std::uint64_t OutputHub::Subscription::dropped_count() const {
  const std::scoped_lock lock(mutex_);
  return dropped_count_;
}

bool OutputHub::Subscription::closed() const {
  const std::scoped_lock lock(mutex_);
  return closed_;
}

void OutputHub::Subscription::Close() {
  const std::scoped_lock lock(ready_mutex_);
  ready_ = nullptr;
}

void OutputHub::Subscription::Put(const graph::Packet& packet, std::size_t capacity,
                                  graph::Counter& dropped) {
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() >= capacity) {
      const auto lost = static_cast<std::uint64_t>(queue_.front().row_count());
      dropped_count_ += lost;
      dropped.Add(lost);
      queue_.pop_front();
    }
    queue_.push_back(packet);
  }
  const std::scoped_lock lock(ready_mutex_);
  if (ready_) ready_();
}

void OutputHub::Subscription::End() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  const std::scoped_lock lock(ready_mutex_);
  if (ready_) ready_();
}

OutputHub::OutputHub(const Options& options, graph::MetricRegistry* metrics)
    : options_(options),
      dropped_count_(
          metrics->GetCounter("weft_subscriber_dropped_total",
                              "Rows of packets lost by subscribers that were too slow.")) {}

absl::Status OutputHub::Attach(graph::Graph& graph, const graph::ParsedSpec& spec) {
  for (const graph::ParsedSpec::Output& declared : spec.outputs()) {
    const graph::ParsedSpec::Stream& stream =
        spec.streams()[static_cast<std::size_t>(declared.stream)];
    auto output = std::make_unique<Output>();
    output->name = declared.name;
    output->type = stream.type;
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

void OutputHub::Publish(Output& output, const graph::Packet& packet) {
  std::vector<std::shared_ptr<Subscription>> subscriptions;
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(output.subscriptions, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : output.subscriptions) {
      if (auto subscription = weak.lock()) subscriptions.push_back(std::move(subscription));
    }
  }
  if (subscriptions.empty()) return;
  // Without the packet's token, which would hold up what counts as applied.
  graph::Packet kept = packet;
  kept.set_in_flight(nullptr);
  for (const auto& subscription : subscriptions) {
    subscription->Put(kept, static_cast<std::size_t>(options_.subscriber_queue), dropped_count_);
  }
}

std::size_t OutputHub::CountSubscribers() {
  std::size_t count = 0;
  for (const auto& output : outputs_) {
    std::erase_if(output->subscriptions, [](const auto& weak) { return weak.expired(); });
    count += output->subscriptions.size();
  }
  return count;
}

absl::StatusOr<std::shared_ptr<OutputHub::Subscription>> OutputHub::Subscribe(std::string_view type,
                                                                              std::string_view what,
                                                                              std::string_view name,
                                                                              StreamReady ready) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return DrainingError();
  const auto found = std::find_if(outputs_.begin(), outputs_.end(), [&](const auto& output) {
    return output->type == type && (name.empty() || output->name == name);
  });
  if (found == outputs_.end()) {
    std::vector<std::string> names;
    for (const auto& output : outputs_)
      if (output->type == type) names.push_back(output->name);
    return WithReason(absl::NotFoundError(graph::Concat(
                          "there is no output \"", name, "\" of ", what,
                          "; the graph has: ", graph::JoinNames(names, ", ", "none"))),
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

void OutputHub::Close() {
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
