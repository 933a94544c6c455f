// DatabaseLog: RocksDB's own messages, from warnings on, in the file LOG of the database. Takes the
// place of RocksDB's logger, which ends the process when the disk is full. Internal to storage/.
// Thread rule: any thread.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include <rocksdb/env.h>

namespace weft::storage {

class DatabaseLog final : public rocksdb::Logger {
 public:
  // Appends to `path`/LOG, or begins it anew if it is big. What cannot be written is left out.
  explicit DatabaseLog(const std::string& path);
  ~DatabaseLog() override;

  using rocksdb::Logger::Logv;
  void Logv(const char* format, std::va_list arguments) override;
  // Left out: RocksDB writes its options into a file of their own.
  void LogHeader(const char*, std::va_list) override {}

 private:
  std::mutex mutex_;
  std::FILE* file_ = nullptr;  // guarded by mutex_; null if it cannot be opened
};

}  // namespace weft::storage
