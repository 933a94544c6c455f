#include "graph/ingress.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"

namespace weft::graph {

InFlight::~InFlight() { ingress_.Done(input_, number_); }

std::size_t Ingress::AddInput(std::string name, std::string type, std::size_t graph_index,
                              LogPosition start) {
  Input& input = inputs_.emplace_back();
  input.name = std::move(name);
  input.type = std::move(type);
  input.graph_index = graph_index;
  input.applied = start;
  input.entered_mark.applied = start;
  return inputs_.size() - 1;
}

void Ingress::AddEdge(std::size_t input, Edge& edge) { inputs_[input].edges.push_back(&edge); }

void Ingress::Restore(std::size_t input, Barrier::InputMark mark) {
  const std::lock_guard lock(mutex_);
  inputs_[input].next = mark.applied;
  inputs_[input].applied = mark.applied;
  inputs_[input].time_us = mark.time_us;
  inputs_[input].entered_mark = mark;
  inputs_[input].positioned = mark.applied != LogPosition{};
}

absl::Status Ingress::Push(std::size_t input, Packet packet) {
  if (packet.empty()) return absl::InvalidArgumentError("an empty packet was pushed");
  if (packet.type() != inputs_[input].type) {
    return absl::InvalidArgumentError(Concat("input \"", inputs_[input].name, "\": expected a ",
                                             inputs_[input].type, ", got a ", packet.type()));
  }
  Entry entry;
  entry.after = packet.position();
  entry.after.offset += static_cast<std::uint64_t>(std::max<std::int64_t>(packet.row_count(), 1));
  entry.time_us = packet.time_us();
  const LogPosition position = packet.position();
  entry.packet = std::move(packet);
  return Enqueue(input, std::move(entry), position);
}

absl::Status Ingress::AdvanceTime(std::size_t input, LogPosition position, TimeUs time_us) {
  Entry entry;
  entry.after = position;
  entry.after.offset += 1;
  entry.time_us = time_us;
  return Enqueue(input, std::move(entry), position);
}

absl::Status Ingress::SendCommand(std::size_t input, LogPosition position, TimeUs time_us,
                                  Command command) {
  Entry entry;
  entry.after = position;
  entry.after.offset += 1;
  entry.time_us = time_us;
  entry.command =
      std::make_shared<SentCommand>(SentCommand{std::move(command), position, time_us, nullptr});
  return Enqueue(input, std::move(entry), position);
}

absl::Status Ingress::CheckOrder(const Input& input, LogPosition position, TimeUs time_us) const {
  if (time_us < input.time_us) {
    return absl::InvalidArgumentError(Concat("input \"", input.name, "\": time ", time_us, " us < ",
                                             input.time_us, " us of what came before"));
  }
  if (input.positioned && position < input.next) {
    return absl::InvalidArgumentError(Concat(
        "input \"", input.name, "\": log position ", position.offset, " of feed ", position.feed,
        " < ", input.next.offset, " of feed ", input.next.feed, ", which is next"));
  }
  return absl::OkStatus();
}

absl::Status Ingress::Enqueue(std::size_t index, Entry entry, LogPosition position) {
  Input& input = inputs_[index];
  {
    std::unique_lock lock(mutex_);
    WEFT_TRY(CheckOrder(input, position, entry.time_us));
    const bool has_space = state().executor().Wait(
        lock, input.has_space,
        [&] {
          return state().stopped() || input.queue.size() < static_cast<std::size_t>(capacity_);
        },
        kNoTimeoutUs);
    if (state().stopped()) return state().reason();
    if (!has_space) {
      return absl::ResourceExhaustedError(
          Concat("input \"", input.name, "\" is full and waits for another input's time"));
    }
    input.next = entry.after;
    input.positioned = true;
    input.time_us = entry.time_us;
    input.queue.push_back(std::move(entry));
    ++input.pushed_count;
  }
  Notify();
  return absl::OkStatus();
}

bool Ingress::MayEnter(std::size_t index) const {
  const TimeUs time_us = inputs_[index].queue.front().time_us;
  for (std::size_t other = 0; other < inputs_.size(); ++other) {
    if (other == index) continue;
    const Input& input = inputs_[other];
    const TimeUs bound = input.queue.empty() ? input.time_us : input.queue.front().time_us;
    // Of equal times the earlier input's packet goes first.
    if (bound < time_us || (bound == time_us && other < index)) return false;
  }
  return true;
}

std::size_t Ingress::NextInput() const {
  for (std::size_t index = 0; index < inputs_.size(); ++index) {
    if (!inputs_[index].queue.empty() && MayEnter(index)) return index;
  }
  return kNone;
}

bool Ingress::EdgesHaveSpace(const Input& input) const {
  return std::all_of(input.edges.begin(), input.edges.end(), [this](Edge* edge) {
    return edge->HasSpace({sequence_ + 1, 0});
  });
}

bool Ingress::EnterTimes(Input& input) {
  bool entered = false;
  while (!input.queue.empty() && input.queue.front().is_time()) {
    const Entry& entry = input.queue.front();
    input.entered_mark = {entry.after, entry.time_us};
    input.entered.push_back({entry.after, true});
    if (input.before_barrier > 0) --input.before_barrier;
    input.queue.pop_front();
    input.has_space.notify_all();
    entered = true;
  }
  return entered;
}

bool Ingress::Step() {
  for (int i = 0; i < state().executor().quantum(); ++i) {
    std::unique_lock lock(mutex_);
    if (state().stopped()) return false;
    bool entered_times = false;
    for (Input& input : inputs_) entered_times = EnterTimes(input) || entered_times;
    if (entered_times) {
      // Reporting lets go of the lock for a while, so that everything has to be looked at again.
      for (Input& input : inputs_) ReportApplied(input, lock);
      continue;
    }
    const std::size_t next = NextInput();
    if (barrier_ != nullptr && (next == kNone || inputs_[next].before_barrier == 0)) {
      const std::shared_ptr<Barrier> barrier = std::exchange(barrier_, nullptr);
      for (const Input& input : inputs_) {
        barrier->MarkInput(input.graph_index, input.entered_mark);
      }
      lock.unlock();
      EnterBarrier(barrier);
      continue;
    }
    if (next == kNone) {
      applied_changed_.notify_all();  // who drains may have to give up on a packet that must wait
      return false;
    }
    Input& input = inputs_[next];
    if (!EdgesHaveSpace(input)) return false;
    Entry entry = std::move(input.queue.front());
    input.queue.pop_front();
    input.has_space.notify_all();
    if (input.before_barrier > 0) --input.before_barrier;
    input.entered_mark = {entry.after, entry.time_us};
    const std::uint64_t number = input.first_entered + input.entered.size();
    input.entered.push_back({entry.after, false});
    lock.unlock();
    if (entry.command != nullptr) {
      EnterCommand(next, std::move(entry), number);
    } else {
      EnterPacket(next, std::move(entry), number);
    }
  }
  return true;
}

void Ingress::EnterPacket(std::size_t index, Entry entry, std::uint64_t number) {
  ++sequence_;
  const OrderKey frontier{sequence_ + 1, 0};
  StreamItem item;
  item.packet = std::move(entry.packet);
  item.packet.set_in_flight(std::make_shared<const InFlight>(*this, index, number));
  item.key = {sequence_, 0};
  item.is_input = true;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    for (Edge* edge : inputs_[i].edges) {
      if (i == index) {
        edge->Push(item, frontier);
      } else if (edge->wants_frontier()) {
        edge->SetFrontier(frontier);
      }
    }
  }
}

