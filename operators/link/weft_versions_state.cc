// WeftVersions: what is saved, and what weights are as bytes.
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/section.h"
#include "operators/link/weft_kept.h"

namespace weft::operators::link {
namespace {

constexpr std::string_view kCalibrationSection = "calibration";
// More than any options allow.
constexpr std::uint64_t kMostReadVersions = 64;

// Everything that passes goes to one section.
class OneSectionSink final : public graph::CheckpointSink {
 public:
  OneSectionSink(std::string_view section, graph::CheckpointSink& sink)
      : section_(section), sink_(sink) {}
  absl::Status Write(std::string_view, std::span<const std::byte> bytes) override {
    return sink_.Write(section_, bytes);
  }

 private:
  const std::string_view section_;
  graph::CheckpointSink& sink_;
};

class OneSectionSource final : public graph::CheckpointSource {
 public:
  OneSectionSource(std::string_view section, graph::CheckpointSource& source)
      : section_(section), source_(source) {}
  absl::Status Read(std::string_view, std::span<std::byte> bytes) override {
    return source_.Read(section_, bytes);
  }
  std::uint64_t Remaining(std::string_view) const override { return source_.Remaining(section_); }

 private:
  const std::string_view section_;
  graph::CheckpointSource& source_;
};

absl::Status SaveInfo(const ModelVersion& info, graph::CheckpointSink& sink) {
  constexpr std::string_view kSection = WeftVersions::kSection;
  WEFT_TRY(WriteValue(kSection, info.number, sink));
  WEFT_TRY(WriteValue(kSection, info.origin, sink));
  WEFT_TRY(WriteArray(kSection, std::span<const char>(info.note), sink));
  WEFT_TRY(WriteValue(kSection, info.event_count, sink));
  WEFT_TRY(WriteValue(kSection, info.time_us, sink));
  return WriteValue(kSection, info.digest, sink);
}

absl::Status LoadInfo(ModelVersion& info, graph::CheckpointSource& source) {
  constexpr std::string_view kSection = WeftVersions::kSection;
  std::vector<char> note;
  WEFT_TRY(ReadValue(kSection, info.number, source));
  WEFT_TRY(ReadValue(kSection, info.origin, source));
  WEFT_TRY(ReadArray(kSection, VersionedModel::kMaxNoteBytes, note, source));
  info.note.assign(note.begin(), note.end());
  WEFT_TRY(ReadValue(kSection, info.event_count, source));
  WEFT_TRY(ReadValue(kSection, info.time_us, source));
  return ReadValue(kSection, info.digest, source);
}

}  // namespace

absl::Status SaveWeftWeights(const WeftHead& head, const ProbabilityCalibration& calibration,
                             graph::CheckpointSink& sink) {
  // In the order of WeftWeights::Load, as a checkpoint wants it.
  WEFT_TRY(calibration.Save(kCalibrationSection, sink));
  return head.Save(sink);
}

absl::Status WeftWeights::Load(graph::CheckpointSource& source) const {
  ProbabilityCalibration loaded;
  if (source.Remaining(kCalibrationSection) == 0)
    return absl::FailedPreconditionError(
        "expected weights with a calibration, got those of an older version; train them again");
  WEFT_TRY(loaded.Load(kCalibrationSection, source));
  WEFT_TRY(head.Load(source));
  calibration = loaded;
  return absl::OkStatus();
}

void WeftWeights::Take(const WeftWeights& from) const {
  head.CopyFrom(from.head);
  calibration = from.calibration;
}

absl::Status WeftVersions::Save(graph::CheckpointSink& sink) const {
  OneSectionSink one(kSection, sink);
  const std::vector<Kept*> all = All();
  WEFT_TRY(WriteValue(kSection, next_number_, sink));
  WEFT_TRY(WriteValue(kSection, strikes_, sink));
  WEFT_TRY(WriteValue(kSection, restored_count_, sink));
  WEFT_TRY(WriteValue(kSection, live_, sink));
  WEFT_TRY(WriteValue(kSection, live_before_, sink));
  WEFT_TRY(WriteValue(kSection, recency_wrong_, sink));
  WEFT_TRY(WriteValue(kSection, recency_wrong_before_, sink));
  WEFT_TRY(WriteValue(kSection, static_cast<std::uint64_t>(all.size()), sink));
  for (Kept* version : all) {
    WEFT_TRY(SaveInfo(version->info, sink));
    WEFT_TRY(WriteValue(kSection, version->sums, sink));
    WEFT_TRY(WriteValue(kSection, version->before, sink));
    WEFT_TRY(version->weights().Save(one));
  }
  return absl::OkStatus();
}

absl::Status WeftVersions::LoadAll(graph::CheckpointSource& source) {
  OneSectionSource one(kSection, source);
  std::uint64_t count = 0;
  WEFT_TRY(ReadValue(kSection, next_number_, source));
  WEFT_TRY(ReadValue(kSection, strikes_, source));
  WEFT_TRY(ReadValue(kSection, restored_count_, source));
  WEFT_TRY(ReadValue(kSection, live_, source));
  WEFT_TRY(ReadValue(kSection, live_before_, source));
  WEFT_TRY(ReadValue(kSection, recency_wrong_, source));
  WEFT_TRY(ReadValue(kSection, recency_wrong_before_, source));
  WEFT_TRY(ReadValue(kSection, count, source));
  if (count > kMostReadVersions)
    return absl::DataLossError(graph::Concat("section ", kSection, ": expected at most ",
                                             kMostReadVersions, " versions, got ", count));
  for (; count > 0; --count) {
    auto version = std::make_unique<Kept>(options_.head, exec_);
    WEFT_TRY(LoadInfo(version->info, source));
    WEFT_TRY(ReadValue(kSection, version->sums, source));
    WEFT_TRY(ReadValue(kSection, version->before, source));
    WEFT_TRY(version->weights().Load(one));
    switch (version->info.origin) {
      case VersionOrigin::kGuard:
        guard_ = std::move(version);
        break;
      case VersionOrigin::kReplaced:
        replaced_ = std::move(version);
        break;
      case VersionOrigin::kKept:
      case VersionOrigin::kImported:
        kept_.push_back(std::move(version));
        break;
      default:
        return absl::DataLossError(graph::Concat("section ", kSection, ": unknown origin"));
    }
  }
  return absl::OkStatus();
}

absl::Status WeftVersions::Load(graph::CheckpointSource& source) {
  Clear();
  const absl::Status status = LoadAll(source);
  if (!status.ok()) Clear();
  return status;
}

}  // namespace weft::operators::link
