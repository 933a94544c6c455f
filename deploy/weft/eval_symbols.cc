#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "deploy/weft/eval_command.h"
#include "graph/text.h"
#include "operators/io/series_reader.h"
#include "operators/learn/process_cost.h"
#include "operators/sequence/symbol_evaluation.h"

namespace weft::deploy {
namespace {

using nlohmann::ordered_json;
using operators::sequence::SymbolOptions;
using operators::sequence::SymbolResult;
using operators::sequence::SymbolRow;

struct Flags {
  std::string path;
  SymbolOptions options;
  bool json = false;
};

// The rows that are scored: those with a target that a column next_is_end marks; without one every
// row's successor.
std::vector<SymbolRow> RowsOf(std::vector<std::vector<std::int64_t>> columns) {
  const auto& symbol = columns[0];
  const auto& target = columns[1];
  const auto& marked = columns[2];
  std::vector<SymbolRow> rows;
  rows.reserve(symbol.size());
  for (std::size_t i = 0; i < symbol.size(); ++i) {
    SymbolRow row{.symbol = symbol[i]};
    if (!target.empty()) {
      if (marked.empty() || marked[i] != 0) row.target = target[i];
    } else if (i + 1 < symbol.size()) {
      row.target = symbol[i + 1];
    }
    rows.push_back(row);
  }
  return rows;
}

int Evaluate(const Flags& flags) {
  auto columns = operators::io::LoadIntegers(flags.path, {"symbol", "target?", "next_is_end?"});
  if (!columns.ok()) return FailOnInput(columns.status());
  const std::vector<SymbolRow> rows = RowsOf(*std::move(columns));
  const double begin = operators::learn::ProcessCpuSeconds();
  const SymbolResult result = operators::sequence::EvaluateSymbols(rows, flags.options);
  const double seconds = operators::learn::ProcessCpuSeconds() - begin;
  const double rate = static_cast<double>(rows.size()) / std::max(seconds, 1e-9);
  ordered_json accuracy = ordered_json::array();
  for (const SymbolResult::Part& part : result.parts) {
    if (part.scored == 0) {
      accuracy.push_back(nullptr);
    } else {
      accuracy.push_back(static_cast<double>(part.right) / static_cast<double>(part.scored));
    }
  }
  if (!flags.json) {
    std::printf("%s: %zu elements, right of the scored ones in each 1,000:\n", flags.path.c_str(),
                rows.size());
    for (const auto& one : accuracy)
      std::printf("  %s\n",
                  one.is_null() ? "nothing scored" : graph::Concat(one.get<double>()).c_str());
    std::printf("%" PRId64 " segments, %" PRId64 " synapses, %.0f elements a CPU-second\n",
                result.segments, result.synapses, rate);
    return kOk;
  }
  const ordered_json object = {{"schema_version", 1},
                               {"input", flags.path},
                               {"elements", rows.size()},
                               {"predictions", flags.options.predictions},
                               {"accuracy_per_1000", accuracy},
                               {"elements_per_cpu_second", rate},
                               {"segments", result.segments},
                               {"synapses", result.synapses},
                               {"peak_rss_bytes", operators::learn::PeakResidentBytes()}};
  std::printf("%s\n", object.dump().c_str());
  return kOk;
}

}  // namespace

void AddEvalSymbols(Command eval, Invocation& invocation) {
  const Command symbols = eval.AddCommand(
      "symbols", "How well a temporal memory predicts the next symbol of a stream.",
      "weft eval symbols stream.csv --predictions 1\n"
      "weft eval symbols stream.csv --json                     # docs/json/eval_symbols");
  auto flags = std::make_shared<Flags>();
  symbols
      .AddOption("FILE", flags->path,
                 "CSV with a column symbol, perhaps target and next_is_end; - is stdin")
      .Required();
  symbols.AddOption("--predictions", flags->options.predictions, "Symbols that may be named (1)")
      .Between(1L, 1000L);
  symbols.AddOption("--seed", flags->options.seed, "Of the codes and the memory (0)");
  symbols.AddOption("--kill-at", flags->options.kill_at,
                    "Element before which cells die and learning ends");
  symbols.AddOption("--kill-share", flags->options.kill_share, "Of the cells (0)")
      .Between(0.0, 1.0);
  symbols.AddFlag("--json", flags->json, "One JSON object on stdout");
  symbols.Runs(invocation, [flags] { return Evaluate(*flags); });
}

}  // namespace weft::deploy
