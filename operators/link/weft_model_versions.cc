// WeftModel: its versions, and what it saves of its weights.
#include "gpu/elementary.h"
#include "gpu/memory.h"
#include "graph/check.h"
#include "operators/link/model_file.h"
#include "operators/link/weft_workspace.h"

namespace weft::operators::link {

VersionMoment WeftModel::Now() const {
  return {.event_count = table_.stream().event_count, .time_us = table_.stream().last_us};
}

void WeftModel::CompareVersions(const LinkStep& step, std::int64_t begin, std::int64_t end) {
  const Workspace& w = *workspace_;
  const WeftVersions::Scored scored = {
      .features = w.pair_features.data(),
      .logits = w.logits.data(),
      .negative = step.negative.subspan(static_cast<std::size_t>(begin),
                                        static_cast<std::size_t>(end - begin)),
      .log_event_count = gpu::Log1p(static_cast<float>(table_.stream().event_count)),
      .learns = step.learn};
  if (versions_.Compare(scored, weights(), Now())) versions_.Restore(weights(), Now());
}

absl::StatusOr<std::string> WeftModel::ExportVersion(std::uint64_t number) const {
  gpu::Synchronize(exec_);
  MemoryCheckpoint sections;
  if (number == 0) {
    WEFT_TRY(SaveWeights(sections));
  } else {
    WEFT_ASSIGN(const WeftWeights version, versions_.Find(number));
    WEFT_TRY(version.Save(sections));
  }
  return EncodeModel(name(), sections);
}

absl::StatusOr<std::uint64_t> WeftModel::KeepVersion(std::string_view note) {
  gpu::Synchronize(exec_);
  return versions_.Keep(VersionOrigin::kKept, note, weights(), Now());
}

absl::StatusOr<std::uint64_t> WeftModel::ImportVersion(std::string_view model_file,
                                                       std::string_view note) {
  WEFT_ASSIGN(const MemoryCheckpoint sections, DecodeModel("model_file", model_file, name()));
  WeftHead head({.seed = options_.seed, .max_rows = 1, .adam = options_.adam, .without = {}},
                exec_);
  ProbabilityCalibration calibration;
  const WeftWeights imported = {head, calibration};
  MemoryCheckpointReader source(sections);
  const absl::Status loaded = imported.Load(source);
  if (!loaded.ok())
    return absl::Status(loaded.code(), graph::Concat("model_file: ", loaded.message()));
  return versions_.Keep(VersionOrigin::kImported, note, imported, Now());
}

absl::StatusOr<std::uint64_t> WeftModel::PromoteVersion(std::uint64_t number) {
  gpu::Synchronize(exec_);
  return versions_.Promote(number, weights(), Now());
}

absl::StatusOr<std::uint64_t> WeftModel::RollBack() {
  gpu::Synchronize(exec_);
  return versions_.RollBack(weights(), Now());
}

absl::StatusOr<std::uint64_t> WeftModel::DropVersion(std::uint64_t number) {
  return versions_.Drop(number);
}

absl::Status WeftModel::SaveWeights(graph::CheckpointSink& sink) const {
  return SaveWeftWeights(head_, calibration_, sink);
}

// The model keeps all of its weights if any do not fit.
absl::Status WeftModel::LoadWeights(graph::CheckpointSource& source) {
  return weights().Load(source);
}

}  // namespace weft::operators::link
