// Graph specs: no text may crash the parser or the validation, and what is accepted is a fixed
// point: its digest does not change when the parsed spec is printed and parsed again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "google/protobuf/text_format.h"
#include "graph/check.h"
#include "graph/graph_spec.h"
#include "tests/harness/test_operators.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using weft::graph::ParsedSpec;
  const weft::graph::Catalog& catalog = weft::tests::TestCatalog();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = ParsedSpec::Parse(text, "fuzz.pbtxt", catalog);
  if (!spec.ok()) {
    WEFT_CHECK(spec.status().code() == absl::StatusCode::kInvalidArgument);
    WEFT_CHECK(!spec.status().message().empty());
    return 0;
  }
  for (int i = 0; i < static_cast<int>(spec->nodes().size()); ++i) {
    WEFT_CHECK(spec->OptionLocation(i, "slots[0].width").line >= 0);
  }
  std::string printed;
  WEFT_CHECK(google::protobuf::TextFormat::PrintToString(spec->proto(), &printed));
  const auto again = ParsedSpec::Parse(printed, "fuzz.pbtxt", catalog);
  WEFT_CHECK_OK(again.status());
  WEFT_CHECK(again->digest() == spec->digest());
  return 0;
}
