#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include <nlohmann/json.hpp>
#include <tbb/global_control.h>

#include "deploy/weft/command.h"
#include "deploy/weft/input_flags.h"
#include "deploy/weft/progress.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/load_events.h"
#include "operators/link/link_models.h"
#include "operators/link/link_training.h"
#include "operators/link/model_file.h"
#include "operators/link/pooled_training.h"
#include "operators/link/time_split.h"

namespace weft::deploy {
namespace {

using operators::link::LinkPart;
using operators::link::LinkTrainingResult;

struct Flags {
  std::vector<std::string> paths;
  std::string model = "weft";
  std::string out;
  std::int32_t epochs = 3;
  std::uint64_t seed = 1;
  std::int32_t threads = 1;
  std::int32_t batch = 32;
  bool json = false;
  InputFlags input;
};

// The part of the times that is trained on; the rest says which epoch was the best.
constexpr double kTrainQuantile = 0.85;

struct Trained {
  LinkTrainingResult result;
  std::int64_t parameters = 0;
  std::int64_t train_events = 0;
  std::int64_t validation_events = 0;

  double EventsPerCpuSecond() const {
    const auto epochs = static_cast<double>(result.validation_ap.size());
    return epochs * static_cast<double>(train_events) / std::max(result.train_cpu_seconds, 1e-9);
  }
};

absl::StatusOr<Trained> Train(const Flags& flags, const operators::io::EventFile& file) {
  // There is no test part: the model is for the events that follow the file.
  const auto& events = file.events;
  const operators::link::TimeSplit split =
      operators::link::SplitByTime(events.time_us, kTrainQuantile, 1.0);
  if (split.validation == 0 || split.validation == split.end) {
    return absl::InvalidArgumentError(graph::Concat(
        flags.paths.front(), ": expected events to train on and to validate with, got ",
        split.validation, " and ", split.end - split.validation));
  }
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<std::size_t>(flags.threads));
  WEFT_ASSIGN(const auto factory, operators::link::FindLinkModel(flags.model));
  operators::link::LinkModelRequest request;
  request.seed = flags.seed;
  request.node_count = file.nodes.size();
  request.event_count = events.size();
  request.feature_count = events.feature_count;
  request.batch = flags.batch;
  request.threads = flags.threads;
  request.learns = true;
  WEFT_ASSIGN(const auto model, factory(request));
  if (model->parameter_count() == 0) {
    return absl::InvalidArgumentError(
        graph::Concat("--model: expected a model that learns, got ", flags.model));
  }
  operators::link::NegativeTargets negatives(events);
  LinkPart train{.events = &events, .begin = 0, .end = split.validation};
  LinkPart validation{.events = &events, .begin = split.validation, .end = split.end};
  for (LinkPart* part : {&train, &validation}) {
    negatives.AddTargets(part->begin, part->end);
    part->pool_size = negatives.pool_size();
  }
  ProgressBar bar;
  operators::link::LinkStream stream(*model, negatives, flags.batch,
                                     [&bar](std::string_view phase, std::int64_t done,
                                            std::int64_t total) { bar.Show(phase, done, total); });
  operators::link::LinkTrainingOptions options;
  options.seed = flags.seed;
  options.epochs = flags.epochs;
  Trained trained;
  trained.parameters = model->parameter_count();
  trained.train_events = train.size();
  trained.validation_events = validation.size();
  WEFT_ASSIGN(trained.result, TrainLinkModel(*model, stream, train, validation, options));
  WEFT_TRY(operators::link::WriteModelFile(flags.out, *model));
  return trained;
}

void Print(const Flags& flags, const Trained& trained, const std::string& digest) {
  const LinkTrainingResult& result = trained.result;
  const double best = result.validation_ap[static_cast<std::size_t>(result.best_epoch)];
  if (flags.json) {
    const nlohmann::ordered_json object = {
        {"schema_version", 1},
        {"input", flags.paths.front()},
        {"model", flags.model},
        {"out", flags.out},
        {"digest", digest},
        {"parameters", trained.parameters},
        {"seed", flags.seed},
        {"batch", flags.batch},
        {"threads", flags.threads},
        {"train_events", trained.train_events},
        {"validation_events", trained.validation_events},
        {"validation_ap", result.validation_ap},
        {"best_epoch", result.best_epoch + 1},
        {"best_validation_ap", best},
        {"train_cpu_seconds", result.train_cpu_seconds},
        {"train_events_per_cpu_second", trained.EventsPerCpuSecond()}};
    std::printf("%s\n", object.dump().c_str());
    return;
  }
  std::printf("%s: %s, %" PRId64 " parameters, digest %s\n", flags.out.c_str(), flags.model.c_str(),
              trained.parameters, digest.c_str());
  std::printf("validation AP %.4f after epoch %d of %zu; %.0f events a CPU second\n", best,
              result.best_epoch + 1, result.validation_ap.size(), trained.EventsPerCpuSecond());
}

int RunPooled(const Flags& flags, const std::vector<operators::io::EventFile>& files) {
  const auto factory = operators::link::FindLinkModel(flags.model);
  std::vector<operators::link::PooledFile> pooled;
  for (const auto& file : files) pooled.push_back({&file.events, file.nodes.size()});
  ProgressBar bar;
  operators::link::PooledTrainingOptions options;
  options.training.seed = flags.seed;
  options.training.epochs = flags.epochs;
  options.batch = flags.batch;
  options.progress = [&bar](std::string_view phase, std::int64_t done, std::int64_t total) {
    bar.Show(phase, done, total);
  };
  const auto trained = operators::link::TrainOnFiles(*factory, pooled, options);
  if (!trained.ok()) return FailOnInput(trained.status());
  if (const auto written = operators::link::WriteModelFile(flags.out, *trained->model);
      !written.ok())
    return FailOnInput(written);
  const auto digest = operators::link::ModelFileDigest(flags.out);
  if (!digest.ok()) return Fail(digest.status());
  const double rate =
      static_cast<double>(trained->train_events) / std::max(trained->train_cpu_seconds, 1e-9);
  if (flags.json) {
    const nlohmann::ordered_json object = {{"schema_version", 1},
                                           {"inputs", flags.paths},
                                           {"model", flags.model},
                                           {"out", flags.out},
                                           {"digest", *digest},
                                           {"parameters", trained->model->parameter_count()},
                                           {"seed", flags.seed},
                                           {"batch", flags.batch},
                                           {"threads", flags.threads},
                                           {"train_events", trained->train_events},
                                           {"train_cpu_seconds", trained->train_cpu_seconds},
                                           {"train_events_per_cpu_second", rate}};
    std::printf("%s\n", object.dump().c_str());
  } else {
    std::printf("%s: %s from %zu files, digest %s; %.0f events a CPU second\n", flags.out.c_str(),
                flags.model.c_str(), files.size(), digest->c_str(), rate);
  }
  return kOk;
}

int Run(const Flags& flags) {
  if (const auto factory = operators::link::FindLinkModel(flags.model); !factory.ok()) {
    return Fail(graph::Concat("--model: ", factory.status().message()), kUsage);
  }
  const auto read_options = ReadOptionsFrom(flags.input);
  if (!read_options.ok()) return Fail(read_options.status(), kUsage);
  std::vector<operators::io::EventFile> files;
  for (const std::string& path : flags.paths) {
    auto file = operators::io::LoadEvents(path, *read_options);
    if (!file.ok()) return FailOnInput(file.status());
    PrintNotes(path, file->report);
    files.push_back(*std::move(file));
  }
  const tbb::global_control threads(tbb::global_control::max_allowed_parallelism,
                                    static_cast<std::size_t>(flags.threads));
  if (files.size() > 1) return RunPooled(flags, files);
  const auto trained = Train(flags, files.front());
  if (!trained.ok()) return FailOnInput(trained.status());
  const auto digest = operators::link::ModelFileDigest(flags.out);
  if (!digest.ok()) return Fail(digest.status());
  Print(flags, *trained, *digest);
  return kOk;
}

}  // namespace

void AddTrainCommand(Command root, Invocation& invocation) {
  Command train = root.AddCommand("train", "Train a model on a file of events.",
                                  "weft train links events.csv --out model.weft");
  train.RequireCommand();
  Command command =
      train.AddCommand("links", "Train a link predictor and write its weights.",
                       "weft train links events.csv --out model.weft\n"
                       "weft train links events.csv --out model.weft --epochs 10 --json\n"
                       "weft train links a.csv b.csv c.csv --out model.weft  # one model "
                       "of several streams\n"
                       "weft serve --data-dir data --model model.weft");
  auto flags = std::make_shared<Flags>();
  command
      .AddOption("FILE", flags->paths,
                 "CSV or JSON events; - is stdin. Of several files all events are trained on")
      .Required();
  command.AddOption("--out", flags->out, "The model file to write").Required();
  command.AddOption("--model", flags->model, "What to train");
  command.AddOption("--epochs", flags->epochs, "Passes over the train part").Between(1, 10'000);
  command.AddOption("--seed", flags->seed, "Of weights and negatives");
  command.AddOption("--threads", flags->threads, "For kernels").Between(1, 1024);
  command.AddOption("--batch", flags->batch, "Events that read the same state").Between(1, 4096);
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(command, flags->input);
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
