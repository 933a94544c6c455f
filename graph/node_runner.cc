#include "graph/node_runner.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/command.h"
#include "graph/state_hash.h"
#include "graph/text.h"

namespace weft::graph {

namespace {

// Consumers of a busy operator hear of its packets at least so often.
constexpr std::int64_t kAnnounceNs = 1'000'000;

}  // namespace

NodeRunner::NodeRunner(RunState& state, std::size_t index, std::string name,
                       std::unique_ptr<Operator> op, Metrics metrics)
    : Actor(state),
      index_(index),
      name_(std::move(name)),
      operator_(std::move(op)),
      metrics_(metrics),
      context_(*this) {
  for (const PortInfo& port : operator_->declared().outputs) {
    outputs_.push_back({port.name, port.type, {}, false});
  }
}

void NodeRunner::AddInput(int port, Edge& edge) {
  InputPort& input = inputs_.emplace_back();
  input.name = operator_->declared().inputs[static_cast<std::size_t>(port)].name;
  input.edge = &edge;
}

void NodeRunner::AddOutput(int port, Edge& edge) {
  outputs_[static_cast<std::size_t>(port)].edges.push_back(&edge);
}

void NodeRunner::Prepare(bool publishes_frontier, TraceRecorder* trace) {
  micro_batch_ = operator_->micro_batch();
  WEFT_CHECK(micro_batch_ > 0);
  publishes_frontier_ = publishes_frontier;
  trace_ = trace;
  if (trace_ != nullptr) track_ = trace_->AddTrack(name_);
}

OrderKey NodeRunner::InputPort::next_key() const {
  if (!has_item) return frontier;
  if (!item.is_input) return item.key;
  return {item.key.sequence, static_cast<std::uint64_t>(begin)};
}

bool NodeRunner::Step() {
  const bool more = RunQuantum();
  AnnounceOutputs();
  return more;
}

void NodeRunner::AnnounceOutputs() {
  announced_ns_ = last_ns_;
  for (const OutputPort& output : outputs_)
    for (Edge* edge : output.edges) edge->Announce();
}

bool NodeRunner::RunQuantum() {
  for (int i = 0; i < state().executor().quantum(); ++i) {
    if (state().stopped()) return false;
    if (read_count_.load(std::memory_order_acquire) > 0) RunReads();
    InputPort* port = nullptr;
    const Choice choice = Choose(port);
    if (publishes_frontier_) PublishFrontier();
    switch (choice) {
      case Choice::kNothing:
        return false;
      case Choice::kCut:
        if (inputs_.front().item.command != nullptr) {
          TakeCommand();
        } else if (!SaveAtBarrier()) {
          return false;
        }
        break;
      case Choice::kMicroBatch:
        if (!OutputsHaveSpace(port->next_key())) return false;
        ProcessMicroBatch(*port);
        if (last_ns_ - announced_ns_ > kAnnounceNs) AnnounceOutputs();
        break;
    }
  }
  return true;
}

void NodeRunner::Refill(InputPort& port) {
  if (port.has_item || !port.edge->Pop(port.item, port.frontier)) return;
  port.has_item = true;
  port.begin = 0;
  if (port.item.is_cut()) return;
  port.in_flight = port.item.packet.in_flight();
  port.item.packet.set_in_flight(nullptr);
  metrics_.packets_in->Add();
}

NodeRunner::Choice NodeRunner::Choose(InputPort*& chosen) {
  std::size_t cut_count = 0;
  for (InputPort& port : inputs_) {
    Refill(port);
    if (port.has_item && port.item.is_cut()) {
      ++cut_count;
    } else if (port.has_item && (chosen == nullptr || port.next_key() < chosen->next_key())) {
      chosen = &port;
    }
  }
  if (cut_count == inputs_.size()) return Choice::kCut;
  if (chosen == nullptr) return Choice::kNothing;
  const OrderKey key = chosen->next_key();
  for (const InputPort& port : inputs_) {
    if (port.has_item && !port.item.is_cut()) continue;
    // Could a packet that goes first still come on this port? Of equal keys the earlier port's
    // does.
    const OrderKey bound = port.next_key();
    if (bound < key || (bound == key && &port < chosen)) return Choice::kNothing;
  }
  return Choice::kMicroBatch;
}

void NodeRunner::PublishFrontier() {
  OrderKey frontier = inputs_.front().next_key();
  for (const InputPort& port : inputs_) frontier = std::min(frontier, port.next_key());
  for (const OutputPort& output : outputs_) {
    for (Edge* edge : output.edges) {
      if (edge->wants_frontier()) edge->SetFrontier(frontier);
    }
  }
}

bool NodeRunner::OutputsHaveSpace(OrderKey key) {
  for (const OutputPort& output : outputs_) {
    for (Edge* edge : output.edges) {
      if (!edge->HasSpace(key)) return false;
    }
  }
  return true;
}

void NodeRunner::ProcessMicroBatch(InputPort& port) {
  const Packet& packet = port.item.packet;
  const std::int64_t end = std::min(port.begin + micro_batch_, packet.row_count());
  context_.Set(port, end);
  for (OutputPort& output : outputs_) output.emitted = false;
  const std::int64_t start_ns = state().clock().NowNs();
  absl::Status status = operator_->Process(context_);
  last_ns_ = state().clock().NowNs();
  const std::int64_t duration_ns = last_ns_ - start_ns;
  if (!status.ok()) [[unlikely]] {
    state().Stop(absl::Status(status.code(), Concat("node \"", name_, "\": ", status.message())));
    return;
  }
  metrics_.rows->Add(static_cast<std::uint64_t>(end - port.begin));
  metrics_.process_seconds->Observe(static_cast<double>(duration_ns) * 1e-9);
  if (trace_ != nullptr) {
    trace_->Record({track_, start_ns, duration_ns, end - port.begin, context_.position().offset});
  }
  position_ = packet.rows_are_entries() ? context_.end_position() : packet.position();
  port.begin = end;
  if (end < packet.row_count()) return;
  position_ = packet.end();
  watermark_us_ = std::max(watermark_us_, packet.time_us());
  metrics_.watermark_seconds->Set(static_cast<double>(watermark_us_) * 1e-6);
  port.frontier = std::max(port.frontier, port.next_key());
  port.has_item = false;
  port.item = StreamItem();
  port.in_flight = nullptr;
}

void NodeRunner::Emit(const InputPort& input, std::string_view port, Packet packet) {
  const auto output = std::find_if(outputs_.begin(), outputs_.end(),
                                   [&](const OutputPort& known) { return known.name == port; });
  WEFT_CHECK(output != outputs_.end());               // the contract does not declare the port
  WEFT_CHECK(output->type == packet.type());          // the contract declares another type
  WEFT_CHECK(!std::exchange(output->emitted, true));  // one payload per port and Process call
  if (output->edges.empty()) return;
  metrics_.packets_out->Add();
  StreamItem item;
  item.packet = std::move(packet);
  item.packet.set_in_flight(input.in_flight);
  item.key = input.next_key();
  const OrderKey key = item.key;
  for (std::size_t i = 0; i + 1 < output->edges.size(); ++i) output->edges[i]->Append(item, key);
  output->edges.back()->Append(std::move(item), key);
}

// The cut that stands at every input.
StreamItem NodeRunner::TakeCut() {
  const StreamItem cut = inputs_.front().item;
  for (InputPort& port : inputs_) {
    WEFT_CHECK(port.item.barrier == cut.barrier && port.item.command == cut.command);
    port.frontier = std::max(port.frontier, cut.key);
    port.item = StreamItem();
    port.has_item = false;
  }
  return cut;
}

void NodeRunner::SendCut(const StreamItem& cut) {
  for (const OutputPort& output : outputs_)
    for (Edge* edge : output.edges) edge->Append(cut, cut.key);
}

bool NodeRunner::SaveAtBarrier() {
  if (!inputs_.front().item.barrier->TakeTurn(*this)) return false;
  const StreamItem cut = TakeCut();
  absl::StatusOr<Barrier::Saved> saved = Save(*cut.barrier);
  SendCut(cut);
  cut.barrier->Arrive(index_, std::move(saved));
  return true;
}

void NodeRunner::TakeCommand() {
  const StreamItem cut = TakeCut();
  const SentCommand& sent = *cut.command;
  if (sent.command.node == name_) {
    const absl::Status status = operator_->OnCommand(sent.command.body, sent.position);
    if (!status.ok()) [[unlikely]] {
      state().Stop(
          absl::Status(status.code(), Concat("node \"", name_, "\": command: ", status.message())));
      return;
    }
  }
  position_ = sent.position;
  position_.offset += 1;
  watermark_us_ = std::max(watermark_us_, sent.time_us);
  SendCut(cut);
}

absl::StatusOr<Barrier::Saved> NodeRunner::Save(const Barrier& barrier) const {
  const Contract& contract = operator_->declared();
  const bool stores = contract.stateful && barrier.writer() != nullptr;
  HashingSink sink(stores ? &barrier.writer()->Operator(name_) : nullptr);
  if (contract.stateful) {
    const absl::Status status = operator_->Save(sink);
    if (!status.ok()) {
      return absl::Status(status.code(),
                          Concat("node \"", name_, "\": saving: ", status.message()));
    }
  }
  const bool exact = contract.exactness == Exactness::kExact;
  return Barrier::Saved{sink.hasher().bytes(), exact ? sink.hasher().Finish() : 0};
}

void NodeRunner::RunReads() {
  std::unique_lock lock(reads_mutex_);
  for (std::size_t count = reads_.size(); count > 0; --count) {
    if (reads_.empty()) return;
    ReadRequest* request = reads_.front();
    reads_.erase(reads_.begin());
    read_count_.store(reads_.size(), std::memory_order_release);
    request->started = true;
    lock.unlock();
    (*request->read)(*operator_, position_);
    metrics_.reads->Add();
    lock.lock();
    request->done = true;
    request->changed.notify_all();  // the waiter needs the lock before it can go
  }
}

absl::Status NodeRunner::Read(std::int64_t deadline_us,
                              const std::function<void(const Operator&, LogPosition)>& read) {
  ReadRequest request;
  request.read = &read;
  std::unique_lock lock(reads_mutex_);
  if (reads_.size() >= kQueuedReadsMax) {
    return absl::ResourceExhaustedError(
        Concat("node \"", name_, "\": ", kQueuedReadsMax, " reads are waiting already"));
  }
  reads_.push_back(&request);
  read_count_.store(reads_.size(), std::memory_order_release);
  lock.unlock();
  Notify();
  lock.lock();
  Executor& executor = state().executor();
  executor.Wait(
      lock, request.changed,
      [&] { return request.done || (state().stopped() && !request.started); },
      std::max<std::int64_t>(deadline_us, 0));
  if (request.started && !request.done) {
    executor.Wait(
        lock, request.changed, [&] { return request.done; }, kNoTimeoutUs);
  }
  if (request.done) return absl::OkStatus();
  reads_.erase(std::find(reads_.begin(), reads_.end(), &request));
  read_count_.store(reads_.size(), std::memory_order_release);
  if (state().stopped()) return state().reason();
  return absl::DeadlineExceededError(
      Concat("node \"", name_, "\": no read slot within ", deadline_us, " us"));
}

void NodeRunner::Wake() {
  const std::lock_guard lock(reads_mutex_);
  for (ReadRequest* request : reads_) request->changed.notify_all();
}

}  // namespace weft::graph
