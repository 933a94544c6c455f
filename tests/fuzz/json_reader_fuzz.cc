#include "tests/fuzz/event_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weft::fuzz::ReadInPiecesAndInOne(weft::operators::io::FileFormat::kJson, data, size);
  return 0;
}
