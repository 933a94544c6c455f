#include "operators/io/event_reader.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/csv_reader.h"
#include "operators/io/json_reader.h"
#include "operators/io/mapped_reader.h"
#include "operators/io/record_buffer.h"

namespace weft::operators::io {
namespace {

// Closes what it opened; standard input stays open.
class FileHandle {
 public:
  FileHandle(int number, bool owned) : number_(number), owned_(owned) {}
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() {
    if (owned_) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
  bool owned_;
};

absl::StatusOr<std::size_t> ReadSome(const std::string& path, int number, std::span<char> buffer) {
  for (;;) {
    const ssize_t count = read(number, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) {
      return absl::UnavailableError(graph::Concat(path, ": cannot read: ", std::strerror(errno)));
    }
  }
}

}  // namespace

absl::StatusOr<OpenedFile> OpenFile(const std::string& path) {
  const bool is_stdin = path == "-";
  const int number = is_stdin ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) return absl::ErrnoToStatus(errno, graph::Concat(path, ": cannot open"));
  auto handle = std::make_shared<const FileHandle>(number, !is_stdin);
  struct stat information {};
  const bool known = fstat(number, &information) == 0;
  if (known && S_ISDIR(information.st_mode)) {
    return absl::InvalidArgumentError(graph::Concat(path, ": expected a file, got a directory"));
  }
  OpenedFile file;
  file.size_bytes = known && S_ISREG(information.st_mode) ? information.st_size : -1;
  file.bytes = [path, handle](std::span<char> buffer) {
    return ReadSome(path, handle->number(), buffer);
  };
  return file;
}

absl::StatusOr<std::unique_ptr<EventReader>> EventReader::Open(const std::string& path,
                                                               const ReadOptions& options) {
  WEFT_ASSIGN(OpenedFile file, OpenFile(path));
  return Open(path == "-" ? "stdin" : path, std::move(file.bytes), options);
}

absl::StatusOr<std::unique_ptr<EventReader>> EventReader::Open(std::string name, ByteSource bytes,
                                                               const ReadOptions& options) {
  RecordBuffer buffer(std::move(bytes), options.limits.max_line_bytes);
  WEFT_ASSIGN(const char first, buffer.Peek());
  const bool is_json = options.format == FileFormat::kJson ||
                       (options.format == FileFormat::kAuto && (first == '{' || first == '['));
  if (options.mapping != nullptr) {
    if (is_json)
      return absl::InvalidArgumentError(
          graph::Concat(name, ": expected CSV for a mapping, got JSON"));
    return MappedReader::Open(std::move(name), std::move(buffer), options);
  }
  if (is_json) {
    if (first == '[') buffer.set_kind(RecordBuffer::Kind::kArrayElements);
    return std::make_unique<JsonReader>(std::move(name), std::move(buffer), options);
  }
  auto reader = std::make_unique<CsvReader>(std::move(name), std::move(buffer), options);
  WEFT_TRY(reader->ReadHeader());
  return reader;
}

}  // namespace weft::operators::io
