#include <cinttypes>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "deploy/weft/command.h"
#include "deploy/weft/graph_file.h"
#include "graph/text.h"
#include "operators/io/time_text.h"
#include "operators/link/model_file.h"
#include "rpc/client.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;

// A model file is a small part of it.
constexpr std::size_t kModelBytesMax = std::size_t{64} << 20;

struct Flags {
  std::string to = "127.0.0.1:7171";
  std::string node;
  double deadline_seconds = 5.0;
  bool json = false;
  std::uint64_t number = 0;
  std::string note;
  std::string file;

  std::unique_ptr<rpc::AdminClient> Client() const {
    return rpc::AdminClient::Open(to, deadline_seconds);
  }
};

const char* OriginName(v1::ModelVersionOrigin origin) {
  switch (origin) {
    case v1::MODEL_VERSION_ORIGIN_GUARD:
      return "guard";
    case v1::MODEL_VERSION_ORIGIN_REPLACED:
      return "replaced";
    case v1::MODEL_VERSION_ORIGIN_KEPT:
      return "kept";
    case v1::MODEL_VERSION_ORIGIN_IMPORTED:
      return "imported";
    default:
      return "unknown";
  }
}

std::string Dump(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json FiguresJson(bool there, const v1::VersionFigures& figures) {
  if (!there) return nullptr;
  return {{"events", figures.events()},
          {"log_loss", figures.log_loss()},
          {"error", figures.error()},
          {"loss_difference", figures.loss_difference()},
          {"loss_difference_error", figures.loss_difference_error()}};
}

ordered_json VersionJson(const v1::ModelVersion& version) {
  ordered_json object = {{"number", std::to_string(version.number())},
                         {"origin", OriginName(version.origin())},
                         {"note", version.note()},
                         {"event_count", version.event_count()},
                         {"time", nullptr},
                         {"time_us", nullptr},
                         {"digest", version.digest()},
                         {"figures", FiguresJson(version.has_figures(), version.figures())}};
  if (version.has_time_us()) {
    object["time"] = operators::io::FormatTime(version.time_us());
    object["time_us"] = version.time_us();
  }
  return object;
}

ordered_json ListJson(const v1::ListModelVersionsResponse& list) {
  ordered_json versions = ordered_json::array();
  for (const auto& version : list.version()) versions.push_back(VersionJson(version));
  ordered_json object = {{"schema_version", 1},
                         {"node", list.node()},
                         {"model", list.model()},
                         {"revision", std::to_string(list.revision())},
                         {"guarded", list.guarded()},
                         {"restored_count", list.restored_count()},
                         {"window_events", list.window_events()},
                         {"live", FiguresJson(list.has_live(), list.live())},
                         {"recency_error", nullptr},
                         {"versions", versions}};
  if (list.has_live()) {
    object["recency_error"] = list.recency_error();
  } else {
    object["reason"] =
        graph::Concat("no window of ", list.window_events(), " events has been compared yet");
  }
  return object;
}

void PrintHead(const v1::ListModelVersionsResponse& list) {
  std::printf("%s (node %s), revision %" PRIu64 "; drift guard %s", list.model().c_str(),
              list.node().c_str(), list.revision(), list.guarded() ? "on" : "off");
  if (list.restored_count() > 0)
    std::printf(", went back %" PRId64 " times", list.restored_count());
  std::printf("\n");
}

void PrintVersions(const v1::ListModelVersionsResponse& list) {
  if (list.version_size() == 0) {
    std::printf("no versions are kept\n");
    return;
  }
  std::printf("%8s  %-9s %12s  %-20s  %-16s  %s\n", "version", "origin", "after events", "time",
              "digest", "note");
  for (const auto& version : list.version()) {
    const std::string time =
        version.has_time_us() ? operators::io::FormatTime(version.time_us()) : "-";
    std::printf("%8" PRIu64 "  %-9s %12" PRId64 "  %-20s  %-16s  %s\n", version.number(),
                OriginName(version.origin()), version.event_count(), time.c_str(),
                version.digest().c_str(), version.note().c_str());
  }
}

void PrintFigures(const std::string& name, const char* origin, bool there,
                  const v1::VersionFigures& figures) {
  if (!there) {
    std::printf("%8s  %-9s  (not compared yet)\n", name.c_str(), origin);
    return;
  }
  std::printf("%8s  %-9s  %8.4f  %7.4f  %+8.4f +-%.4f\n", name.c_str(), origin, figures.log_loss(),
              figures.error(), figures.loss_difference(), figures.loss_difference_error());
}

void PrintComparison(const v1::ListModelVersionsResponse& list) {
  if (!list.has_live()) {
    std::printf("no window of %" PRId64 " events has been compared yet\n", list.window_events());
    return;
  }
  std::printf("the same %" PRId64 " events, scored before they were learned:\n",
              list.live().events());
  std::printf("%8s  %-9s  %8s  %7s  %s\n", "version", "origin", "log loss", "error",
              "log loss less that of the weights in use");
  PrintFigures("-", "in use", true, list.live());
  for (const auto& version : list.version())
    PrintFigures(std::to_string(version.number()), OriginName(version.origin()),
                 version.has_figures(), version.figures());
  std::printf("%8s  %-9s  %8s  %7.4f\n", "-", "recency", "-", list.recency_error());
}

// The same JSON for both; `print` is for people.
int Show(const Flags& flags, void (*print)(const v1::ListModelVersionsResponse&)) {
  v1::ListModelVersionsRequest request;
  request.set_node(flags.node);
  const auto list = flags.Client()->ListModelVersions(request);
  if (!list.ok()) return Fail(list.status());
  if (flags.json) {
    std::printf("%s\n", Dump(ListJson(*list)).c_str());
    return kOk;
  }
  PrintHead(*list);
  print(*list);
  return kOk;
}

int List(const Flags& flags) { return Show(flags, PrintVersions); }
int Compare(const Flags& flags) { return Show(flags, PrintComparison); }

// What every command that changes something prints.
int PrintDone(const Flags& flags, const char* action, const v1::ModelVersion& version) {
  if (flags.json) {
    const ordered_json object = {{"schema_version", 1},
                                 {"action", action},
                                 {"number", std::to_string(version.number())},
                                 {"digest", version.digest()}};
    std::printf("%s\n", Dump(object).c_str());
  } else {
    std::printf("version %" PRIu64 " is %s\n", version.number(), action);
  }
  return kOk;
}

int Keep(const Flags& flags) {
  v1::KeepModelVersionRequest request;
  request.set_node(flags.node);
  request.set_note(flags.note);
  const auto response = flags.Client()->KeepModelVersion(request);
  return response.ok() ? PrintDone(flags, "kept", response->version()) : Fail(response.status());
}

int Import(const Flags& flags) {
  auto bytes = ReadTextFile(flags.file, kModelBytesMax);
  if (!bytes.ok()) return Fail(bytes.status(), kInputData);
  v1::ImportModelVersionRequest request;
  request.set_node(flags.node);
  request.set_note(flags.note.empty() ? flags.file : flags.note);
  request.set_model_file(*std::move(bytes));
  const auto response = flags.Client()->ImportModelVersion(request);
  return response.ok() ? PrintDone(flags, "imported", response->version())
                       : Fail(response.status());
}

int Export(const Flags& flags) {
  v1::ExportModelVersionRequest request;
  request.set_node(flags.node);
  request.set_number(flags.number);
  const auto response = flags.Client()->ExportModelVersion(request);
  if (!response.ok()) return Fail(response.status());
  const absl::Status written = operators::link::WriteModelBytes(flags.file, response->model_file());
  if (!written.ok()) return Fail(written);
  v1::ModelVersion version;
  version.set_number(flags.number);
  return PrintDone(flags, "exported", version);
}

int Promote(const Flags& flags) {
  v1::PromoteModelVersionRequest request;
  request.set_node(flags.node);
  request.set_number(flags.number);
  const auto response = flags.Client()->PromoteModelVersion(request);
  return response.ok() ? PrintDone(flags, "in use", response->version()) : Fail(response.status());
}

int RollBack(const Flags& flags) {
  v1::RollBackModelRequest request;
  request.set_node(flags.node);
  const auto response = flags.Client()->RollBackModel(request);
  if (!response.ok()) return Fail(response.status());
  v1::ModelVersion version;
  version.set_number(response->number());
  return PrintDone(flags, "in use again", version);
}

int Drop(const Flags& flags) {
  v1::DropModelVersionRequest request;
  request.set_node(flags.node);
  request.set_number(flags.number);
  const auto response = flags.Client()->DropModelVersion(request);
  if (!response.ok()) return Fail(response.status());
  v1::ModelVersion version;
  version.set_number(flags.number);
  return PrintDone(flags, "dropped", version);
}

Command AddAction(Command model, Invocation& invocation, const char* name, const char* description,
                  const char* examples, const std::shared_ptr<Flags>& flags,
                  int (*run)(const Flags&)) {
  Command command = model.AddCommand(name, description, examples);
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--node", flags->node,
                    "Node of the graph; the first that keeps versions without it");
  command.AddOption("--deadline", flags->deadline_seconds, "Seconds to wait").Positive();
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  command.Runs(invocation, [flags, run] { return run(*flags); });
  return command;
}

