// LinkOperator: commands to its model.
#include "graph/text.h"
#include "operators/link/link_operator.h"
#include "weft/operators/link/v1/model_command.pb.h"

namespace weft::operators::link {
namespace {

absl::Status CheckNote(const std::string& note) {
  if (note.size() <= VersionedModel::kMaxNoteBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(graph::Concat(
      "note: expected at most ", VersionedModel::kMaxNoteBytes, " bytes, got ", note.size()));
}

absl::StatusOr<std::uint64_t> Carry(const v1::ModelCommand& command, VersionedModel& model) {
  switch (command.action_case()) {
    case v1::ModelCommand::kKeep:
      if (const absl::Status note = CheckNote(command.keep().note()); !note.ok()) return note;
      return model.KeepVersion(command.keep().note());
    case v1::ModelCommand::kImport:
      if (const absl::Status note = CheckNote(command.import().note()); !note.ok()) return note;
      return model.ImportVersion(command.import().model_file(), command.import().note());
    case v1::ModelCommand::kPromote:
      return model.PromoteVersion(command.promote().number());
    case v1::ModelCommand::kRollBack:
      return model.RollBack();
    case v1::ModelCommand::kDrop:
      return model.DropVersion(command.drop().number());
    case v1::ModelCommand::ACTION_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("expected a command that this program knows");
}

}  // namespace

absl::Status LinkOperator::OnCommand(std::string_view body, graph::LogPosition position) {
  v1::ModelCommand command;
  VersionedModel* const versioned = model_->versioned();
  absl::StatusOr<std::uint64_t> version =
      absl::FailedPreconditionError(graph::Concat(model_->name(), " keeps no versions"));
  if (!command.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    version = absl::InvalidArgumentError("expected a weft.operators.link.v1.ModelCommand");
  } else if (versioned != nullptr) {
    version = Carry(command, *versioned);
  }
  if (version.ok() && (command.has_promote() || command.has_roll_back())) ++model_version_;
  latest_command_ = CommandOutcome{position, std::move(version)};
  return absl::OkStatus();
}

}  // namespace weft::operators::link
