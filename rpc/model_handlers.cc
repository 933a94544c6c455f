#include "rpc/model_handlers.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/link_types.h"
#include "operators/link/model_file.h"
#include "rpc/error_details.h"
#include "rpc/position.h"
#include "weft/operators/link/v1/model_command.pb.h"
#include "weft/v1/model.pb.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::LogPosition;
using operators::link::LinkReader;
using operators::link::VersionedModel;
using operators::link::VersionFigures;
using operators::link::VersionOrigin;
using operators::link::v1::ModelCommand;

v1::ModelVersionOrigin ToMessage(VersionOrigin origin) {
  switch (origin) {
    case VersionOrigin::kGuard:
      return v1::MODEL_VERSION_ORIGIN_GUARD;
    case VersionOrigin::kReplaced:
      return v1::MODEL_VERSION_ORIGIN_REPLACED;
    case VersionOrigin::kKept:
      return v1::MODEL_VERSION_ORIGIN_KEPT;
    case VersionOrigin::kImported:
      return v1::MODEL_VERSION_ORIGIN_IMPORTED;
  }
  return v1::MODEL_VERSION_ORIGIN_UNSPECIFIED;
}

v1::VersionFigures ToMessage(const VersionFigures& figures) {
  v1::VersionFigures message;
  message.set_events(figures.events);
  message.set_log_loss(figures.log_loss);
  message.set_error(figures.error);
  message.set_loss_difference(figures.loss_difference);
  message.set_loss_difference_error(figures.loss_difference_error);
  return message;
}

v1::ModelVersion ToMessage(const operators::link::ModelVersion& version) {
  v1::ModelVersion message;
  message.set_number(version.number);
  message.set_origin(ToMessage(version.origin));
  message.set_note(version.note);
  message.set_event_count(version.event_count);
  if (version.time_us != graph::kBeforeAllTime) message.set_time_us(version.time_us);
  message.set_digest(graph::Hexadecimal(version.digest));
  if (version.figures.events > 0) *message.mutable_figures() = ToMessage(version.figures);
  return message;
}

// One command at a time, so that what a node says of the latest one is about this one.
class ModelHandlers {
 public:
  explicit ModelHandlers(GraphHost* host) : host_(*host) {}

  absl::StatusOr<v1::ListModelVersionsResponse> List(const CallContext& context,
                                                     const v1::ListModelVersionsRequest& request) {
    v1::ListModelVersionsResponse response;
    WEFT_ASSIGN(const std::string node, FindNode(context, request.node()));
    WEFT_TRY(Read(context, node, [&](const LinkReader& reader, LogPosition applied) {
      const operators::link::ModelVersions list = reader.versions()->Versions();
      response.set_model(reader.model_name());
      response.set_revision(reader.model_version());
      for (const auto& version : list.versions) *response.add_version() = ToMessage(version);
      if (list.live.events > 0) *response.mutable_live() = ToMessage(list.live);
      response.set_recency_error(list.recency_error);
      response.set_window_events(list.window_events);
      response.set_guarded(list.guarded);
      response.set_restored_count(list.restored_count);
      *response.mutable_position() = EncodePosition(applied);
    }));
    response.set_node(node);
    return response;
  }

  absl::StatusOr<v1::ExportModelVersionResponse> Export(
      const CallContext& context, const v1::ExportModelVersionRequest& request) {
    WEFT_ASSIGN(const std::string node, FindNode(context, request.node()));
    absl::StatusOr<std::string> bytes = absl::UnknownError("not read");
    WEFT_TRY(Read(context, node, [&](const LinkReader& reader, LogPosition) {
      bytes = reader.versions()->ExportVersion(request.number());
    }));
    WEFT_TRY(WithReasonOf(bytes.status(), node, request.number()));
    v1::ExportModelVersionResponse response;
    response.set_model_file(*std::move(bytes));
    return response;
  }

