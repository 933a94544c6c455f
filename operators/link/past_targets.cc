#include "operators/link/past_targets.h"

#include <algorithm>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/section.h"

namespace weft::operators::link {

PastTargets::PastTargets(std::int64_t max_sources)
    : sources_(max_sources), rows_(1), target_(kTargets, graph::kNoNode) {}

void PastTargets::Add(graph::NodeId source, graph::NodeId target, graph::TimeUs time_us) {
  const auto [index, fresh] = sources_.Admit(source);
  if (rows_.size() <= index) {
    rows_.resize(std::size_t{index} + 1);
    target_.resize(rows_.size() * kTargets, graph::kNoNode);
  }
  Row& row = rows_[index];
  const std::span<graph::NodeId> targets =
      std::span(target_).subspan(std::size_t{index} * kTargets, kTargets);
  if (fresh) {
    row = {};
    std::ranges::fill(targets, graph::kNoNode);
  }
  if (time_us > row.latest_us) {
    row.latest_us = time_us;
    row.at_latest = 0;
  }
  const auto found = static_cast<std::uint32_t>(
      std::find(targets.begin(), targets.begin() + row.count, target) - targets.begin());
  // A late event stays behind those of the latest time, and does not take one of them out.
  const std::uint32_t front = time_us < row.latest_us ? row.at_latest : 0;
  if (found < front || front == kTargets) return;
  if (time_us == row.latest_us && found >= row.at_latest)
    row.at_latest = std::min(row.at_latest + 1, kTargets);
  if (found == row.count && row.count < kTargets) ++row.count;
  const std::uint32_t last = std::min(found, kTargets - 1);
  std::copy_backward(targets.begin() + front, targets.begin() + last, targets.begin() + last + 1);
  targets[front] = target;
}

PastTargets::Past PastTargets::Of(graph::NodeId source) const {
  const std::uint32_t index = sources_.Find(source);
  if (index == cache::kNoRow) return {};
  const Row& row = rows_[index];
  const std::span<const graph::NodeId> targets =
      std::span(target_).subspan(std::size_t{index} * kTargets, row.count);
  return {.at_latest = targets.first(row.at_latest),
          .before = targets.subspan(row.at_latest),
          .latest_us = row.latest_us};
}

absl::Status PastTargets::Save(std::string_view section, graph::CheckpointSink& sink) const {
  const auto count = static_cast<std::size_t>(sources_.size());
  WEFT_TRY(WriteRowIndex(section, sources_, sink));
  WEFT_TRY(WriteArray(section, std::span(rows_).subspan(1, count), sink));
  return WriteArray(section, std::span(target_).subspan(kTargets, count * kTargets), sink);
}

absl::Status PastTargets::Load(std::string_view section, graph::CheckpointSource& source) {
  WEFT_TRY(ReadRowIndex(section, sources_, source));
  const auto count = static_cast<std::size_t>(sources_.size());
  std::vector<Row> rows;
  std::vector<graph::NodeId> target;
  WEFT_TRY(ReadArray(section, count, rows, source));
  WEFT_TRY(ReadArray(section, count * kTargets, target, source));
  const bool fits = std::ranges::all_of(
      rows, [](const Row& row) { return row.count <= kTargets && row.at_latest <= row.count; });
  if (rows.size() != count || target.size() != count * kTargets || !fits) {
    return absl::DataLossError(graph::Concat("section ", section, ": expected at most ", kTargets,
                                             " targets of each of ", count, " sources"));
  }
  rows_.assign(1, {});
  rows_.insert(rows_.end(), rows.begin(), rows.end());
  target_.assign(kTargets, graph::kNoNode);
  target_.insert(target_.end(), target.begin(), target.end());
  return absl::OkStatus();
}

}  // namespace weft::operators::link
