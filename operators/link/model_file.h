// Model files: what a LinkModel has learned, without any trace of events. `weft train links --out`
// writes them, `weft serve --model` and the option `model_file` of `nat` start from them.
//
// Bytes, little-endian: "WEFTMODL"; u32 format (1); u32 name length, name ("nat"); u32 section
// count; for each section u32 name length, name, u64 length, bytes; XXH3-64 of everything before
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/link/link_model.h"
#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {

// Writes beside `path` and renames, so that a reader sees the old file or the whole new one. Errors
// name the path.
absl::Status WriteModelFile(const std::string& path, const LinkModel& model);

// The same of bytes that EncodeModel made.
absl::Status WriteModelBytes(const std::string& path, std::string_view bytes);

// Puts the file's weights into `model`. NOT_FOUND without the file, DATA_LOSS for a damaged one,
// FAILED_PRECONDITION for another format version, another model or other dimensions; each message
// starts with the path. The model keeps its weights then.
absl::Status ReadModelFile(const std::string& path, LinkModel& model);

// The same for a file's bytes; messages start with `source_name`.
absl::Status ReadModelBytes(std::string_view source_name, std::string_view bytes, LinkModel& model);

// The bytes of a file with such sections, and the sections of such bytes of a model of that name.
std::string EncodeModel(std::string_view model_name, const MemoryCheckpoint& sections);
absl::StatusOr<MemoryCheckpoint> DecodeModel(std::string_view source_name, std::string_view bytes,
                                             std::string_view model_name);

// Name of the model in the file, after the same checks but for the dimensions.
absl::StatusOr<std::string> ModelFileName(const std::string& path);

// XXH3-64 of the file as 16 hexadecimal digits, for the graph spec: the same spec, the same
// weights.
absl::StatusOr<std::string> ModelFileDigest(const std::string& path);

}  // namespace weft::operators::link
