// LinkReads: which state the score of an event reads. The protocols of docs/evaluation.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace weft::operators::link {

enum class LinkReads {
  kBeforeTime,   // everything of strictly earlier times, nothing of the event's own time
  kBeforeEvent,  // everything before the event in log order, of its own time as well
  kBeforeBatch,  // everything before the batch of B events that it is in
};

// "before_time", "before_event", "before_batch".
std::string_view LinkReadsName(LinkReads reads);
// INVALID_ARGUMENT, with the known names, for any other name.
absl::StatusOr<LinkReads> ParseLinkReads(std::string_view name);
// As reports have it: the name, and the B of before_batch: "before_batch(32)".
std::string DescribeLinkReads(LinkReads reads, std::int64_t batch);

}  // namespace weft::operators::link
