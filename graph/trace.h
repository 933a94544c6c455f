// TraceRecorder: what ran when, as a file in the Chrome trace-event format that Perfetto and
// chrome://tracing open.
//
// One track per operator, one complete event per micro-batch. Memory is bounded: a ring holds the
// latest events, older ones are dropped and counted. Thread rule: AddTrack and Record from any
// thread; Finish once, when nothing records any more.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace weft::graph {

class TraceRecorder {
 public:
  struct Event {
    int track = 0;
    std::int64_t start_ns = 0;  // of Clock::NowNs
    std::int64_t duration_ns = 0;
    std::int64_t rows = 0;
    std::uint64_t offset = 0;  // log position of the first row
  };

  static constexpr std::size_t kEventsDefault = std::size_t{1} << 18;

  // Will write to `path`; keeps at most `events_max` events (48 bytes each), reserved now.
  explicit TraceRecorder(std::string path, std::size_t events_max = kEventsDefault);

  // A new track with this name; returns its number.
  int AddTrack(std::string_view name);
  void Record(const Event& event);
  std::uint64_t dropped() const;

  // Writes the file; UNAVAILABLE with its name if that fails.
  absl::Status Finish();

 private:
  std::string ToJson() const;

  const std::string path_;
  mutable std::mutex mutex_;
  std::vector<std::string> tracks_;
  std::vector<Event> ring_;
  std::uint64_t recorded_ = 0;
};

}  // namespace weft::graph
