// How far a feed has come: what becomes durable and applied, and who waits for it.
#include <algorithm>
#include <chrono>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/ingest_producer.h"
#include "rpc/sequencer.h"

namespace weft::rpc {

using graph::Concat;
using graph::LogPosition;

void Sequencer::OnDurable(const std::shared_ptr<Queued>& queued) {
  std::shared_ptr<IngestSession> session;
  {
    const std::scoped_lock lock(progress_mutex_);
    durable_end_ = queued->record.position;
    durable_end_.offset += queued->entry_count;
    rejected_count_ += queued->rejects.size();
    in_flight_.push_back({durable_end_.offset, queued->producer, queued->next_seq});
    if (IngestProducer* const producer = queued->producer; producer != nullptr) {
      producer->durable_seq = queued->next_seq;
      producer->durable_end = durable_end_;
      session = producer->session.lock();
      if (session) {
        session->rejects_.insert(session->rejects_.end(), queued->rejects.begin(),
                                 queued->rejects.end());
      }
    }
  }
  progress_changed_.notify_all();
  deliver_(std::move(queued->record));
  if (session) session->Notify();
}

void Sequencer::OnApplied(LogPosition position) {
  std::vector<std::shared_ptr<IngestSession>> sessions;
  {
    const std::scoped_lock lock(progress_mutex_);
    applied_end_ = std::max(applied_end_, position);
    while (!in_flight_.empty() && in_flight_.front().end_offset <= applied_end_.offset) {
      const InFlight done = in_flight_.front();
      in_flight_.pop_front();
      if (done.producer == nullptr) continue;
      done.producer->applied_seq = done.next_seq;
      auto session = done.producer->session.lock();
      if (session && (sessions.empty() || sessions.back() != session)) {
        sessions.push_back(std::move(session));
      }
    }
  }
  progress_changed_.notify_all();
  for (const auto& session : sessions) session->Notify();
}

void Sequencer::OnWriterStopped() {
  // Sessions takes the lock that waiters hold while they look, so none of them misses the call.
  for (const auto& session : Sessions()) session->Notify();
  progress_changed_.notify_all();
}

std::vector<std::shared_ptr<IngestSession>> Sequencer::Sessions() const {
  const std::scoped_lock order(environment_.writer->order());
  const std::scoped_lock lock(progress_mutex_);
  std::vector<std::shared_ptr<IngestSession>> sessions;
  for (const auto& [name, producer] : producers_) {
    if (auto session = producer->session.lock()) sessions.push_back(std::move(session));
  }
  return sessions;
}

absl::Status Sequencer::WaitDurable(std::string_view name, std::uint64_t seq,
                                    std::int64_t deadline_ns) {
  IngestProducer* producer = nullptr;
  {
    const std::scoped_lock order(environment_.writer->order());
    WEFT_ASSIGN(producer, FindProducer(name));
  }
  std::unique_lock lock(progress_mutex_);
  const std::chrono::nanoseconds left(deadline_ns - environment_.clock->NowNs());
  progress_changed_.wait_for(lock, left, [&] {
    return producer->durable_seq >= seq || !environment_.writer->status().ok();
  });
  if (producer->durable_seq >= seq) return absl::OkStatus();
  WEFT_TRY(environment_.writer->status());
  return absl::DeadlineExceededError(Concat("event ", seq, " is not durable yet"));
}

absl::Status Sequencer::WaitApplied(LogPosition position, std::int64_t deadline_ns) {
  std::unique_lock lock(progress_mutex_);
  if (position.offset > durable_end_.offset) {
    return absl::OutOfRangeError("min_position: the log does not reach that far");
  }
  const std::chrono::nanoseconds left(deadline_ns - environment_.clock->NowNs());
  if (progress_changed_.wait_for(lock, left,
                                 [&] { return applied_end_.offset >= position.offset; })) {
    return absl::OkStatus();
  }
  return absl::DeadlineExceededError(Concat("min_position: applied up to offset ",
                                            applied_end_.offset, ", asked for ", position.offset));
}

std::uint64_t Sequencer::AppliedSeq(std::string_view name) const {
  const std::scoped_lock order(environment_.writer->order());
  const auto found = producers_.find(name);
  if (found == producers_.end()) return 0;
  const std::scoped_lock lock(progress_mutex_);
  return found->second->applied_seq;
}

Sequencer::Report Sequencer::GetReport() const {
  Report report;
  const std::scoped_lock order(environment_.writer->order());
  report.producer_count = producers_.size();
  report.watermark_us = watermark_us_;
  const std::scoped_lock lock(progress_mutex_);
  report.durable = durable_end_;
  report.applied = applied_end_;
  report.rejected_count = rejected_count_;
  return report;
}

IngestSession::Progress Sequencer::TakeProgress(IngestSession& session) {
  const std::scoped_lock lock(progress_mutex_);
  const IngestProducer& producer = *session.producer_;
  IngestSession::Progress progress;
  progress.durable_seq = producer.durable_seq;
  progress.applied_seq = producer.applied_seq;
  const std::uint64_t limit =
      producer.applied_seq + static_cast<std::uint64_t>(options_.limits.window_events);
  progress.credits = limit - std::min(limit, producer.durable_seq);
  progress.rejects = std::exchange(session.rejects_, {});
  progress.position = producer.durable_end;
  progress.draining = progress_draining_;
  progress.fenced = session.fenced_;
  return progress;
}

bool Sequencer::MayRead(const IngestSession& session) const {
  const std::scoped_lock lock(progress_mutex_);
  return session.end_seq_ <
         session.producer_->applied_seq + static_cast<std::uint64_t>(options_.limits.window_events);
}

}  // namespace weft::rpc
