// Barrier: one aligned cut through a running graph, and what the operators save at it. Internal to
// graph/.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "graph/run_state.h"
#include "graph/state.h"

namespace weft::graph {

// Thread rule: any thread; the operators take turns, so that the store is used by one thread at a
// time.
class Barrier {
 public:
  struct Saved {
    std::uint64_t bytes = 0;
    std::uint64_t hash = 0;
  };
  // Where an input stood when the barrier entered.
  struct InputMark {
    LogPosition applied;
    TimeUs time_us = kBeforeAllTime;
  };

  // `writer` may be null: then states are only hashed. `part_count` parts of the graph have to
  // arrive.
  Barrier(CheckpointStore::Writer* writer, int part_count, std::size_t node_count,
          std::size_t input_count);

  // By the ingress, when it lets the barrier in.
  void MarkInput(std::size_t input, InputMark mark);

  // The right to save. False: `actor` is notified when it should ask again, or never if the barrier
  // was given up.
  bool TakeTurn(Actor& actor);
  // Null when states are only hashed. Only during one's turn.
  CheckpointStore::Writer* writer() const { return writer_; }
  // Ends the turn of node `node`.
  void Arrive(std::size_t node, absl::StatusOr<Saved> saved);
  // A part without state has seen the barrier.
  void Arrive();

  // Waits until every part has arrived. The first error of a save, or why the graph stopped; in
  // that case nobody uses the writer any more when this returns.
  absl::Status Wait(RunState& state);
  // Makes Wait look again, after the graph has stopped.
  void Wake();

  // After Wait.
  const std::vector<Saved>& saved() const { return saved_; }
  const std::vector<InputMark>& inputs() const { return inputs_; }

 private:
  CheckpointStore::Writer* const writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int missing_;
  bool busy_ = false;
  bool given_up_ = false;
  std::vector<Actor*> waiting_;
  std::vector<Saved> saved_;
  std::vector<InputMark> inputs_;
  absl::Status error_;
};

}  // namespace weft::graph
