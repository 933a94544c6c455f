#include "operators/link/negative_sampler.h"

#include <algorithm>

#include "gpu/host_device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/candidate_draws.h"
#include "operators/link/link_operator.h"
#include "operators/link/section.h"
#include "weft/operators/link/v1/link.pb.h"

namespace weft::operators::link {
namespace {

// Draws for rankings have seeds of their own, so that an event's negative does not depend on them.
constexpr std::uint64_t kRankedEvents = 1;
constexpr std::uint64_t kCandidateDraws = 2;

// Whether the source met `target` at the time of event `row`, as far as this micro-batch tells.
bool Happened(graph::EventSpan events, std::size_t row, graph::NodeId target) {
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    if (events.target[i] == target && events.source[i] == events.source[row] &&
        events.time_us[i] == events.time_us[row]) {
      return true;
    }
  }
  return false;
}

}  // namespace

graph::Contract NegativeSampler::contract() {
  graph::Contract contract;
  contract.Input(kEvents).Output(kCandidates);
  contract.options_type = "weft.operators.link.v1.NegativeSampler";
  contract.reads = graph::Reads::kBeforeBatch;
  contract.state_version = 3;
  return contract;
}

absl::Status NegativeSampler::Open(graph::OpenContext& context) {
  constexpr std::int64_t kMaxTargets = std::int64_t{1} << 28;
  const auto& options = context.Options<v1::NegativeSampler>();
  seed_ = options.seed();
  WEFT_ASSIGN(const std::int64_t max_targets,
              PositiveOption(context, "max_targets", options.max_targets(), std::int64_t{1} << 20,
                             kMaxTargets));
  targets_.emplace(max_targets);
  constexpr std::int32_t kRankedOneIn = 256;
  const std::int32_t one_in = options.has_ranked_one_in() ? options.ranked_one_in() : kRankedOneIn;
  if (one_in < 0) {
    return context.OptionError("ranked_one_in", graph::Concat("expected 0 or more, got ", one_in));
  }
  ranked_one_in_ = static_cast<std::uint64_t>(one_in);
  WEFT_ASSIGN(const std::int64_t max_sources,
              PositiveOption(context, "max_sources", options.max_sources(), std::int64_t{1} << 16,
                             kMaxTargets));
  if (ranked_one_in_ > 0) past_.emplace(max_sources);
  return absl::OkStatus();
}

graph::NodeId NegativeSampler::Draw(graph::EventSpan events, std::size_t row,
                                    std::uint64_t offset) const {
  constexpr std::uint64_t kTries = 16;
  if (targets_->size() == 0) return graph::kNoNode;
  for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
    const std::uint64_t drawn = gpu::CounterHash(seed_, offset, attempt);
    const auto place =
        static_cast<std::uint32_t>(drawn % static_cast<std::uint64_t>(targets_->size()));
    const graph::NodeId target = targets_->KeyOf(1 + place);
    if (!Happened(events, row, target)) return target;
  }
  return graph::kNoNode;
}

bool NegativeSampler::IsRanked(std::uint64_t offset) const {
  if (ranked_one_in_ == 0) return false;
  return gpu::CounterHash(gpu::CounterHash(seed_, 0, kRankedEvents), offset, 0) % ranked_one_in_ ==
         0;
}

// Past targets that came at the event's own time, which an earlier micro-batch may have brought,
// are none to rank it among: they happened.
std::vector<graph::NodeId> NegativeSampler::Candidates(graph::EventSpan events, std::size_t row,
                                                       std::uint64_t offset) const {
  const PastTargets::Past past = past_->Of(events.source[row]);
  std::span<const graph::NodeId> now;
  if (past.latest_us == events.time_us[row]) now = past.at_latest;
  const auto happened = [&](graph::NodeId target) {
    return Happened(events, row, target) || std::ranges::find(now, target) != now.end();
  };
  std::vector<graph::NodeId> before;
  for (const auto targets : {past.at_latest, past.before}) {
    for (const graph::NodeId target : targets) {
      if (!happened(target)) before.push_back(target);
    }
  }
  return DrawCandidates({.past = std::move(before),
                         .pool_size = static_cast<std::uint64_t>(targets_->size()),
                         .pool =
                             [this](std::uint64_t place) {
                               return targets_->KeyOf(static_cast<std::uint32_t>(1 + place));
                             },
                         .happened = happened},
                        kHistoricalCandidates, kRankCandidates,
                        gpu::CounterHash(seed_, 0, kCandidateDraws), offset);
}

absl::Status NegativeSampler::Process(graph::ProcessContext& context) {
  const graph::EventBatch& batch = context.Get(kEvents);
  const auto events = graph::EventSpan::Of(batch, context.begin(), context.end());
  auto candidates = std::make_shared<LinkCandidates>();
  candidates->events.source.assign(events.source.begin(), events.source.end());
  candidates->events.target.assign(events.target.begin(), events.target.end());
  candidates->events.time_us.assign(events.time_us.begin(), events.time_us.end());
  candidates->events.label.assign(events.label.begin(), events.label.end());
  candidates->events.feature.assign(events.feature.begin(), events.feature.end());
  candidates->events.feature_count = events.feature_count;
  candidates->negative.reserve(events.source.size());
  const std::uint64_t offset = context.position().offset;
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    candidates->negative.push_back(Draw(events, i, offset + i));
    if (ranked_one_in_ == 0) continue;
    candidates->extra_begin.push_back(static_cast<std::int32_t>(candidates->extra.size()));
    if (!IsRanked(offset + i)) continue;
    const std::vector<graph::NodeId> drawn = Candidates(events, i, offset + i);
    candidates->extra.insert(candidates->extra.end(), drawn.begin(), drawn.end());
  }
  if (candidates->extra.empty()) {
    candidates->extra_begin.clear();
  } else {
    candidates->extra_begin.push_back(static_cast<std::int32_t>(candidates->extra.size()));
  }
  for (std::size_t i = 0; i < events.source.size(); ++i) {
    targets_->Admit(events.target[i]);
    if (past_) past_->Add(events.source[i], events.target[i], events.time_us[i]);
  }
  context.Emit<LinkCandidates>(kCandidates, std::move(candidates));
  return absl::OkStatus();
}

absl::Status NegativeSampler::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(WriteRowIndex("targets", *targets_, sink));
  return past_ ? past_->Save("past", sink) : absl::OkStatus();
}

absl::Status NegativeSampler::Load(graph::CheckpointSource& source) {
  WEFT_TRY(ReadRowIndex("targets", *targets_, source));
  return past_ ? past_->Load("past", source) : absl::OkStatus();
}

}  // namespace weft::operators::link
