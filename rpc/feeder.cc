#include "rpc/feeder.h"

#include <utility>

#include "graph/check.h"
#include "graph/packet.h"
#include "graph/text.h"

namespace weft::rpc {

using graph::LogPosition;
using graph::LogRecord;

Feeder::Feeder(graph::Graph* graph, const graph::EventLog* log, std::string input,
               std::function<void(const absl::Status&)> failed)
    : graph_(graph), log_(log), input_(std::move(input)), failed_(std::move(failed)) {}

Feeder::~Feeder() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Feeder::Start(LogPosition from) {
  WEFT_CHECK(!thread_.joinable());
  thread_ = std::thread([this, from] { Run(from); });
}

void Feeder::End(const absl::Status& status) {
  {
    const std::scoped_lock lock(mutex_);
    status_ = status;
  }
  changed_.notify_all();
  failed_(status);
  // As when an operator fails: no other feed shall go on waiting for this one's time.
  graph_->Close().IgnoreError();
}

absl::Status Feeder::Push(DurableRecord record) {
  if (record.command) {
    return graph_->SendCommand(input_, record.position, record.watermark_us,
                               *std::move(record.command));
  }
  if (record.events == nullptr) {
    return graph_->AdvanceTime(input_, record.position, record.watermark_us);
  }
  return graph_->Push(input_, graph::Packet::Make<graph::EventBatch>(
                                  std::move(record.events), record.position, record.watermark_us));
}

absl::Status Feeder::Replay(LogPosition from) {
  return log_->Read(from, [&](const LogRecord& record) -> absl::Status {
    if (record.position.offset < from.offset) {
      return absl::DataLossError(graph::Concat("input \"", input_,
                                               "\": a checkpoint stops at offset ", from.offset,
                                               ", inside a record"));
    }
    DurableRecord replayed;
    replayed.position = record.position;
    replayed.watermark_us = record.watermark_us;
    if (record.events.size() > 0) {
      replayed.events = std::make_shared<const graph::EventBatch>(record.events);
    }
    if (record.kind == graph::RecordKind::kCommand) {
      WEFT_ASSIGN(replayed.command, graph::DecodeCommand(record.control));
    }
    WEFT_TRY(Push(std::move(replayed)));
    const std::scoped_lock lock(mutex_);
    replayed_.entry_count += record.entry_count();
    replayed_.event_count += static_cast<std::uint64_t>(record.events.size());
    return stopping_ ? absl::CancelledError("the server stops") : absl::OkStatus();
  });
}

void Feeder::Run(LogPosition from) {
  if (const absl::Status status = Replay(from); !status.ok()) return End(status);
  std::unique_lock lock(mutex_);
  replay_done_ = true;
  changed_.notify_all();
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    DurableRecord record = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (const absl::Status status = Push(std::move(record)); !status.ok()) return End(status);
    lock.lock();
    ++pushed_count_;
    changed_.notify_all();
  }
}

absl::Status Feeder::WaitReplayed() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return replay_done_ || !status_.ok() || stopping_; });
  return status_;
}

void Feeder::Deliver(DurableRecord record) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(record));
    ++delivered_count_;
  }
  changed_.notify_all();
}

absl::Status Feeder::Flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = delivered_count_;
  changed_.wait(lock, [&] { return pushed_count_ >= target || !status_.ok() || stopping_; });
  return status_;
}

Feeder::Replayed Feeder::replayed() const {
  const std::scoped_lock lock(mutex_);
  return replayed_;
}

}  // namespace weft::rpc
