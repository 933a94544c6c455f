// GraphHost: the graph with everything that keeps it alive: the data directory, the log's writer, a
// sequencer and a feeder for each feed, checkpoints. Recovers on Open: newest checkpoint that fits,
// then the log from there.
//
// Thread rule: any thread, unless said otherwise.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/executor.h"
#include "graph/graph.h"
#include "graph/graph_spec.h"
#include "graph/metrics.h"
#include "rpc/checkpoint_policy.h"
#include "rpc/feeder.h"
#include "rpc/interner.h"
#include "rpc/log_writer.h"
#include "rpc/sequencer.h"
#include "storage/data_directory.h"
#include "weft/config/v1/server_config.pb.h"

namespace weft::rpc {

class GraphHost {
 public:
  struct Options {
    config::v1::ServerConfig config;  // with defaults filled in (rpc/server_config.h)
    std::string graph_text;
    std::string graph_name;  // what errors call the text
  };
  // All outlive the host.
  struct Environment {
    const graph::Catalog* catalog = nullptr;
    graph::Executor* executor = nullptr;
    const graph::Clock* clock = nullptr;
    graph::MetricRegistry* metrics = nullptr;
    graph::TraceRecorder* trace = nullptr;  // may be null
    std::string device = "host";
  };
  enum class Phase { kRecovering, kServing, kDraining, kFailed };

  GraphHost(Options options, const Environment& environment);
  ~GraphHost();

  // Opens the data directory, builds and restores the graph, replays the log. Takes as long as that
  // takes. Once. `phase_changed` is called with each phase from kServing on; from any thread.
  absl::Status Open(std::function<void(Phase)> phase_changed);
  // What wants to receive an output's packets; called before the graph starts, once the spec is
  // known.
  void OnBuilt(std::function<absl::Status(graph::Graph&, const graph::ParsedSpec&)> built);

  // Takes nothing more in, makes everything taken in durable and applied, cuts a last checkpoint.
  absl::Status Drain();

  Phase phase() const { return phase_.load(); }
  // UNAVAILABLE while recovering, the failure once failed; ok otherwise.
  absl::Status CheckServing() const;

  // Valid once Open has returned ok.
  graph::Graph& graph() { return *graph_; }
  const graph::ParsedSpec& spec() const { return *spec_; }
  Interner& interner() { return *interner_; }
  const Interner& interner() const { return *interner_; }
  // NOT_FOUND with the names that there are.
  absl::StatusOr<Sequencer*> FindSequencer(std::string_view feed);
  Sequencer* FindSequencer(std::uint32_t feed);
  std::vector<const Sequencer*> sequencers() const;
  // Names of the nodes that answer LinkService, in spec order.
  const std::vector<std::string>& link_nodes() const { return link_nodes_; }
  // The first of these that learns, or else the first; empty if there is none.
  const std::string& first_link_node() const { return first_link_node_; }
  // Names of the nodes that evaluate link predictors, in spec order.
  const std::vector<std::string>& evaluation_nodes() const { return evaluation_nodes_; }
  // Names of the nodes that answer HierarchyService, in spec order.
  const std::vector<std::string>& hierarchy_nodes() const { return hierarchy_nodes_; }
  // Names of the nodes that answer SequenceService, in spec order.
  const std::vector<std::string>& sequence_nodes() const { return sequence_nodes_; }

  // Name of the `salience` node that follows a hierarchy; empty without one.
  const std::string& FindSalienceNode(const std::string& hierarchy) const;

