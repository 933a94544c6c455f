#include "storage/database_log.h"

#include <cstdint>
#include <filesystem>
#include <system_error>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace weft::storage {
namespace {

constexpr std::uintmax_t kBytesMax = 8 << 20;

}  // namespace

DatabaseLog::DatabaseLog(const std::string& path) : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  const std::string name = path + "/LOG";
  const std::uintmax_t bytes = std::filesystem::file_size(name, error);
  file_ = std::fopen(name.c_str(), !error && bytes > kBytesMax ? "w" : "a");
}

DatabaseLog::~DatabaseLog() {
  if (file_ != nullptr) std::fclose(file_);
}

void DatabaseLog::Logv(const char* format, std::va_list arguments) {
  const std::string time = absl::FormatTime(absl::Now(), absl::UTCTimeZone());
  const std::scoped_lock lock(mutex_);
  if (file_ == nullptr) return;
  std::fprintf(file_, "%s ", time.c_str());
  std::vfprintf(file_, format, arguments);
  std::fputc('\n', file_);
  std::fflush(file_);
}

}  // namespace weft::storage
