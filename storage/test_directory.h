// What the tests of this folder share: a directory that goes when the test ends, and small log
// entries.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include <unistd.h>

#include "graph/log_record.h"
#include "graph/state.h"

namespace weft::storage {

class TestDirectory {
 public:
  TestDirectory() {
    static std::atomic<int> count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("weft_storage_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    std::filesystem::remove_all(path_);
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// `count` events at `offset`, from node `first_node` on, with times that follow from the offset.
inline graph::LogRecord MakeRecord(std::uint32_t feed, std::uint64_t offset, int count) {
  graph::LogRecord record;
  record.position = {0, feed, offset};
  record.producer = 7;
  record.first_seq = offset;
  record.seq_count = static_cast<std::uint64_t>(count);
  record.watermark_us = static_cast<graph::TimeUs>(offset);
  for (int i = 0; i < count; ++i) {
    record.events.source.push_back(static_cast<graph::NodeId>(i));
    record.events.target.push_back(static_cast<graph::NodeId>(i + 1));
    record.events.time_us.push_back(static_cast<graph::TimeUs>(offset) + i);
  }
  return record;
}

inline graph::LogAppend MakeAppend(const graph::LogRecord& record) {
  graph::LogAppend append;
  append.position = record.position;
  append.entry_count = record.entry_count();
  graph::EncodeLogRecord(record, append.bytes);
  graph::ProducerState producer;
  producer.feed = record.position.feed;
  producer.producer = record.producer;
  producer.next_seq = record.first_seq + record.seq_count;
  producer.epoch = 3;
  producer.digest = 99;
  producer.owner = "token";
  producer.name = "producer seven";
  append.producer = producer;
  return append;
}

}  // namespace weft::storage