  // Sends a command through the log of a feed that reaches the node that it names, and waits until
  // it has been carried out, at most until `deadline_ns` of the clock; the place of its record.
  // NOT_FOUND for an unknown node. DEADLINE_EXCEEDED: it is in the log and will be carried out.
  absl::StatusOr<graph::LogPosition> SendCommand(graph::Command command, std::int64_t deadline_ns);
  // The same of a command about what is called `key`, which becomes a node if it is none yet.
  // `make_body` gets its id. INVALID_ARGUMENT for a key that no node may have, RESOURCE_EXHAUSTED
  // if there is no room for another node.
  absl::StatusOr<graph::LogPosition> SendCommandAbout(
      std::string_view node_name, std::string_view key,
      const std::function<std::string(graph::NodeId)>& make_body, std::int64_t deadline_ns);
  // Of a feed that reaches a node. NOT_FOUND for an unknown one.
  absl::StatusOr<Sequencer*> SequencerBefore(std::string_view node_name);

  const graph::EventLog& log() const { return directory_->log(); }
  absl::StatusOr<graph::LogPosition> LogBegin(std::uint32_t feed) const {
    return directory_->LogBegin(feed);
  }
  // Held by who rebuilds a past state.
  std::timed_mutex& past_turn() { return past_turn_; }
  // Null where it is switched off.
  const storage::History* history() const;

  absl::StatusOr<graph::CheckpointManifest> Checkpoint();
  // Of a state that contains everything that was durable when it was called.
  absl::StatusOr<graph::CheckpointManifest> StateHash();
  // Newest first.
  absl::StatusOr<std::vector<graph::CheckpointManifest>> Checkpoints() const;

 private:
  struct Feed {
    std::unique_ptr<Sequencer> sequencer;
    std::unique_ptr<Feeder> feeder;
  };

  absl::Status OpenStorage();
  absl::Status BuildGraph();
  absl::Status RestoreGraph();
  absl::Status BuildFeeds();
  absl::Status Replay();
  absl::Status FindReaders();
  absl::StatusOr<graph::LogPosition> WaitCarriedOut(Sequencer& sequencer,
                                                    graph::LogPosition position,
                                                    std::int64_t deadline_ns);
  absl::Status TrimLog();
  absl::Status TakeInHistory(int max_steps);
  void FollowWithHistory(const std::vector<graph::LogPosition>& applied);
  void CatchUpHistory();
  graph::LogPosition ReplayFrom(std::uint32_t feed) const;
  void Fail(const absl::Status& status);
  void OnWriterStopped(const absl::Status& status);
  void SetPhase(Phase phase);
  void KeepHouse();
  void LookAfter(CheckpointPolicy& policy);
  void ReportProgress(double replay_seconds) const;
  std::uint64_t AppliedCount() const;
  std::uint64_t DurableCount() const;

  const Options options_;
  const Environment environment_;
  std::function<void(Phase)> phase_changed_;
  std::function<absl::Status(graph::Graph&, const graph::ParsedSpec&)> built_;

  std::unique_ptr<storage::DataDirectory> directory_;
  std::unique_ptr<graph::ParsedSpec> spec_;
  std::unique_ptr<Interner> interner_;
  std::unique_ptr<graph::Graph> graph_;
  std::vector<graph::LogPosition> restored_;  // where the graph stood before the replay
  std::vector<Feed> feeds_;                   // in the order of the graph's inputs
  std::unique_ptr<LogWriter> writer_;         // calls into feeds_, so it ends first
  std::vector<std::string> link_nodes_;
  std::string first_link_node_;
  std::vector<std::string> evaluation_nodes_;
  std::vector<std::string> hierarchy_nodes_;
  std::vector<std::string> sequence_nodes_;
  std::map<std::string, std::string> salience_nodes_;  // by the hierarchy that they follow
  std::uint64_t replayed_count_ = 0;
  double replay_seconds_ = 0;

  std::atomic<Phase> phase_ = Phase::kRecovering;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  absl::Status failure_;   // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::timed_mutex past_turn_;
  std::mutex checkpoint_mutex_;
  std::vector<graph::LogPosition> history_end_;  // what it lacks; guarded by checkpoint_mutex_
  std::thread housekeeper_;
};

}  // namespace weft::rpc