  absl::StatusOr<v1::KeepModelVersionResponse> Keep(const CallContext& context,
                                                    const v1::KeepModelVersionRequest& request) {
    WEFT_TRY(CheckNote(request.note()));
    ModelCommand command;
    command.mutable_keep()->set_note(request.note());
    return Answer<v1::KeepModelVersionResponse>(context, request.node(), command);
  }

  absl::StatusOr<v1::ImportModelVersionResponse> Import(
      const CallContext& context, const v1::ImportModelVersionRequest& request) {
    WEFT_TRY(CheckNote(request.note()));
    WEFT_ASSIGN(const std::string node, FindNode(context, request.node()));
    std::string model;
    WEFT_TRY(Read(context, node,
                  [&](const LinkReader& reader, LogPosition) { model = reader.model_name(); }));
    // What cannot be a model's weights shall not take room in the log.
    const auto sections = operators::link::DecodeModel("the bytes", request.model_file(), model);
    if (!sections.ok()) {
      return InvalidField("model_file", graph::Concat(sections.status().message()));
    }
    ModelCommand command;
    command.mutable_import()->set_model_file(request.model_file());
    command.mutable_import()->set_note(request.note());
    return Answer<v1::ImportModelVersionResponse>(context, node, command);
  }

  absl::StatusOr<v1::PromoteModelVersionResponse> Promote(
      const CallContext& context, const v1::PromoteModelVersionRequest& request) {
    ModelCommand command;
    command.mutable_promote()->set_number(request.number());
    return Answer<v1::PromoteModelVersionResponse>(context, request.node(), command);
  }

  absl::StatusOr<v1::RollBackModelResponse> RollBack(const CallContext& context,
                                                     const v1::RollBackModelRequest& request) {
    ModelCommand command;
    command.mutable_roll_back();
    WEFT_ASSIGN(const Done done, Send(context, request.node(), command, 0));
    v1::RollBackModelResponse response;
    response.set_number(done.number);
    *response.mutable_position() = EncodePosition(done.position);
    return response;
  }

  absl::StatusOr<v1::DropModelVersionResponse> Drop(const CallContext& context,
                                                    const v1::DropModelVersionRequest& request) {
    ModelCommand command;
    command.mutable_drop()->set_number(request.number());
    WEFT_ASSIGN(const Done done, Send(context, request.node(), command, request.number()));
    v1::DropModelVersionResponse response;
    *response.mutable_position() = EncodePosition(done.position);
    return response;
  }

 private:
  struct Done {
    LogPosition position;
    std::uint64_t number = 0;
    std::optional<operators::link::ModelVersion> version;  // if it is still there
  };

  static absl::Status CheckNote(const std::string& note) {
    if (note.size() <= VersionedModel::kMaxNoteBytes) return absl::OkStatus();
    return InvalidField("note", Concat("expected at most ", VersionedModel::kMaxNoteBytes,
                                       " bytes, got ", note.size()));
  }

  static absl::Status WithReasonOf(const absl::Status& status, const std::string& node,
                                   std::uint64_t number) {
    if (absl::IsNotFound(status)) {
      return WithReason(status, v1::ERROR_REASON_UNKNOWN_MODEL_VERSION,
                        {{"node", node}, {"number", Concat(number)}});
    }
    if (absl::IsResourceExhausted(status)) {
      return WithReason(status, v1::ERROR_REASON_TOO_MANY_MODEL_VERSIONS, {{"node", node}});
    }
    return status;
  }

  // The node that is meant; the first that keeps versions for an empty name.
  absl::StatusOr<std::string> FindNode(const CallContext& context, const std::string& name) {
    WEFT_TRY(host_.CheckServing());
    if (!name.empty()) return name;
    for (const std::string& node : host_.link_nodes()) {
      bool keeps_versions = false;
      WEFT_TRY(host_.graph().Read(
          node, context.left_us(), [&](const graph::Operator& candidate, LogPosition) {
            const auto* const reader = dynamic_cast<const LinkReader*>(&candidate);
            keeps_versions = reader != nullptr && reader->versions() != nullptr;
          }));
      if (keeps_versions) return node;
    }
    return absl::FailedPreconditionError("no node of the graph keeps versions of its weights");
  }

