// WeftModel: learning, and what is saved.
#include <algorithm>

#include "gpu/memory.h"
#include "graph/check.h"
#include "operators/link/section.h"
#include "operators/link/weft_workspace.h"

namespace weft::operators::link {
namespace {

// One step on remembered rows for so many events: four rows an event.
constexpr std::int64_t kMemoryEvents = 64;
constexpr std::int64_t kMemoryRows = 256;
// Of a past target in what the third logit learns from.
constexpr float kHistoricalWeight = 0.3f;

}  // namespace

// An event teaches all logits that it happened. Against it stand, for the first logit, a target
// drawn at random; for the second, another past target of the source; for the third, both, the
// latter with less weight, as a list of candidates has fewer of them. Of a file, half of the former
// comes from all targets and half from those seen so far. A stream knows only what it saw: there a
// target without a past stands in for those that are still to come, once for each that came, or
// "never seen" would be a sign of truth.
void WeftModel::Learn(const LinkStep& step, std::int64_t begin, std::int64_t end) {
  gpu::Synchronize(exec_);
  Workspace& w = *workspace_;
  const std::int64_t count = end - begin;
  w.lessons.clear();
  const auto add = [&w](const float* features, const WeftLesson& lesson) {
    std::copy_n(
        features, kWeftStride,
        w.lesson_features.data() + static_cast<std::int64_t>(w.lessons.size()) * kWeftStride);
    w.lessons.push_back(lesson);
  };
  const float random_weight = training_ ? 0.5f : 1.0f;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = i * kWeftStride;
    // A source without other past targets contrasts with one that was seen.
    const float stand_in = w.has_historical[i] != 0 ? 0.0f : 1.0f;
    add(w.pair_features.data() + at, {1.0f, {1.0f, 1.0f, 1.0f}});
    if (step.negative[static_cast<std::size_t>(begin + i)] != graph::kNoNode)
      add(w.pair_features.data() + count * kWeftStride + at,
          {0.0f, {random_weight, training_ ? 0.0f : stand_in, random_weight}});
    if (training_ && w.has_seen[i] != 0)
      add(w.seen_features.data() + at, {0.0f, {random_weight, stand_in, random_weight}});
    if (w.has_historical[i] != 0)
      add(w.historical_features.data() + at, {0.0f, {0.0f, 1.0f, kHistoricalWeight}});
    if (!training_ && w.is_new[i] != 0)
      add(w.unknown_features.data() + at, {0.0f, {1.0f, 0.0f, 1.0f}});
  }
  const auto rows = static_cast<std::int64_t>(w.lessons.size());
  head_.ObserveScale(w.lesson_features.data(), rows);
  head_.Learn(w.lesson_features.data(), w.lessons, 1.0f / static_cast<float>(count), rate_factor_);
  if (training_) return;
  gpu::Synchronize(exec_);
  for (std::int64_t i = 0; i < rows; ++i)
    memory_.Add(w.lesson_features.data() + i * kWeftStride, w.lessons[static_cast<std::size_t>(i)]);
  w.events_since_memory += count;
  for (; w.events_since_memory >= kMemoryEvents; w.events_since_memory -= kMemoryEvents)
    LearnAgain();
}

void WeftModel::LearnAgain() {
  Workspace& w = *workspace_;
  w.lessons.resize(kMemoryRows);
  gpu::Synchronize(exec_);
  if (!memory_.Draw(w.lessons, w.lesson_features.data())) return;
  // A step's rows are about four an event.
  head_.Learn(w.lesson_features.data(), w.lessons, 4.0f / static_cast<float>(kMemoryRows),
              rate_factor_);
}

absl::Status WeftModel::SaveState(graph::CheckpointSink& sink) const {
  gpu::Synchronize(exec_);
  WEFT_TRY(WriteValue("row_bytes", table_.row_bytes(), sink));
  WEFT_TRY(WriteValue("stream", table_.stream(), sink));
  WEFT_TRY(WriteRowIndex("nodes", table_.nodes(), sink));
  WEFT_TRY(sink.Write("rows", table_.used_rows()));
  WEFT_TRY(sink.Write("before", table_.used_before()));
  WEFT_TRY(WriteValue("events_since_memory", workspace_->events_since_memory, sink));
  WEFT_TRY(memory_.Save(sink));
  return versions_.Save(sink);
}

absl::Status WeftModel::LoadState(graph::CheckpointSource& source) {
  ResetState();
  std::int64_t row_bytes = 0;
  WEFT_TRY(ReadValue("row_bytes", row_bytes, source));
  if (row_bytes != table_.row_bytes())
    return absl::DataLossError(
        graph::Concat("section row_bytes: expected ", table_.row_bytes(), ", got ", row_bytes));
  cache::PartnerStream stream = {};
  WEFT_TRY(ReadValue("stream", stream, source));
  WEFT_TRY(ReadRowIndex("nodes", table_.mutable_nodes(), source));
  if (stream.before_count < 0 || stream.before_count > options_.table.before_rows)
    return absl::DataLossError(graph::Concat("section stream: expected 0 to ",
                                             options_.table.before_rows, " rows before, got ",
                                             stream.before_count));
  WEFT_TRY(source.Read("rows", table_.MakeRows(table_.nodes().size())));
  WEFT_TRY(source.Read("before", table_.MakeBefore(stream.before_count)));
  table_.stream() = stream;
  std::int64_t& since = workspace_->events_since_memory;
  WEFT_TRY(ReadValue("events_since_memory", since, source));
  if (since >= 0 && since < kMemoryEvents) {
    WEFT_TRY(memory_.Load(source));
    return versions_.Load(source);
  }
  absl::Status status = absl::DataLossError(graph::Concat(
      "section events_since_memory: expected 0 to ", kMemoryEvents - 1, ", got ", since));
  ResetState();
  return status;
}

}  // namespace weft::operators::link
