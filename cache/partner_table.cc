#include "cache/partner_table.h"

#include <algorithm>

namespace weft::cache {
namespace {

template <int kSize>
void FillNobody(std::uint32_t (&list)[kSize]) {
  std::fill_n(list, kSize, kNobody);
}

// What a row is before its node's first event.
void MakeEmpty(const PartnerRow& row) {
  NodeHistory& history = row.history();
  history.node = kNobody;
  FillNobody(history.recent_target);
  FillNobody(history.recent_sender);
  FillNobody(history.former_partner);
  FillNobody(history.sampled_target);
  history.out.novelty = history.in.novelty = 1.0f;
  for (const SlotArray array : {SlotArray::kKey, SlotArray::kNext})
    std::fill_n(row.Words(array), row.slots, kNobody);
}

}  // namespace

PartnerTable::PartnerTable(const PartnerTableOptions& options, gpu::Memory memory)
    : options_(options),
      row_bytes_(PartnerRowBytes(options.slots)),
      index_(options.max_nodes),
      rows_(0, memory),
      before_(row_bytes_ * options.before_rows, memory),
      stream_(1, memory) {
  Clear();
}

void PartnerTable::Clear() {
  constexpr std::int64_t kFirstRows = 256;
  index_.Clear();
  rows_.Allocate(kFirstRows * row_bytes_);
  MarkUnused(1);
  MakeEmpty({rows_.data(), options_.slots});
  stream_[0] = {};
  stream_[0].last_source = stream_[0].last_target = kNobody;
  stream_[0].group_last_source = stream_[0].group_last_target = kNobody;
}

void PartnerTable::Grow(std::int64_t row_count) {
  const std::int64_t held = rows_.size() / row_bytes_;
  if (row_count + 1 <= held) return;
  rows_.Grow(row_bytes_ * std::max(row_count + 1, std::min(2 * held, index_.max_rows() + 1)));
  MarkUnused(held);
}

void PartnerTable::MarkUnused(std::int64_t first_row) {
  for (std::int64_t at = first_row * row_bytes_; at < rows_.size(); at += row_bytes_)
    PartnerRow{rows_.data() + at, options_.slots}.history().node = kNobody;
}

PartnerEvent PartnerTable::Admit(std::uint32_t source, std::uint32_t target, std::int64_t time_us) {
  const RowIndex::Admission from = index_.Admit(source);
  const RowIndex::Admission to = index_.Admit(target);
  Grow(index_.size());
  return {source, target, from.row, to.row, time_us, from.fresh, to.fresh};
}

PartnerRows PartnerTable::rows() {
  return {rows_.data(), before_.data(), row_bytes_, options_.slots, options_.before_rows};
}

std::span<const std::byte> PartnerTable::used_rows() const {
  return std::as_bytes(rows_.span())
      .subspan(static_cast<std::size_t>(row_bytes_),
               static_cast<std::size_t>(index_.size() * row_bytes_));
}

std::span<const std::byte> PartnerTable::used_before() const {
  return before_.span().first(static_cast<std::size_t>(stream_[0].before_count * row_bytes_));
}

std::span<std::byte> PartnerTable::MakeRows(std::int64_t row_count) {
  Grow(row_count);
  return rows_.span().subspan(static_cast<std::size_t>(row_bytes_),
                              static_cast<std::size_t>(row_count * row_bytes_));
}

std::span<std::byte> PartnerTable::MakeBefore(std::int64_t row_count) {
  return before_.span().first(static_cast<std::size_t>(row_count * row_bytes_));
}

}  // namespace weft::cache
