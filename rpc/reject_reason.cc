#include "rpc/reject_reason.h"

#include <string_view>

#include "graph/text.h"

namespace weft::rpc {

std::string RejectReasonName(v1::RejectReason reason) {
  constexpr std::string_view kPrefix = "REJECT_REASON_";
  const std::string& name = v1::RejectReason_Name(reason);
  if (name.empty()) return graph::Concat(static_cast<int>(reason));
  return name.substr(kPrefix.size());
}

std::string ExplainRejectReason(v1::RejectReason reason) {
  std::string name = RejectReasonName(reason);
  if (reason != v1::REJECT_REASON_TOO_FAR_AHEAD) return name;
  return graph::Concat(name, ", its time is far in the future: is it in another unit?");
}

}  // namespace weft::rpc
