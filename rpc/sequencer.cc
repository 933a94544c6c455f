#include "rpc/sequencer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <xxhash.h>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/error_details.h"
#include "rpc/ingest_producer.h"

namespace weft::rpc {

using graph::Concat;
using graph::kNoNode;
using graph::LogPosition;
using graph::LogRecord;
using graph::NodeId;
using graph::RejectReason;

namespace {

constexpr std::size_t kProducerNameBytesMax = 128;
constexpr std::size_t kReasonCount = 7;
constexpr const char* kReasonLabels[kReasonCount] = {
    "late",          "key_too_long",   "key_empty",    "not_finite",
    "feature_count", "too_many_nodes", "too_far_ahead"};

std::uint64_t ProducerNumber(std::string_view name) {
  const std::uint64_t hash = XXH3_64bits(name.data(), name.size());
  return hash == 0 ? 1 : hash;  // 0 stands for "no producer"
}

}  // namespace

Sequencer::Sequencer(Options options, const Environment& environment, Deliver deliver)
    : options_(std::move(options)),
      environment_(environment),
      deliver_(std::move(deliver)),
      accepted_count_(environment.metrics->GetCounter(
          "weft_ingest_events_total", "Events taken in, by what became of them.",
          {{"feed", options_.feed_name}, {"result", "accepted"}})),
      duplicate_count_(environment.metrics->GetCounter(
          "weft_ingest_events_total", "Events taken in, by what became of them.",
          {{"feed", options_.feed_name}, {"result", "duplicate"}})),
      batch_count_(environment.metrics->GetCounter("weft_ingest_batches_total", "Batches taken in.",
                                                   {{"feed", options_.feed_name}})) {
  for (const char* reason : kReasonLabels) {
    reject_counts_.push_back(&environment.metrics->GetCounter(
        "weft_ingest_events_total", "Events taken in, by what became of them.",
        {{"feed", options_.feed_name}, {"result", reason}}));
  }
}

Sequencer::~Sequencer() = default;

absl::Status Sequencer::Load(const graph::EventLog& log) {
  WEFT_ASSIGN(const std::vector<graph::ProducerState> states, log.Producers(options_.feed));
  for (const graph::ProducerState& state : states) {
    auto producer = std::make_unique<IngestProducer>();
    producer->state = state;
    producer->durable_seq = state.next_seq;
    producer->applied_seq = state.next_seq;
    producers_.emplace(state.name, std::move(producer));
  }
  end_ = log.End(options_.feed);
  durable_end_ = end_;
  applied_end_ = end_;
  last_record_ns_ = environment_.clock->NowNs();
  if (end_.offset == 0) return absl::OkStatus();
  LogPosition last = end_;
  last.offset -= 1;
  return log.Read(last, [this](const LogRecord& record) {
    watermark_us_ = record.watermark_us;
    newest_us_ = record.watermark_us;
    for (const graph::TimeUs time : record.events.time_us) newest_us_ = std::max(newest_us_, time);
    return absl::OkStatus();
  });
}

absl::Status Sequencer::CheckAccepting() const {
  if (draining_) return DrainingError();
  return environment_.writer->status();
}

absl::StatusOr<IngestProducer*> Sequencer::FindProducer(std::string_view name) {
  if (name.empty() || name.size() > kProducerNameBytesMax) {
    return InvalidField(
        "producer", Concat("expected 1 to ", kProducerNameBytesMax, " bytes, got ", name.size()));
  }
  if (const auto found = producers_.find(name); found != producers_.end()) {
    return found->second.get();
  }
  if (producers_.size() >= static_cast<std::size_t>(options_.limits.max_producers)) {
    const std::string limit = Concat(options_.limits.max_producers);
    return WithReason(absl::ResourceExhaustedError(Concat("feed \"", options_.feed_name,
                                                          "\" already has ", limit, " producers")),
                      v1::ERROR_REASON_TOO_MANY_PRODUCERS, {{"limit", limit}});
  }
  const std::uint64_t number = ProducerNumber(name);
  for (const auto& [other, producer] : producers_) {
    if (producer->state.producer == number) {
      return InvalidField("producer",
                          Concat("take another name, this one's hash is that of \"", other, "\""));
    }
  }
  auto producer = std::make_unique<IngestProducer>();
  producer->state.feed = options_.feed;
  producer->state.producer = number;
  producer->state.name = name;
  return producers_.emplace(name, std::move(producer)).first->second.get();
}

absl::StatusOr<std::shared_ptr<IngestSession>> Sequencer::Connect(std::string_view name,
                                                                  bool resume,
                                                                  std::function<void()> progress) {
  const auto session = std::shared_ptr<IngestSession>(new IngestSession());
  std::shared_ptr<IngestSession> older;
  {
    const std::scoped_lock order(environment_.writer->order());
    WEFT_TRY(CheckAccepting());
    WEFT_ASSIGN(IngestProducer * producer, FindProducer(name));
    if (!resume && producer->state.next_seq > 0) {
      const std::string next_seq = Concat(producer->state.next_seq);
      return WithReason(
          absl::FailedPreconditionError(Concat("producer \"", name, "\" has already sent ",
                                               next_seq, " events to feed \"", options_.feed_name,
                                               "\"; resume it or take another name")),
          v1::ERROR_REASON_PRODUCER_EXISTS,
          {{"producer", std::string(name)}, {"nextSeq", next_seq}});
    }
    session->sequencer_ = this;
    session->producer_ = producer;
    session->progress_ = std::move(progress);
    session->epoch_ = ++producer->state.epoch;
    session->first_seq_ = producer->state.next_seq;
    session->last_digest_ = producer->state.digest;
    const std::scoped_lock lock(progress_mutex_);
    session->end_seq_ = session->first_seq_;
    older = producer->session.lock();
    if (older) older->fenced_ = true;
    producer->session = session;
  }
  if (older) older->Notify();
  return session;
}

absl::StatusOr<Sequencer::Submitted> Sequencer::SubmitOnce(std::string_view name,
                                                           const v1::EventColumns& columns,
                                                           bool append) {
  WEFT_ASSIGN(const ColumnsView view, ColumnsView::Check(columns, options_.limits));
  IngestProducer* producer = nullptr;
  {
    const std::scoped_lock order(environment_.writer->order());
    WEFT_TRY(CheckAccepting());
    WEFT_ASSIGN(producer, FindProducer(name));
  }
  return Submit(*producer, std::nullopt, view, append);
}

absl::StatusOr<Sequencer::Submitted> Sequencer::Submit(IngestProducer& producer,
                                                       std::optional<std::uint64_t> epoch,
                                                       const ColumnsView& view, bool append) {
  // Most keys are known; they are looked up before the lock that all feeds share.
  std::vector<NodeId> nodes(view.keys().size());
  environment_.interner->FindAll(view.keys(), nodes);

  const std::scoped_lock order(environment_.writer->order());
  WEFT_TRY(CheckAccepting());
  graph::ProducerState& state = producer.state;
  if (epoch && *epoch != state.epoch) {
    return WithReason(absl::AbortedError(Concat("producer \"", state.name,
                                                "\" has a newer connection, epoch ", state.epoch)),
                      v1::ERROR_REASON_PRODUCER_FENCED);
  }
  const std::uint64_t first_seq = append ? state.next_seq : view.first_seq();
  if (first_seq > state.next_seq) {
    return WithReason(absl::OutOfRangeError(Concat("producer \"", state.name, "\": expected event ",
                                                   state.next_seq, ", got ", first_seq,
                                                   ": events between them are missing")),
                      v1::ERROR_REASON_SEQUENCE_GAP,
                      {{"producer", state.name}, {"nextSeq", Concat(state.next_seq)}});
  }
  const auto count = static_cast<std::uint64_t>(view.size());
  const std::uint64_t skipped = std::min(state.next_seq - first_seq, count);
  batch_count_.Add();
  duplicate_count_.Add(skipped);
  Submitted submitted;
  submitted.end_seq = first_seq + count;
  if (skipped < count) {
    LogRecord record;
    record.producer = state.producer;
    record.first_seq = first_seq + skipped;
    record.seq_count = count - skipped;
    std::vector<graph::NewNode> new_nodes;
    Accept(view, static_cast<std::int64_t>(skipped), nodes, record, new_nodes);
    submitted.rejects = record.rejects;
    submitted.accepted_count = static_cast<std::uint64_t>(record.events.size());
    state.next_seq = submitted.end_seq;
    state.digest = view.Digest(view.size() - 1);
    Enqueue(&producer, std::move(record), std::move(new_nodes));
  }
  submitted.end = end_;
  return submitted;
}

// The latest event time that is taken now.
graph::TimeUs Sequencer::LatestTime() const {
  const graph::TimeUs now_us = environment_.clock->WallTimeUs();
  if (options_.max_ahead_us >= graph::kAfterAllTime - now_us) return graph::kAfterAllTime;
  return now_us + options_.max_ahead_us;
}

std::optional<RejectReason> Sequencer::Resolve(const ColumnsView& view, std::int64_t event,
                                               graph::TimeUs latest_us, std::span<NodeId> nodes,
                                               std::vector<graph::NewNode>& new_nodes) {
  if (const auto verdict = view.Verdict(event)) return verdict;
  if (view.time_us(event) > latest_us) return RejectReason::kTooFarAhead;
  if (view.time_us(event) < watermark_us_) return RejectReason::kLate;
  for (const std::uint32_t key : {view.source(event), view.target(event)}) {
    if (nodes[key] != kNoNode) continue;
    const std::uint64_t known = environment_.interner->size();
    nodes[key] = environment_.interner->Add(view.keys()[key]);
    if (nodes[key] == kNoNode) return RejectReason::kTooManyNodes;
    if (nodes[key] >= known) new_nodes.push_back({nodes[key], std::string(view.keys()[key])});
  }
  return std::nullopt;
}

void Sequencer::Accept(const ColumnsView& view, std::int64_t skip, std::span<NodeId> nodes,
                       LogRecord& record, std::vector<graph::NewNode>& new_nodes) {
  graph::EventBatch& events = record.events;
  events.Reserve(view.size() - skip);
  events.feature_count = options_.limits.feature_count;
  const auto width = static_cast<std::size_t>(options_.limits.feature_count);
  const graph::TimeUs latest_us = LatestTime();
  for (std::int64_t i = skip; i < view.size(); ++i) {
    if (const auto reason = Resolve(view, i, latest_us, nodes, new_nodes)) {
      record.rejects.push_back({record.first_seq + static_cast<std::uint64_t>(i - skip), *reason});
      continue;
    }
    events.source.push_back(nodes[view.source(i)]);
    events.target.push_back(nodes[view.target(i)]);
    events.time_us.push_back(view.time_us(i));
    newest_us_ = std::max(newest_us_, view.time_us(i));
    if (view.has_labels()) events.label.push_back(view.label(i));
    if (width > 0) {
      // What an event leaves out of the feed's features.
      const float missing =
          options_.limits.missing_values ? std::numeric_limits<float>::quiet_NaN() : 0.0F;
      const std::span<const float> features = view.features(i);
      events.feature.insert(events.feature.end(), features.begin(), features.end());
      events.feature.resize(events.source.size() * width, missing);
    }
  }
  if (newest_us_ > graph::kBeforeAllTime + options_.lateness_us) {
    watermark_us_ = std::max(watermark_us_, newest_us_ - options_.lateness_us);
  }
}

void Sequencer::CountVerdicts(const LogRecord& record) {
  accepted_count_.Add(static_cast<std::uint64_t>(record.events.size()));
  for (const graph::Reject& reject : record.rejects) {
    reject_counts_[static_cast<std::size_t>(reject.reason) - 1]->Add();
  }
}

void Sequencer::Enqueue(IngestProducer* producer, LogRecord record,
                        std::vector<graph::NewNode> new_nodes,
                        std::optional<graph::Command> command) {
  record.position = end_;
  record.watermark_us = watermark_us_;
  last_record_ns_ = environment_.clock->NowNs();
  CountVerdicts(record);
  const auto queued = std::make_shared<Queued>();
  LogWriter::Entry entry;
  entry.append.position = record.position;
  entry.append.entry_count = record.entry_count();
  graph::EncodeLogRecord(record, entry.append.bytes);
  entry.append.new_nodes = std::move(new_nodes);
  if (producer != nullptr) {
    entry.append.producer = producer->state;
    const std::scoped_lock lock(progress_mutex_);
    if (const auto session = producer->session.lock()) session->end_seq_ = producer->state.next_seq;
    queued->next_seq = producer->state.next_seq;
  }
  queued->producer = producer;
  queued->entry_count = record.entry_count();
  queued->rejects = std::move(record.rejects);
  queued->record.position = record.position;
  queued->record.watermark_us = record.watermark_us;
  if (record.events.size() > 0) {
    queued->record.events = std::make_shared<const graph::EventBatch>(std::move(record.events));
  }
  queued->record.command = std::move(command);
  entry.durable = [this, queued] { OnDurable(queued); };
  end_.offset += queued->entry_count;
  environment_.writer->Enqueue(std::move(entry));
}

absl::StatusOr<LogPosition> Sequencer::SubmitCommand(graph::Command command) {
  const std::scoped_lock order(environment_.writer->order());
  WEFT_TRY(CheckAccepting());
  return EnqueueCommand(std::move(command), {});
}

absl::StatusOr<LogPosition> Sequencer::SubmitCommandAbout(
    std::string_view key, const std::function<graph::Command(NodeId)>& make) {
  const auto most_bytes = static_cast<std::size_t>(options_.limits.key_bytes);
  if (key.empty() || key.size() > most_bytes)
    return InvalidField("series",
                        Concat("expected a key of 1 to ", most_bytes, " bytes, got ", key.size()));
  const std::scoped_lock order(environment_.writer->order());
  WEFT_TRY(CheckAccepting());
  const std::uint64_t known = environment_.interner->size();
  const NodeId node = environment_.interner->Add(key);
  if (node == kNoNode)
    return absl::ResourceExhaustedError(Concat("the service has as many nodes as it may, ", known));
  std::vector<graph::NewNode> new_nodes;
  if (node >= known) new_nodes.push_back({node, std::string(key)});
  return EnqueueCommand(make(node), std::move(new_nodes));
}

LogPosition Sequencer::EnqueueCommand(graph::Command command,
                                      std::vector<graph::NewNode> new_nodes) {
  const LogPosition position = end_;
  LogRecord record;
  record.kind = graph::RecordKind::kCommand;
  record.control = graph::EncodeCommand(command);
  Enqueue(nullptr, std::move(record), std::move(new_nodes), std::move(command));
  return position;
}

absl::Status Sequencer::Tick() {
  if (options_.idle_after_ns == 0) return absl::OkStatus();
  const std::scoped_lock order(environment_.writer->order());
  WEFT_TRY(CheckAccepting());
  if (newest_us_ <= watermark_us_) return absl::OkStatus();
  if (environment_.clock->NowNs() - last_record_ns_ < options_.idle_after_ns) {
    return absl::OkStatus();
  }
  watermark_us_ = newest_us_;
  LogRecord record;
  record.kind = graph::RecordKind::kIdle;
  Enqueue(nullptr, std::move(record), {});
  return absl::OkStatus();
}

void Sequencer::StartDrain() {
  {
    const std::scoped_lock order(environment_.writer->order());
    draining_ = true;
    const std::scoped_lock lock(progress_mutex_);
    progress_draining_ = true;
  }
  for (const auto& session : Sessions()) session->Notify();
}

}  // namespace weft::rpc
