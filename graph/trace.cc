#include "graph/trace.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/str_format.h"
#include "graph/check.h"
#include "graph/text.h"

namespace weft::graph {
namespace {

// `text` as a JSON string with its quotes.
std::string JsonString(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<int>(c));
    } else {
      json += c;
    }
  }
  return json + "\"";
}

}  // namespace

TraceRecorder::TraceRecorder(std::string path, std::size_t events_max) : path_(std::move(path)) {
  WEFT_CHECK(events_max > 0);
  ring_.resize(events_max);
}

int TraceRecorder::AddTrack(std::string_view name) {
  const std::lock_guard lock(mutex_);
  tracks_.emplace_back(name);
  return static_cast<int>(tracks_.size()) - 1;
}

void TraceRecorder::Record(const Event& event) {
  const std::lock_guard lock(mutex_);
  ring_[recorded_ % ring_.size()] = event;
  ++recorded_;
}

std::uint64_t TraceRecorder::dropped() const {
  const std::lock_guard lock(mutex_);
  return recorded_ > ring_.size() ? recorded_ - ring_.size() : 0;
}

// Times are in microseconds. Thread ids start at 1, because Perfetto shows thread 0 as the idle
// thread of the machine.
std::string TraceRecorder::ToJson() const {
  const std::lock_guard lock(mutex_);
  std::string json =
      "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
      "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"weft\"}}";
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const std::string head = Concat(",\n{\"ph\":\"M\",\"pid\":1,\"tid\":", i + 1, ",\"name\":");
    json += Concat(head, "\"thread_name\",\"args\":{\"name\":", JsonString(tracks_[i]), "}}");
    json += Concat(head, "\"thread_sort_index\",\"args\":{\"sort_index\":", i, "}}");
  }
  const std::uint64_t kept = std::min<std::uint64_t>(recorded_, ring_.size());
  for (std::uint64_t i = recorded_ - kept; i < recorded_; ++i) {
    const Event& event = ring_[i % ring_.size()];
    absl::StrAppendFormat(&json,
                          ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"name\":%s,\"ts\":%.3f,"
                          "\"dur\":%.3f,\"args\":{\"rows\":%d,\"offset\":%d}}",
                          event.track + 1,
                          JsonString(tracks_[static_cast<std::size_t>(event.track)]),
                          static_cast<double>(event.start_ns) * 1e-3,
                          static_cast<double>(event.duration_ns) * 1e-3, event.rows, event.offset);
  }
  json += Concat("\n],\"otherData\":{\"dropped_events\":", recorded_ - kept, "}}\n");
  return json;
}

absl::Status TraceRecorder::Finish() {
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  file << ToJson();
  file.close();
  if (!file) return absl::UnavailableError(Concat("cannot write trace file ", path_));
  return absl::OkStatus();
}

}  // namespace weft::graph
