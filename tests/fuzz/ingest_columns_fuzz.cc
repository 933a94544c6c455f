// What clients send as a batch: no message may crash the checks, and what they accept can be read
// to the end.
#include <cstddef>
#include <cstdint>

#include "graph/check.h"
#include "rpc/event_columns.h"
#include "weft/v1/ingest.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weft::v1::EventColumns columns;
  if (!columns.ParseFromArray(data, static_cast<int>(size))) return 0;
  weft::rpc::FeedLimits limits;
  limits.feature_count = 4;
  const auto view = weft::rpc::ColumnsView::Check(columns, limits);
  if (!view.ok()) {
    WEFT_CHECK(absl::IsInvalidArgument(view.status()));
    return 0;
  }
  for (std::int64_t i = 0; i < view->size(); ++i) {
    // A key that cannot be accepted is named by a verdict, never by a crash.
    const bool accepted = !view->Verdict(i).has_value();
    WEFT_CHECK(!accepted || !view->keys()[view->source(i)].empty());
    view->Digest(i);
  }
  return 0;
}
