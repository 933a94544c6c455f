#include "rpc/ingest_session.h"

#include "graph/check.h"
#include "rpc/ingest_producer.h"
#include "rpc/sequencer.h"

namespace weft::rpc {

absl::Status IngestSession::Submit(const v1::EventColumns& columns) {
  WEFT_ASSIGN(const ColumnsView view, ColumnsView::Check(columns, sequencer_->options_.limits));
  return sequencer_->Submit(*producer_, epoch_, view, false).status();
}

IngestSession::Progress IngestSession::TakeProgress() { return sequencer_->TakeProgress(*this); }

bool IngestSession::MayRead() const { return sequencer_->MayRead(*this); }

bool IngestSession::Ready() const {
  const std::scoped_lock lock(sequencer_->progress_mutex_);
  return producer_->durable_seq >= first_seq_;
}

absl::Status IngestSession::writer_status() const {
  return sequencer_->environment_.writer->status();
}

std::uint64_t IngestSession::end_seq() const {
  const std::scoped_lock lock(sequencer_->progress_mutex_);
  return end_seq_;
}

void IngestSession::Close() {
  const std::scoped_lock lock(notify_mutex_);
  progress_ = nullptr;
}

void IngestSession::Notify() {
  const std::scoped_lock lock(notify_mutex_);
  if (progress_) progress_();
}

}  // namespace weft::rpc
