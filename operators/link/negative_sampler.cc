#include "operators/link/negative_sampler.h"

#include "gpu/host_device.h"
#include "graph/check.h"
#include "operators/link/link_operator.h"
#include "operators/link/section.h"
#include "weft/operators/link/v1/link.pb.h"

namespace weft::operators::link {
namespace {

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
  contract.state_version = 2;
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
  }
  for (const graph::NodeId target : events.target) targets_->Admit(target);
  context.Emit<LinkCandidates>(kCandidates, std::move(candidates));
  return absl::OkStatus();
}

absl::Status NegativeSampler::Save(graph::CheckpointSink& sink) const {
  return WriteRowIndex("targets", *targets_, sink);
}

absl::Status NegativeSampler::Load(graph::CheckpointSource& source) {
  return ReadRowIndex("targets", *targets_, source);
}

}  // namespace weft::operators::link
