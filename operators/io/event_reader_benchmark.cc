// Reading events: rows and bytes per CPU-second, from memory. The files are those of the folder
// $WEFT_DATA/graphs; where one is absent, rows of its shape are generated.
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include <benchmark/benchmark.h>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/event_reader.h"
#include "operators/io/node_table.h"

namespace weft::operators::io {
namespace {

constexpr int kGeneratedRows = 200'000;

struct Shape {
  const char* file;
  int node_count;
  std::int64_t first_second;
  const char* key_prefix;  // of the keys that are generated
};
constexpr Shape kWikipedia{"wikipedia.csv", 9'000, 0, ""};
constexpr Shape kMathOverflow{"mathoverflow.csv", 25'000, 1'254'192'988, ""};
constexpr Shape kTextKeys{"", 25'000, 1'254'192'988, "user-"};

std::string Generated(const Shape& shape) {
  std::mt19937_64 random(1);
  const auto node = [&] { return random() % static_cast<std::uint64_t>(shape.node_count); };
  std::string text = "src,dst,ts,label\n";
  std::int64_t second = shape.first_second;
  for (int i = 0; i < kGeneratedRows; ++i) {
    second += static_cast<std::int64_t>(random() % 500);
    text +=
        graph::Concat(shape.key_prefix, node(), ",", shape.key_prefix, node(), ",", second, ",0\n");
  }
  return text;
}

std::string CsvOf(const Shape& shape) {
  const char* folder = std::getenv("WEFT_DATA");
  std::stringstream text;
  if (folder != nullptr)
    text << std::ifstream(graph::Concat(folder, "/graphs/", shape.file)).rdbuf();
  return text.str().empty() ? Generated(shape) : text.str();
}

// `columns`: src, dst, ts, label.
void AppendJson(const std::string (&columns)[4], std::string& text) {
  text += graph::Concat("{\"src\": \"", columns[0], "\", \"dst\": \"", columns[1],
                        "\", \"ts\": ", columns[2], ", \"label\": ", columns[3], "}\n");
}

std::string JsonLinesOf(const Shape& shape) {
  std::istringstream rows(CsvOf(shape));
  std::string line, text;
  std::getline(rows, line);
  while (std::getline(rows, line)) {
    std::istringstream fields(line);
    std::string columns[4];
    for (std::string& column : columns) std::getline(fields, column, ',');
    AppendJson(columns, text);
  }
  return text;
}

ByteSource BytesOf(const std::string& text) {
  return [rest = std::string_view(text)](
             std::span<char> buffer) mutable -> absl::StatusOr<std::size_t> {
    const std::size_t count = rest.copy(buffer.data(), buffer.size());
    rest.remove_prefix(count);
    return count;
  };
}

// With `number_keys` the keys become node ids as well.
void Read(benchmark::State& state, const std::string& text, bool number_keys) {
  std::int64_t row_count = 0;
  for (auto _ : state) {
    const auto reader = EventReader::Open("benchmark", BytesOf(text), {});
    WEFT_CHECK_OK(reader.status());
    NodeTable nodes;
    for (;;) {
      const absl::StatusOr<const EventRows*> rows = (*reader)->Next(8192);
      WEFT_CHECK_OK(rows.status());
      if ((*rows)->size() == 0) break;
      row_count += (*rows)->size();
      if (!number_keys) continue;
      for (const std::string_view key : (*rows)->source) nodes.FindOrAdd(key);
      for (const std::string_view key : (*rows)->target) nodes.FindOrAdd(key);
    }
  }
  state.SetItemsProcessed(row_count);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void BM_ReadCsv(benchmark::State& state, const Shape& shape) { Read(state, CsvOf(shape), false); }
BENCHMARK_CAPTURE(BM_ReadCsv, wikipedia, kWikipedia);
BENCHMARK_CAPTURE(BM_ReadCsv, mathoverflow, kMathOverflow);
BENCHMARK_CAPTURE(BM_ReadCsv, text_keys, kTextKeys);

void BM_ReadCsvAndNumberNodes(benchmark::State& state, const Shape& shape) {
  Read(state, CsvOf(shape), true);
}
BENCHMARK_CAPTURE(BM_ReadCsvAndNumberNodes, mathoverflow, kMathOverflow);
BENCHMARK_CAPTURE(BM_ReadCsvAndNumberNodes, text_keys, kTextKeys);

void BM_ReadJsonLines(benchmark::State& state, const Shape& shape) {
  Read(state, JsonLinesOf(shape), false);
}
BENCHMARK_CAPTURE(BM_ReadJsonLines, wikipedia, kWikipedia);
BENCHMARK_CAPTURE(BM_ReadJsonLines, mathoverflow, kMathOverflow);
BENCHMARK_CAPTURE(BM_ReadJsonLines, text_keys, kTextKeys);

}  // namespace
}  // namespace weft::operators::io