void Ingress::EnterCommand(std::size_t index, Entry entry, std::uint64_t number) {
  ++sequence_;
  entry.command->in_flight = std::make_shared<const InFlight>(*this, index, number);
  StreamItem item;
  item.key = {sequence_, 0};
  item.command = std::move(entry.command);
  PushCut(item, {sequence_ + 1, 0});
}

void Ingress::EnterBarrier(const std::shared_ptr<Barrier>& barrier) {
  StreamItem item;
  item.key = {sequence_ + 1, 0};
  item.barrier = barrier;
  PushCut(item, item.key);
}

void Ingress::PushCut(const StreamItem& cut, OrderKey frontier) {
  for (const Input& input : inputs_)
    for (Edge* edge : input.edges) edge->Push(cut, frontier);
}

void Ingress::SendBarrier(std::shared_ptr<Barrier> barrier) {
  {
    const std::lock_guard lock(mutex_);
    WEFT_CHECK(barrier_ == nullptr);
    barrier_ = std::move(barrier);
    for (Input& input : inputs_) input.before_barrier = input.queue.size();
  }
  Notify();
}

void Ingress::Done(std::size_t index, std::uint64_t number) {
  std::unique_lock lock(mutex_);
  if (state().stopped()) return;
  Input& input = inputs_[index];
  input.entered[number - input.first_entered].done = true;
  ReportApplied(input, lock);
}

void Ingress::ReportApplied(Input& input, std::unique_lock<std::mutex>& lock) {
  while (!input.entered.empty() && input.entered.front().done) {
    input.applied = input.entered.front().after;
    input.unreported.push_back(input.applied);
    input.entered.pop_front();
    ++input.first_entered;
  }
  if (input.reporting) return;  // whoever does takes these as well
  input.reporting = true;
  while (!input.unreported.empty()) {
    const LogPosition position = input.unreported.front();
    input.unreported.pop_front();
    if (!input.callbacks.empty()) {
      const auto callbacks = input.callbacks;
      lock.unlock();
      for (const auto& applied : callbacks) applied(position);
      lock.lock();
    }
    ++input.reported_count;
  }
  input.reporting = false;
  applied_changed_.notify_all();
}

bool Ingress::IsDrained(const std::vector<std::uint64_t>& targets) const {
  bool reached = true;
  bool settled = true;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    reached = reached && inputs_[i].reported_count >= targets[i];
    settled = settled && inputs_[i].entered.empty() && !inputs_[i].reporting &&
              (inputs_[i].queue.empty() || !inputs_[i].queue.front().is_time());
  }
  return reached || (settled && NextInput() == kNone);
}

absl::Status Ingress::Drain() {
  std::unique_lock lock(mutex_);
  std::vector<std::uint64_t> targets;
  for (const Input& input : inputs_) targets.push_back(input.pushed_count);
  const bool drained = state().executor().Wait(
      lock, applied_changed_, [&] { return state().stopped() || IsDrained(targets); },
      kNoTimeoutUs);
  if (state().stopped()) return state().reason();
  return drained ? absl::OkStatus() : absl::InternalError("the graph stalled while draining");
}

void Ingress::OnApplied(std::size_t input, std::function<void(LogPosition)> applied) {
  const std::lock_guard lock(mutex_);
  inputs_[input].callbacks.push_back(std::move(applied));
}

LogPosition Ingress::Applied(std::size_t input) const {
  const std::lock_guard lock(mutex_);
  return inputs_[input].applied;
}

void Ingress::Wake() {
  const std::lock_guard lock(mutex_);
  for (Input& input : inputs_) input.has_space.notify_all();
  applied_changed_.notify_all();
}

}  // namespace weft::graph
