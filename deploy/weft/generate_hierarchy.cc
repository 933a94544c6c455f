#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include "deploy/weft/data_command.h"
#include "deploy/weft/text_file.h"
#include "graph/text.h"
#include "operators/hierarchy/planted_hierarchy.h"
#include "operators/io/time_text.h"

namespace weft::deploy {
namespace {

using operators::hierarchy::PlantedHierarchy;
using operators::hierarchy::PlantedHierarchyOptions;

struct Flags {
  PlantedHierarchyOptions options;
  std::string out;
  std::string truth;
  bool json = false;
};

// They are made in memory, 16 bytes each.
constexpr double kMostEvents = 100'000'000;

// Seconds with microseconds, as the readers take them.
void WriteTime(std::FILE* to, graph::TimeUs time_us) {
  std::fprintf(to, "%" PRId64 ".%06" PRId64, time_us / graph::kMicrosecondsPerSecond,
               time_us % graph::kMicrosecondsPerSecond);
}

int Generate(const Flags& flags) {
  const double events = flags.options.interactions * static_cast<double>(flags.options.snapshots);
  if (events > kMostEvents) {
    return Fail(graph::Concat("expected at most ", static_cast<std::int64_t>(kMostEvents),
                              " events of --snapshots times --interactions, got ",
                              static_cast<std::int64_t>(events)),
                kUsage);
  }
  const PlantedHierarchy made = operators::hierarchy::MakePlantedHierarchy(flags.options);
  const int wrote = WriteTextFile(flags.out, [&](std::FILE* to) {
    std::fputs("src,dst,ts\n", to);
    for (std::size_t i = 0; i < made.events.source.size(); ++i) {
      std::fprintf(to, "%u,%u,", made.events.source[i], made.events.target[i]);
      WriteTime(to, made.events.time_us[i]);
      std::fputc('\n', to);
    }
  });
  if (wrote != kOk) return wrote;
  if (!flags.truth.empty()) {
    const int told = WriteTextFile(flags.truth, [&](std::FILE* to) {
      std::fputs("time,level\n", to);
      for (const std::int64_t snapshot : made.fine) {
        WriteTime(to, snapshot * flags.options.snapshot_us);
        const bool coarse = std::ranges::binary_search(made.coarse, snapshot);
        std::fprintf(to, ",%d\n", coarse ? 2 : 1);
      }
    });
    if (told != kOk) return told;
  }
  if (flags.json) {
    const nlohmann::ordered_json json = {{"schema_version", 1},
                                         {"events", made.events.size()},
                                         {"snapshots", flags.options.snapshots},
                                         {"fine_boundaries", made.fine.size()},
                                         {"coarse_boundaries", made.coarse.size()}};
    std::printf("%s\n", json.dump().c_str());
    return kOk;
  }
  std::printf(
      "%zu events in %" PRId64 " snapshots of 1s; %zu fine boundaries, %zu of them coarse\n",
      made.events.source.size(), flags.options.snapshots, made.fine.size(), made.coarse.size());
  return kOk;
}

}  // namespace

void AddGenerateData(Command data, Invocation& invocation) {
  const Command generate =
      data.AddCommand("generate", "Make up events of which the truth is known.",
                      "weft data generate hierarchy --out events.csv --truth "
                      "truth.csv");
  generate.RequireCommand();
  const Command command = generate.AddCommand(
      "hierarchy", "Interactions in episodes: who is busy, within who belongs together.",
      "weft data generate hierarchy --out events.csv --truth truth.csv --seed 1\n"
      "weft eval segments events.csv --truth truth.csv");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--out", flags->out, "The CSV file of events to write").Required();
  command.AddOption("--truth", flags->truth, "The CSV file of boundaries to write");
  command.AddOption("--seed", flags->options.seed, "Of all draws (1)");
  command.AddOption("--snapshots", flags->options.snapshots, "How many, a second each (4000)")
      .Between(1L, 100'000'000L);
  command.AddOption("--nodes", flags->options.nodes, "How many interact (20)")
      .Between(5, 1'000'000);
  command
      .AddOption("--interactions", flags->options.interactions, "Of a snapshot, in the mean (12)")
      .Between(0.0, 10'000.0);
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  command.Runs(invocation, [flags] { return Generate(*flags); });
}

}  // namespace weft::deploy
