#include "rpc/link_past.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <unordered_map>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/time_text.h"
#include "rpc/history_handlers.h"

namespace weft::rpc {
namespace {

using graph::Concat;
using graph::kNoNode;
using graph::LogRecord;
using graph::NodeId;
using graph::TimeUs;
using storage::History;

constexpr std::uint64_t kWindowEvents = 16'384;
constexpr std::size_t kPartnersOfSource = 16;
// Events of nodes' histories that are taken in for all nodes of a kind together, and of each.
constexpr std::int64_t kSourceEvents = 32'768;
constexpr std::int64_t kOtherEvents = 65'536;
constexpr std::int64_t kNodeEventsMin = 16;
constexpr std::int64_t kNodeEventsMax = 2048;

struct PastEvent {
  std::uint64_t offset;
  TimeUs time_us;
  NodeId source;
  NodeId target;
};

std::int64_t EventsOfEach(std::int64_t events, std::size_t nodes) {
  if (nodes == 0) return kNodeEventsMax;
  return std::clamp(events / static_cast<std::int64_t>(nodes), kNodeEventsMin, kNodeEventsMax);
}

absl::Status BeforeHistory(TimeUs from_us) {
  return absl::OutOfRangeError(Concat("as_of_us: history is kept from ",
                                      operators::io::FormatTime(from_us), " (", from_us,
                                      ") on; ask about a later time"));
}

// Collects the events that matter.
class PastReader {
 public:
  PastReader(const GraphHost& host, const History& history, const PastQuestion& question)
      : host_(host), history_(history), question_(question) {}

  absl::Status Read(LinkPast& past) {
    WEFT_ASSIGN(extent_, history_.Extent(question_.feed));
    if (extent_.complete_from_us && question_.as_of_us <= *extent_.complete_from_us) {
      return BeforeHistory(*extent_.complete_from_us);
    }
    WEFT_ASSIGN(place_, FindPlaceInLog(host_, question_.feed, question_.as_of_us));
    WEFT_TRY(ReadWindow());
    WEFT_TRY(ReadSources());
    if (question_.max_targets > 0) {
      ChooseTargets(past);
    } else {
      targets_ = question_.targets;
    }
    WEFT_TRY(ReadOthers());
    Order();
    Describe(past);
    return absl::OkStatus();
  }

  void TakeInto(operators::link::LinkModel& model) const {
    graph::EventBatch batch;
    std::vector<std::uint64_t> place;
    for (const PastEvent& event : events_) {
      batch.source.push_back(event.source);
      batch.target.push_back(event.target);
      batch.time_us.push_back(event.time_us);
      place.push_back(event.offset);
    }
    model.ObservePast({.events = graph::EventSpan::Of(batch),
                       .place = place,
                       .stream_event_count = place_,
                       .first_us = extent_.first_us});
  }

 private:
  bool IsBefore(TimeUs time_us) const { return time_us < question_.as_of_us; }

  // The latest events before the place, as far as the log still has them.
  absl::Status ReadWindow() {
    WEFT_ASSIGN(const graph::LogPosition log_begin, host_.LogBegin(question_.feed));
    const std::uint64_t window = place_ > kWindowEvents ? place_ - kWindowEvents : 0;
    const std::uint64_t begin = std::max(window, log_begin.offset);
    if (begin >= place_) return absl::OkStatus();
    const absl::Status read =
        host_.log().Read({0, question_.feed, begin}, [&](const LogRecord& record) {
          const graph::EventBatch& events = record.events;
          for (std::size_t i = 0; i < events.source.size(); ++i) {
            const std::uint64_t offset = record.position.offset + i;
            if (offset >= begin && offset < place_ && IsBefore(events.time_us[i]))
              events_.push_back({offset, events.time_us[i], events.source[i], events.target[i]});
          }
          const bool more = record.position.offset + record.entry_count() < place_;
          return more ? absl::OkStatus() : absl::CancelledError("the window ends");
        });
    return absl::IsCancelled(read) ? absl::OkStatus() : read;
  }

  // Adds the latest events of nodes that were not read yet.
  absl::StatusOr<std::vector<History::Past>> ReadPasts(std::vector<NodeId>& nodes,
                                                       std::int64_t events) {
    std::erase_if(nodes,
                  [&](NodeId node) { return node == kNoNode || !read_.insert(node).second; });
    WEFT_ASSIGN(std::vector<History::Past> pasts,
                history_.Latest({.feed = question_.feed,
                                 .nodes = nodes,
                                 .before_us = question_.as_of_us,
                                 .limit = EventsOfEach(events, nodes.size())}));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (const storage::HistoryEntry& entry : pasts[i].entries) {
        const NodeId source = entry.sent ? nodes[i] : entry.peer;
        const NodeId target = entry.sent ? entry.peer : nodes[i];
        events_.push_back({entry.offset, entry.time_us, source, target});
      }
    }
    return pasts;
  }

