#include "graph/operator.h"

namespace weft::graph {

absl::Status Operator::OnCommand(std::string_view, LogPosition) { return absl::OkStatus(); }

absl::Status Operator::Save(CheckpointSink&) const { return absl::OkStatus(); }

absl::Status Operator::Load(CheckpointSource&) { return absl::OkStatus(); }

std::int64_t Operator::micro_batch() const { return declared().micro_batch; }

}  // namespace weft::graph