  absl::Status Read(const CallContext& context, const std::string& node,
                    const std::function<void(const LinkReader&, LogPosition)>& read) {
    bool reads = false;
    const absl::Status status = host_.graph().Read(
        node, context.left_us(), [&](const graph::Operator& candidate, LogPosition applied) {
          const auto* const reader = dynamic_cast<const LinkReader*>(&candidate);
          if (reader == nullptr || reader->versions() == nullptr) return;
          reads = true;
          read(*reader, applied);
        });
    if (absl::IsNotFound(status)) {
      return WithReason(status, v1::ERROR_REASON_UNKNOWN_NODE, {{"node", node}});
    }
    WEFT_TRY(status);
    if (reads) return absl::OkStatus();
    return InvalidField("node", Concat("\"", node, "\" keeps no versions of its weights"));
  }

  // Sends the command, waits for it and reads what became of it.
  absl::StatusOr<Done> Send(const CallContext& context, const std::string& name,
                            const ModelCommand& command, std::uint64_t number) {
    const std::scoped_lock lock(mutex_);
    WEFT_ASSIGN(const std::string node, FindNode(context, name));
    // Only a node that keeps versions has one at all.
    WEFT_TRY(Read(context, node, [](const LinkReader&, LogPosition) {}));
    Done done;
    WEFT_ASSIGN(done.position,
                host_.SendCommand({node, command.SerializeAsString()}, context.deadline_ns));
    absl::StatusOr<std::uint64_t> version =
        absl::InternalError("the command is not known any more");
    WEFT_TRY(Read(context, node, [&](const LinkReader& reader, LogPosition) {
      const auto outcome = reader.latest_command();
      if (!outcome || outcome->position != done.position) return;
      version = outcome->version;
      for (auto& kept : reader.versions()->Versions().versions) {
        if (version.ok() && kept.number == *version) done.version = std::move(kept);
      }
    }));
    WEFT_TRY(WithReasonOf(version.status(), node, number));
    done.number = *version;
    return done;
  }

  template <class Response>
  absl::StatusOr<Response> Answer(const CallContext& context, const std::string& node,
                                  const ModelCommand& command) {
    WEFT_ASSIGN(const Done done, Send(context, node, command, command.promote().number()));
    Response response;
    if (done.version) {
      *response.mutable_version() = ToMessage(*done.version);
    } else {
      response.mutable_version()->set_number(done.number);
    }
    *response.mutable_position() = EncodePosition(done.position);
    return response;
  }

  GraphHost& host_;
  std::mutex mutex_;
};

template <class Request, class Response>
void Register(const std::shared_ptr<ModelHandlers>& handlers, Dispatcher& dispatcher,
              std::string_view method,
              absl::StatusOr<Response> (ModelHandlers::*handle)(const CallContext&,
                                                                const Request&)) {
  dispatcher.Register<Request, Response>(
      Concat("/weft.v1.AdminService/", method),
      [handlers, handle](const CallContext& context, const Request& request) {
        return (handlers.get()->*handle)(context, request);
      });
}

}  // namespace

void RegisterModelHandlers(GraphHost* host, Dispatcher& dispatcher) {
  const auto handlers = std::make_shared<ModelHandlers>(host);
  Register(handlers, dispatcher, "ListModelVersions", &ModelHandlers::List);
  Register(handlers, dispatcher, "ExportModelVersion", &ModelHandlers::Export);
  Register(handlers, dispatcher, "KeepModelVersion", &ModelHandlers::Keep);
  Register(handlers, dispatcher, "ImportModelVersion", &ModelHandlers::Import);
  Register(handlers, dispatcher, "PromoteModelVersion", &ModelHandlers::Promote);
  Register(handlers, dispatcher, "RollBackModel", &ModelHandlers::RollBack);
  Register(handlers, dispatcher, "DropModelVersion", &ModelHandlers::Drop);
}

}  // namespace weft::rpc