  absl::Status ReadSources() {
    std::vector<NodeId> sources = question_.sources;
    WEFT_ASSIGN(const std::vector<History::Past> pasts, ReadPasts(sources, kSourceEvents));
    for (const History::Past& past : pasts) {
      if (past.entries.empty() && past.kept_from_us) return BeforeHistory(*past.kept_from_us);
      std::unordered_set<NodeId> partners;
      for (const storage::HistoryEntry& entry : past.entries) {
        if (partners.size() < kPartnersOfSource && partners.insert(entry.peer).second)
          partners_.push_back(entry.peer);
        if (entry.sent) NoteTarget(entry.peer, entry.offset);
      }
    }
    return absl::OkStatus();
  }

  void NoteTarget(NodeId target, std::uint64_t offset) {
    std::uint64_t& last = last_as_target_.try_emplace(target, offset).first->second;
    last = std::max(last, offset);
  }

  void ChooseTargets(LinkPast& past) {
    for (const PastEvent& event : events_) NoteTarget(event.target, event.offset);
    std::vector<std::pair<std::uint64_t, NodeId>> by_time;
    for (const auto& [target, offset] : last_as_target_) by_time.emplace_back(offset, target);
    std::sort(by_time.rbegin(), by_time.rend());
    past.available_targets = static_cast<std::int64_t>(by_time.size());
    by_time.resize(std::min(by_time.size(), static_cast<std::size_t>(question_.max_targets)));
    for (const auto& [offset, target] : by_time) targets_.push_back(target);
    past.targets = targets_;
  }

  absl::Status ReadOthers() {
    WEFT_TRY(ReadPasts(partners_, kOtherEvents).status());
    std::vector<NodeId> targets = targets_;
    return ReadPasts(targets, kOtherEvents).status();
  }

  // In the order of the log, each once.
  void Order() {
    std::sort(events_.begin(), events_.end(),
              [](const PastEvent& a, const PastEvent& b) { return a.offset < b.offset; });
    const auto last =
        std::unique(events_.begin(), events_.end(),
                    [](const PastEvent& a, const PastEvent& b) { return a.offset == b.offset; });
    events_.erase(last, events_.end());
    // A log that was trimmed beyond the place does not tell it.
    if (!events_.empty()) place_ = std::max(place_, events_.back().offset + 1);
  }

  void Describe(LinkPast& past) const {
    past.position = {0, question_.feed, place_};
    for (const PastEvent& event : events_) {
      past.time_us = std::max(past.time_us, event.time_us);
      past.known.insert(event.source);
      past.known.insert(event.target);
    }
  }

  const GraphHost& host_;
  const History& history_;
  const PastQuestion& question_;
  storage::HistoryExtent extent_;
  std::uint64_t place_ = 0;
  std::vector<PastEvent> events_;
  std::vector<NodeId> partners_;  // of the sources
  std::vector<NodeId> targets_;
  std::unordered_set<NodeId> read_;
  std::unordered_map<NodeId, std::uint64_t> last_as_target_;  // offsets
};

// The first record with events of those that hold the offset or come later; nothing if there is
// none.
absl::StatusOr<std::optional<LogRecord>> RecordAt(const GraphHost& host, std::uint32_t feed,
                                                  std::uint64_t offset) {
  std::optional<LogRecord> found;
  const absl::Status read = host.log().Read({0, feed, offset}, [&](const LogRecord& record) {
    if (record.events.size() == 0) return absl::OkStatus();
    found = record;
    return absl::CancelledError("found");
  });
  if (!found) WEFT_TRY(read);
  return found;
}

}  // namespace

absl::StatusOr<std::uint64_t> FindPlaceInLog(const GraphHost& host, std::uint32_t feed,
                                             TimeUs time_us) {
  WEFT_ASSIGN(const graph::LogPosition log_begin, host.LogBegin(feed));
  std::uint64_t low = log_begin.offset;  // events before it are of earlier times
  std::uint64_t high = host.log().End(feed).offset;
  std::uint64_t place = high;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    WEFT_ASSIGN(const std::optional<LogRecord> record, RecordAt(host, feed, middle));
    if (!record || record->position.offset >= high) {
      high = middle;
      continue;
    }
    const std::vector<TimeUs>& times = record->events.time_us;
    const auto first = std::find_if(times.begin(), times.end(),
                                    [&](TimeUs event_us) { return event_us >= time_us; });
    if (first == times.end()) {
      low = record->position.offset + record->entry_count();
    } else {
      place = record->position.offset + static_cast<std::uint64_t>(first - times.begin());
      high = record->position.offset;
    }
  }
  return place;
}

absl::StatusOr<LinkPast> RecallPast(GraphHost& host, const CallContext& context,
                                    std::unique_ptr<operators::link::LinkModel> fork,
                                    const PastQuestion& question) {
  if (fork == nullptr) {
    return absl::FailedPreconditionError("this predictor cannot be asked about a past time");
  }
  WEFT_ASSIGN(const History* const history, FindHistory(host));
  LinkPast past;
  past.turn = std::unique_lock(host.past_turn(), std::chrono::microseconds(context.left_us()));
  if (!past.turn.owns_lock()) {
    return absl::DeadlineExceededError("other questions about the past took until the deadline");
  }
  PastReader reader(host, *history, question);
  WEFT_TRY(reader.Read(past));
  reader.TakeInto(*fork);
  past.model = std::move(fork);
  return past;
}

}  // namespace weft::rpc
