#include "rpc/log_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "rpc/error_details.h"

namespace weft::rpc {
namespace {

// A group is one write: large enough that the fsync is shared, small enough to bound the memory of
// the write.
constexpr std::size_t kGroupBytesMax = std::size_t{16} << 20;
// Every try has RocksDB write what it holds in memory, so a disk that stays full gets fewer.
constexpr std::chrono::milliseconds kRetryFirst{100};
constexpr std::chrono::milliseconds kRetryMost{1600};

}  // namespace

LogWriter::LogWriter(graph::EventLog* log, graph::MetricRegistry* metrics,
                     std::function<void(const absl::Status&)> stopped)
    : log_(log),
      stopped_(std::move(stopped)),
      write_seconds_(metrics->GetHistogram("weft_log_write_seconds",
                                           "Time of one group commit, fsync included.")),
      group_count_(metrics->GetCounter("weft_log_groups_total", "Group commits of the log.")),
      byte_count_(metrics->GetCounter("weft_log_written_bytes_total", "Bytes of log records.")),
      disk_full_(metrics->GetGauge("weft_log_disk_full",
                                   "1 while nothing can be written for want of space.")) {
  thread_ = std::thread([this] { Run(); });
}

LogWriter::~LogWriter() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LogWriter::Enqueue(Entry entry) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(entry));
    ++queued_count_;
  }
  changed_.notify_all();
}

absl::Status LogWriter::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

absl::Status LogWriter::Flush() {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = queued_count_;
  changed_.wait(lock, [&] { return durable_count_ >= target || !status_.ok(); });
  return durable_count_ >= target ? absl::OkStatus() : status_;
}

bool LogWriter::WaitForWork(std::vector<Entry>& group) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
  std::size_t bytes = 0;
  while (!queue_.empty() && bytes < kGroupBytesMax) {
    bytes += queue_.front().append.bytes.size();
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return !group.empty();
}

void LogWriter::Finish(std::vector<Entry>& group) {
  for (Entry& entry : group) entry.durable();
  {
    const std::scoped_lock lock(mutex_);
    durable_count_ += group.size();
    status_ = absl::OkStatus();
  }
  changed_.notify_all();
}

// Until it has been written; false if that will not be.
bool LogWriter::Write(const std::vector<graph::LogAppend>& appends) {
  std::chrono::milliseconds pause = kRetryFirst;
  for (bool waiting = false;; waiting = true) {
    const auto start = std::chrono::steady_clock::now();
    const absl::Status written = log_->Append(appends);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    write_seconds_.Observe(taken.count());
    const bool full = absl::IsResourceExhausted(written);
    disk_full_.Set(full ? 1 : 0);
    if (written.ok()) return true;
    {
      const std::scoped_lock lock(mutex_);
      status_ =
          WithReason(written, full ? v1::ERROR_REASON_DISK_FULL : v1::ERROR_REASON_SERVER_FAILED);
    }
    changed_.notify_all();
    if (!full || !waiting) stopped_(written);
    if (!full) return false;
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, pause, [&] { return stopping_; })) return false;
    pause = std::min(pause * 2, kRetryMost);
  }
}

void LogWriter::Run() {
  std::vector<Entry> group;
  std::vector<graph::LogAppend> appends;
  while (true) {
    group.clear();
    if (!WaitForWork(group)) return;
    appends.clear();
    std::size_t bytes = 0;
    for (Entry& entry : group) {
      bytes += entry.append.bytes.size();
      appends.push_back(std::move(entry.append));
    }
    if (!Write(appends)) return;
    group_count_.Add();
    byte_count_.Add(bytes);
    Finish(group);
  }
}

}  // namespace weft::rpc
