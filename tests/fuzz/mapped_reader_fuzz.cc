#include "operators/io/mapped_reader.h"
#include "tests/fuzz/event_reader.h"

namespace {

// Every kind of rule.
constexpr const char* kMapping = R"(
  time: "t"
  time_unit: "us"
  time_scale: 333333
  event { source: "{a}" target: "{b|t}" when { column: "b" differs: "-" } }
  event { source: "{before}" target: "{after}" split { column: "a" at: ": " } }
  event { source: "{previous}" target: "{a}" on_change: "{a}" when { column: "b" equals: "x" } }
  event { matrix: "{source}_TO_{target}" }
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto mapping = weft::operators::io::ParseInputMapping(kMapping, "mapping").value();
  weft::fuzz::ReadInPiecesAndInOne(weft::operators::io::FileFormat::kCsv, data, size, mapping);
  return 0;
}
