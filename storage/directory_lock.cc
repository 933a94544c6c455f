#include "storage/directory_lock.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "graph/check.h"

namespace weft::storage {
namespace {

constexpr const char* kFormatPrefix = "weft data directory, format ";

absl::Status FileError(const std::string& path, std::string_view doing, int error) {
  const std::string message =
      absl::StrCat(path, ": ", std::string(doing), ": ", std::generic_category().message(error));
  if (error == EACCES || error == EPERM || error == EROFS) {
    return absl::PermissionDeniedError(message);
  }
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(message);
  return absl::FailedPreconditionError(message);
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::Status WriteAll(int file, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0) return FileError(path, "write", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file) != 0) return FileError(path, "fsync", errno);
  return absl::OkStatus();
}

// The file is there whole or not at all.
absl::Status WriteFormat(const std::string& directory, int version) {
  const std::string path = absl::StrCat(directory, "/FORMAT");
  const std::string fresh = absl::StrCat(path, ".new");
  const int file = ::open(fresh.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0) return FileError(fresh, "create", errno);
  const absl::Status written = WriteAll(file, fresh, absl::StrCat(kFormatPrefix, version, "\n"));
  ::close(file);
  WEFT_TRY(written);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return FileError(path, "rename", errno);
  const int folder = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return FileError(directory, "open", errno);
  const int synced = ::fsync(folder);
  ::close(folder);
  return synced == 0 ? absl::OkStatus() : FileError(directory, "fsync", errno);
}

bool HoldsOnlyGuards(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (name != "LOCK" && name != "FORMAT.new" && name != "lost+found") return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> DirectoryLock::Acquire(
    const std::string& directory) {
  if (directory.empty()) return absl::InvalidArgumentError("the data directory has no name");
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return FileError(directory, "make the data directory", error.value());
  const std::string path = absl::StrCat(directory, "/LOCK");
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (file < 0) return FileError(path, "open", errno);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(file);
    if (reason != EWOULDBLOCK) return FileError(path, "lock", reason);
    const std::string text = ReadText(path);
    const absl::string_view holder = absl::StripSuffix(text, "\n");
    return absl::UnavailableError(absl::StrCat(
        directory, ": the data directory is in use by ",
        holder.empty() ? std::string("another process") : absl::StrCat("process ", holder)));
  }
  auto lock = std::unique_ptr<DirectoryLock>(new DirectoryLock(file));
  if (::ftruncate(file, 0) != 0) return FileError(path, "truncate", errno);
  WEFT_TRY(WriteAll(file, path, absl::StrCat(::getpid(), "\n")));
  return lock;
}

DirectoryLock::~DirectoryLock() { ::close(file_); }

absl::Status TakeFormat(const std::string& directory, int version) {
  const std::string path = absl::StrCat(directory, "/FORMAT");
  if (!std::filesystem::exists(path)) {
    if (!HoldsOnlyGuards(directory)) {
      return absl::FailedPreconditionError(absl::StrCat(
          directory, ": expected an empty directory or a data directory, found other files"));
    }
    return WriteFormat(directory, version);
  }
  const std::string text = ReadText(path);
  absl::string_view rest = text;
  int found = 0;
  if (!absl::ConsumePrefix(&rest, kFormatPrefix) ||
      !absl::SimpleAtoi(absl::StripSuffix(rest, "\n"), &found) || found < 1) {
    return absl::DataLossError(absl::StrCat(path, ": expected \"", kFormatPrefix, "N\""));
  }
  if (found > version) {
    return absl::FailedPreconditionError(absl::StrCat(directory, ": the data directory has format ",
                                                      found, ", this program reads up to ", version,
                                                      "; use a newer program"));
  }
  return found < version ? WriteFormat(directory, version) : absl::OkStatus();
}

}  // namespace weft::storage