void AddNote(Command command, const std::shared_ptr<Flags>& flags) {
  command.AddOption("--note", flags->note, "What to remember it by");
}

void AddNumber(Command command, const std::shared_ptr<Flags>& flags, const char* description) {
  command.AddOption("VERSION", flags->number, description).Required();
}

}  // namespace

void AddModelCommand(Command root, Invocation& invocation) {
  Command model =
      root.AddCommand("model", "Versions of a predictor's weights: keep, compare, take back.",
                      "weft model compare\n"
                      "weft model promote 7\n"
                      "weft model rollback");
  model.RequireCommand();
  auto flags = std::make_shared<Flags>();
  AddAction(model, invocation, "list", "The versions that a service keeps.",
            "weft model list --to 127.0.0.1:7171", flags, List);
  AddAction(model, invocation, "compare",
            "How each version would have done on the latest events, beside the weights in use.",
            "weft model compare\nweft model compare --json", flags, Compare);
  AddNote(AddAction(model, invocation, "keep", "Keep the weights in use as a version.",
                    "weft model keep --note 'before the campaign'", flags, Keep),
          flags);
  Command import = AddAction(model, invocation, "import",
                             "Keep the weights of a file of `weft train links` as a version.",
                             "weft model import links.weft --note 'trained on May'", flags, Import);
  import.AddOption("FILE", flags->file, "The model file").Required();
  AddNote(import, flags);
  Command exported =
      AddAction(model, invocation, "export", "Write the weights of a version to a model file.",
                "weft model export 7 links.weft\nweft model export 0 in_use.weft", flags, Export);
  AddNumber(exported, flags, "Number of the version; 0 for the weights in use");
  exported.AddOption("FILE", flags->file, "The model file").Required();
  AddNumber(AddAction(model, invocation, "promote",
                      "Put the weights of a version in use; learning goes on from them.",
                      "weft model promote 7", flags, Promote),
            flags, "Number of the version");
  AddAction(model, invocation, "rollback",
            "Take back what the latest activation replaced, also one of the drift guard.",
            "weft model rollback", flags, RollBack);
  AddNumber(AddAction(model, invocation, "drop", "Forget a version that was kept or imported.",
                      "weft model drop 7", flags, Drop),
            flags, "Number of the version");
}

}  // namespace weft::deploy
