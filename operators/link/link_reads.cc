#include "operators/link/link_reads.h"

#include "graph/text.h"

namespace weft::operators::link {

std::string_view LinkReadsName(LinkReads reads) {
  switch (reads) {
    case LinkReads::kBeforeTime:
      return "before_time";
    case LinkReads::kBeforeEvent:
      return "before_event";
    case LinkReads::kBeforeBatch:
      return "before_batch";
  }
  return "";
}

absl::StatusOr<LinkReads> ParseLinkReads(std::string_view name) {
  for (const LinkReads reads :
       {LinkReads::kBeforeTime, LinkReads::kBeforeEvent, LinkReads::kBeforeBatch}) {
    if (name == LinkReadsName(reads)) return reads;
  }
  return absl::InvalidArgumentError(
      graph::Concat("expected before_time, before_event or before_batch, got ", name));
}

std::string DescribeLinkReads(LinkReads reads, std::int64_t batch) {
  const std::string name(LinkReadsName(reads));
  return reads == LinkReads::kBeforeBatch ? graph::Concat(name, "(", batch, ")") : name;
}

}  // namespace weft::operators::link
