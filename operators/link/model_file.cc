#include "operators/link/model_file.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <xxhash.h>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/memory_checkpoint.h"

namespace weft::operators::link {
namespace {

constexpr std::string_view kMagic = "WEFTMODL";
constexpr std::uint32_t kFormat = 1;
// A file larger than this is not a model.
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;

template <class T>
void AppendNumber(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void AppendName(std::string& bytes, std::string_view name) {
  AppendNumber(bytes, static_cast<std::uint32_t>(name.size()));
  bytes.append(name);
}

// Takes pieces from the front of what is left.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  bool Number(T& number) {
    if (bytes_.size() < sizeof(number)) return false;
    std::memcpy(&number, bytes_.data(), sizeof(number));
    bytes_.remove_prefix(sizeof(number));
    return true;
  }
  bool Bytes(std::uint64_t size, std::string_view& piece) {
    if (bytes_.size() < size) return false;
    piece = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }
  bool Name(std::string_view& name) {
    std::uint32_t size = 0;
    return Number(size) && Bytes(size, name);
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return absl::NotFoundError(graph::Concat(path, ": ", error.message()));
  if (size > kMaxBytes)
    return absl::DataLossError(
        graph::Concat(path, ": expected a model of at most ", kMaxBytes, " bytes, got ", size));
  std::ifstream in(path, std::ios::binary);
  std::string bytes(size, '\0');
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size)))
    return absl::NotFoundError(graph::Concat(path, ": cannot be read"));
  return bytes;
}

absl::Status Damaged(std::string_view path, std::string_view what) {
  return absl::DataLossError(graph::Concat(path, ": damaged model file: ", what));
}

// Checks what surrounds the sections. `name` and `reader`, which is left at the first section, view
// `whole`.
absl::Status ReadHeader(std::string_view path, std::string_view whole, std::string_view& name,
                        Reader& reader) {
  std::uint64_t checksum = 0;
  if (!whole.starts_with(kMagic) || whole.size() < kMagic.size() + sizeof(checksum))
    return absl::DataLossError(
        graph::Concat(path, ": expected a weft model file, got something else"));
  const std::string_view body = whole.substr(0, whole.size() - sizeof(checksum));
  reader = Reader(body.substr(kMagic.size()));
  std::uint32_t format = 0;
  if (!reader.Number(format)) return Damaged(path, "it ends in the header");
  if (format != kFormat)
    return absl::FailedPreconditionError(
        graph::Concat(path, ": expected model file format ", kFormat, ", got ", format));
  std::memcpy(&checksum, whole.data() + body.size(), sizeof(checksum));
  if (checksum != XXH3_64bits(body.data(), body.size()))
    return Damaged(path, "its checksum does not fit");
  return reader.Name(name) ? absl::OkStatus() : Damaged(path, "it ends in the header");
}

// Fills `sections` from the part of the file after its header.
absl::Status ReadSections(std::string_view path, Reader& reader, MemoryCheckpoint& sections) {
  std::uint32_t count = 0;
  if (!reader.Number(count)) return Damaged(path, "it ends in the header");
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view name, bytes;
    std::uint64_t size = 0;
    if (!reader.Name(name) || !reader.Number(size) || !reader.Bytes(size, bytes))
      return Damaged(path, graph::Concat("it ends in section ", i + 1, " of ", count));
    WEFT_TRY(sections.Write(name, std::as_bytes(std::span(bytes.data(), bytes.size()))));
  }
  return reader.empty() ? absl::OkStatus() : Damaged(path, "bytes follow the last section");
}

}  // namespace

std::string EncodeModel(std::string_view model_name, const MemoryCheckpoint& sections) {
  std::string bytes(kMagic);
  AppendNumber(bytes, kFormat);
  AppendName(bytes, model_name);
  AppendNumber(bytes, static_cast<std::uint32_t>(sections.sections().size()));
  for (const auto& [name, section] : sections.sections()) {
    AppendName(bytes, name);
    AppendNumber(bytes, static_cast<std::uint64_t>(section.size()));
    bytes.append(section);
  }
  AppendNumber(bytes, static_cast<std::uint64_t>(XXH3_64bits(bytes.data(), bytes.size())));
  return bytes;
}

absl::StatusOr<MemoryCheckpoint> DecodeModel(std::string_view source_name, std::string_view bytes,
                                             std::string_view model_name) {
  std::string_view name;
  Reader reader(bytes);
  WEFT_TRY(ReadHeader(source_name, bytes, name, reader));
  if (name != model_name)
    return absl::FailedPreconditionError(
        graph::Concat(source_name, ": expected a model of ", model_name, ", got one of ", name));
  MemoryCheckpoint sections;
  WEFT_TRY(ReadSections(source_name, reader, sections));
  return sections;
}

absl::Status WriteModelFile(const std::string& path, const LinkModel& model) {
  MemoryCheckpoint sections;
  WEFT_TRY(model.SaveWeights(sections));
  return WriteModelBytes(path, EncodeModel(model.name(), sections));
}

absl::Status WriteModelBytes(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".partial";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(beside, path, error);
  if (!out || error) {
    const std::string reason = error ? error.message() : std::strerror(errno);
    std::filesystem::remove(beside, error);
    return absl::InvalidArgumentError(graph::Concat(path, ": cannot be written: ", reason));
  }
  return absl::OkStatus();
}

absl::Status ReadModelFile(const std::string& path, LinkModel& model) {
  WEFT_ASSIGN(const std::string bytes, ReadWhole(path));
  return ReadModelBytes(path, bytes, model);
}

absl::Status ReadModelBytes(std::string_view source_name, std::string_view bytes,
                            LinkModel& model) {
  WEFT_ASSIGN(const MemoryCheckpoint sections, DecodeModel(source_name, bytes, model.name()));
  MemoryCheckpointReader source(sections);
  absl::Status loaded = model.LoadWeights(source);
  if (loaded.ok()) return loaded;
  return {loaded.code(), graph::Concat(source_name, ": ", loaded.message())};
}

absl::StatusOr<std::string> ModelFileName(const std::string& path) {
  WEFT_ASSIGN(const std::string bytes, ReadWhole(path));
  std::string_view name;
  Reader reader(bytes);
  WEFT_TRY(ReadHeader(path, bytes, name, reader));
  return std::string(name);
}

absl::StatusOr<std::string> ModelFileDigest(const std::string& path) {
  WEFT_ASSIGN(const std::string bytes, ReadWhole(path));
  return graph::Hexadecimal(XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace weft::operators::link
