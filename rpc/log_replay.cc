#include "rpc/log_replay.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "rpc/feeder.h"

namespace weft::rpc {

using graph::LogPosition;

namespace {

// How far the feeds have come together.
class Progress {
 public:
  explicit Progress(std::function<void(std::uint64_t, std::uint64_t)> applied)
      : applied_(std::move(applied)) {}

  void AddFeed(LogPosition end) { total_ += end.offset; }
  void OnApplied(LogPosition position) {
    const std::scoped_lock lock(mutex_);
    std::uint64_t& offset = offsets_[position.feed];
    sum_ += position.offset - offset;
    offset = position.offset;
    applied_(sum_, total_);
  }

 private:
  const std::function<void(std::uint64_t, std::uint64_t)> applied_;
  std::uint64_t total_ = 0;
  std::mutex mutex_;
  std::map<std::uint32_t, std::uint64_t> offsets_;  // by feed
  std::uint64_t sum_ = 0;
};

// The error that came first; those of the other feeds follow from it.
class FirstFailure {
 public:
  void Set(const absl::Status& status) {
    const std::scoped_lock lock(mutex_);
    status_.Update(status);
  }
  absl::Status Get() const {
    const std::scoped_lock lock(mutex_);
    return status_;
  }

 private:
  mutable std::mutex mutex_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LogReplay>> LogReplay::Open(const std::string& data_dir) {
  WEFT_ASSIGN(std::unique_ptr<storage::DataDirectory> directory,
              storage::DataDirectory::Open({.path = data_dir, .create_if_missing = false}));
  auto replay = std::unique_ptr<LogReplay>(new LogReplay(std::move(directory)));
  WEFT_TRY(replay->interner_.Load(replay->directory_->dictionary()));
  return replay;
}

absl::StatusOr<std::uint32_t> LogReplay::FindFeed(std::string_view name) const {
  const std::vector<std::string> feeds = directory_->dictionary().Feeds();
  const auto found = std::find(feeds.begin(), feeds.end(), name);
  if (found != feeds.end()) return static_cast<std::uint32_t>(found - feeds.begin() + 1);
  return absl::NotFoundError(graph::Concat("input \"", name, "\": expected one of the log's feeds ",
                                           graph::JoinNames(feeds, ", ", "(none)")));
}

absl::StatusOr<std::int32_t> LogReplay::FeatureCount(std::string_view name) const {
  WEFT_ASSIGN(const std::uint32_t feed, FindFeed(name));
  std::int32_t most = 0;
  WEFT_TRY(directory_->log().Read({0, feed, 0}, [&most](const graph::LogRecord& record) {
    most = std::max(most, record.events.feature_count);
    return absl::OkStatus();
  }));
  return most;
}

absl::Status LogReplay::Run(graph::Graph& graph,
                            std::function<void(std::uint64_t, std::uint64_t)> applied) {
  const auto progress = std::make_shared<Progress>(std::move(applied));
  const auto failure = std::make_shared<FirstFailure>();
  std::vector<std::unique_ptr<Feeder>> feeders;  // in the order of the graph's inputs
  std::vector<std::uint32_t> feeds;
  for (const std::string& input : graph.inputs()) {
    WEFT_ASSIGN(const std::uint32_t feed, FindFeed(input));
    feeds.push_back(feed);
    progress->AddFeed(directory_->log().End(feed));
    WEFT_TRY(graph.OnApplied(input,
                             [progress](LogPosition position) { progress->OnApplied(position); }));
    feeders.push_back(
        std::make_unique<Feeder>(&graph, &directory_->log(), input,
                                 [failure](const absl::Status& status) { failure->Set(status); }));
  }
  WEFT_TRY(graph.Start());
  for (std::size_t i = 0; i < feeds.size(); ++i) feeders[i]->Start({0, feeds[i], 0});
  absl::Status status;
  for (const auto& feeder : feeders) status.Update(feeder->WaitReplayed());
  for (const auto& feeder : feeders) event_count_ += feeder->replayed().event_count;
  WEFT_TRY(failure->Get());
  WEFT_TRY(status);
  return graph.Drain();
}

}  // namespace weft::rpc
