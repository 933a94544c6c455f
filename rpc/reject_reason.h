// RejectReason in words.
#pragma once

#include <string>

#include "weft/v1/ingest.pb.h"

namespace weft::rpc {

// "LATE" for REJECT_REASON_LATE; the number of a reason that a newer server gave.
std::string RejectReasonName(v1::RejectReason reason);

// The name, and what to look at where that is known: for people.
std::string ExplainRejectReason(v1::RejectReason reason);

}  // namespace weft::rpc
