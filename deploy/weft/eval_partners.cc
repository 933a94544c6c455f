#include <array>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "deploy/weft/eval_command.h"
#include "deploy/weft/snapshot_flags.h"
#include "deploy/weft/text_file.h"
#include "operators/hierarchy/partner_evaluation.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::hierarchy::kPartnerMixes;
using operators::hierarchy::kPastStretches;
using operators::hierarchy::NameOf;
using operators::hierarchy::PartnerMix;
using operators::hierarchy::PartnerMoment;
using operators::hierarchy::PartnerOptions;
using operators::hierarchy::PartnerResult;
using operators::hierarchy::PastStretch;

struct Flags {
  std::string path;
  SnapshotFlags snapshots;
  std::string every = "10s", horizon = "10s";
  std::string moments;
  bool json = false;
  InputFlags input;
};

int WriteMoments(const std::string& path, const PartnerResult& result) {
  return WriteTextFile(path, [&result](std::FILE* file) {
    std::fprintf(file, "now_us,nodes,windows,hierarchy,both\n");
    for (const PartnerMoment& moment : result.moments) {
      std::fprintf(file, "%" PRId64 ",%" PRId64, moment.now_us, moment.nodes);
      for (const std::int64_t hits : moment.by_mix) std::fprintf(file, ",%" PRId64, hits);
      std::fprintf(file, "\n");
    }
  });
}

// The shares of nodes whose target was named.
struct Shares {
  explicit Shares(const PartnerResult& result) {
    for (const PartnerMoment& moment : result.moments) {
      nodes += moment.nodes;
      for (std::size_t s = 0; s < kPastStretches; ++s) stretch[s] += moment.by_stretch[s];
      for (std::size_t m = 0; m < kPartnerMixes; ++m) mix[m] += moment.by_mix[m];
    }
  }
  double Of(std::int64_t hits) const {
    return nodes == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(nodes);
  }
  std::int64_t nodes = 0;
  std::array<std::int64_t, kPastStretches> stretch = {};
  std::array<std::int64_t, kPartnerMixes> mix = {};
};

void PrintTable(const Flags& flags, const PartnerResult& result, const Shares& shares) {
  std::printf("%s: whom each node is busy with most in the next %s, %" PRId64 " cases\n",
              flags.path.c_str(), flags.horizon.c_str(), shares.nodes);
  for (std::size_t m = 0; m < kPartnerMixes; ++m)
    std::printf("  mix %-16s %.4f\n", std::string(NameOf(static_cast<PartnerMix>(m))).c_str(),
                shares.Of(shares.mix[m]));
  std::printf("  alone                       weight in the mixes\n");
  for (std::size_t s = 0; s < kPastStretches; ++s) {
    std::printf("  %-20s %.4f", std::string(NameOf(static_cast<PastStretch>(s))).c_str(),
                shares.Of(shares.stretch[s]));
    for (const auto& weight : result.weight) std::printf("  %.3f", weight[s]);
    std::printf("\n");
  }
}

int Run(const Flags& flags) {
  PartnerOptions options;
  const auto snapshots = SnapshotOptionsFrom(flags.snapshots);
  if (!snapshots.ok()) return Fail(snapshots.status(), kUsage);
  const auto every_us = DurationFlag("--every", flags.every);
  if (!every_us.ok()) return Fail(every_us.status(), kUsage);
  const auto horizon_us = DurationFlag("--horizon", flags.horizon);
  if (!horizon_us.ok()) return Fail(horizon_us.status(), kUsage);
  options.snapshots = *snapshots;
  options.leaf = LeafOptionsFrom(flags.snapshots);
  options.every_us = *every_us;
  options.horizon_us = *horizon_us;
  operators::io::EventFile file;
  if (const int code = ReadEvalFile(flags.path, flags.input, file); code != kOk) return code;
  if (file.events.size() == 0) return Fail(flags.path + ": expected events, got none", kInputData);
  const PartnerResult result = operators::hierarchy::EvaluatePartners(file.events, options);
  if (!flags.moments.empty())
    if (const int code = WriteMoments(flags.moments, result); code != kOk) return code;
  const Shares shares(result);
  if (!flags.json) {
    PrintTable(flags, result, shares);
    return kOk;
  }
  ordered_json mixes = ordered_json::array(), stretches = ordered_json::array();
  for (std::size_t m = 0; m < kPartnerMixes; ++m) {
    ordered_json weights;
    for (std::size_t s = 0; s < kPastStretches; ++s)
      weights[std::string(NameOf(static_cast<PastStretch>(s)))] = result.weight[m][s];
    mixes.push_back({{"name", NameOf(static_cast<PartnerMix>(m))},
                     {"accuracy", shares.Of(shares.mix[m])},
                     {"weights", weights}});
  }
  for (std::size_t s = 0; s < kPastStretches; ++s)
    stretches.push_back({{"name", NameOf(static_cast<PastStretch>(s))},
                         {"accuracy", shares.Of(shares.stretch[s])}});
  const ordered_json object = {{"schema_version", 1},
                               {"input", flags.path},
                               {"events", file.events.size()},
                               {"nodes", file.nodes.size()},
                               {"moments", result.moments.size()},
                               {"cases", shares.nodes},
                               {"every_us", *every_us},
                               {"horizon_us", *horizon_us},
                               {"mixes", mixes},
                               {"stretches", stretches}};
  std::printf("%s\n", object.dump().c_str());
  return kOk;
}

}  // namespace

void AddEvalPartners(Command eval, Invocation& invocation) {
  const Command partners = eval.AddCommand(
      "partners", "How well it is known with whom each node will be busy, by windows and episodes.",
      "weft eval partners events.csv --snapshot 1s\n"
      "weft eval partners events.csv --json                    # docs/json/eval_partners");
  auto flags = std::make_shared<Flags>();
  partners.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  AddSnapshotFlags(partners, flags->snapshots);
  partners.AddOption("--every", flags->every, "Time between two forecasts (10s)");
  partners.AddOption("--horizon", flags->horizon, "Busy within this time (10s)");
  partners.AddOption("--moments", flags->moments,
                     "Write the counts of each moment to this CSV file");
  partners.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(partners, flags->input);
  partners.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
