#include "deploy/weft/graph_file.h"

#include "graph/check.h"
#include "graph/text.h"
#include "operators/catalog.h"
#include "operators/io/event_reader.h"

namespace weft::deploy {

absl::StatusOr<std::string> ReadTextFile(const std::string& path, std::size_t max_bytes) {
  WEFT_ASSIGN(const operators::io::OpenedFile file, operators::io::OpenFile(path));
  std::string text;
  std::string block(64 << 10, '\0');
  for (;;) {
    WEFT_ASSIGN(const std::size_t count, file.bytes(block));
    if (count == 0) return text;
    text.append(block, 0, count);
    if (text.size() > max_bytes) {
      return absl::InvalidArgumentError(
          graph::Concat(path, ": expected at most ", max_bytes, " bytes, got more"));
    }
  }
}

absl::StatusOr<graph::ParsedSpec> ReadGraphFile(const std::string& path) {
  WEFT_ASSIGN(const std::string text, ReadTextFile(path, graph::kSpecBytesMax));
  return graph::ParsedSpec::Parse(text, path, operators::OperatorCatalog());
}

}  // namespace weft::deploy
