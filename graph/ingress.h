// Ingress: where packets enter a running graph, and where it is known which of them are done.
// Internal to graph/.
//
// Inputs whose packets meet in some operator share one ingress; inputs that never meet have one
// each. It lets packets in one at a time, in the order of (time_us, place of the input in the spec,
// order of arrival): a packet enters once every other input of the ingress has a packet or has
// moved its time beyond.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "graph/barrier.h"
#include "graph/command.h"
#include "graph/run_state.h"
#include "graph/stream.h"

namespace weft::graph {

class Ingress;

// Ends with the last packet that descends from an input packet.
class InFlight {
 public:
  InFlight(Ingress& ingress, std::size_t input, std::uint64_t number)
      : ingress_(ingress), input_(input), number_(number) {}
  ~InFlight();
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Ingress& ingress_;
  const std::size_t input_;
  const std::uint64_t number_;
};

// Thread rule: AddInput and AddEdge while the graph is built; Push, AdvanceTime, SendCommand,
// Drain, OnApplied, Applied and SendBarrier from outside threads.
class Ingress final : public Actor {
 public:
  Ingress(RunState& state, int capacity) : Actor(state), capacity_(capacity) {}

  // Returns the input's index here. `graph_index` is its place in the spec; calls come in rising
  // order of it.
  std::size_t AddInput(std::string name, std::string type, std::size_t graph_index,
                       LogPosition start);
  void AddEdge(std::size_t input, Edge& edge);
  // Where the input stands after a restored checkpoint.
  void Restore(std::size_t input, Barrier::InputMark mark);

  absl::Status Push(std::size_t input, Packet packet);
  absl::Status AdvanceTime(std::size_t input, LogPosition position, TimeUs time_us);
  absl::Status SendCommand(std::size_t input, LogPosition position, TimeUs time_us,
                           Command command);
  // Waits until what was pushed before has been applied, but for packets that wait for another
  // input's time.
  absl::Status Drain();
  void OnApplied(std::size_t input, std::function<void(LogPosition)> applied);
  LogPosition Applied(std::size_t input) const;
  // The barrier goes in behind what was pushed before and can enter.
  void SendBarrier(std::shared_ptr<Barrier> barrier);
  // Makes everybody who waits look again, after the graph has stopped.
  void Wake();

 private:
  friend class InFlight;

  // What was pushed and has not entered: a packet, a command, or only a time.
  struct Entry {
    Packet packet;
    std::shared_ptr<SentCommand> command;
    LogPosition after;
    TimeUs time_us = kBeforeAllTime;

    bool is_time() const { return packet.empty() && command == nullptr; }
  };
  // What has entered and is not done, by rising number.
  struct Entered {
    LogPosition after;
    bool done = false;
  };
  struct Input {
    std::string name;
    std::string type;
    std::size_t graph_index = 0;
    std::vector<Edge*> edges;
    std::deque<Entry> queue;
    LogPosition next;                 // after everything pushed
    TimeUs time_us = kBeforeAllTime;  // of the last thing pushed
    bool positioned = false;          // `next` is known
    Barrier::InputMark entered_mark;  // after everything that has entered
    std::deque<Entered> entered;
    std::uint64_t first_entered = 0;  // number of entered.front()
    LogPosition applied;
    std::deque<LogPosition> unreported;
    bool reporting = false;
    std::vector<std::function<void(LogPosition)>> callbacks;
    std::uint64_t pushed_count = 0;
    std::uint64_t reported_count = 0;
    std::uint64_t before_barrier =
        0;  // entries of `queue` that were there when the barrier was sent
    std::condition_variable has_space;
  };

  static constexpr std::size_t kNone = ~std::size_t{0};

  bool Step() override;
  // Index of the input whose first entry may enter now, or kNone. With mutex_ held.
  std::size_t NextInput() const;
  bool MayEnter(std::size_t input) const;
  // Moves entries that are only times in; they concern no operator. Whether there were any. With
  // mutex_ held.
  bool EnterTimes(Input& input);
  void EnterPacket(std::size_t input, Entry entry, std::uint64_t number);
  void EnterCommand(std::size_t input, Entry entry, std::uint64_t number);
  void PushCut(const StreamItem& cut, OrderKey frontier);
  void EnterBarrier(const std::shared_ptr<Barrier>& barrier);
  bool EdgesHaveSpace(const Input& input) const;
  absl::Status Enqueue(std::size_t input, Entry entry, LogPosition position);
  absl::Status CheckOrder(const Input& input, LogPosition position, TimeUs time_us) const;
  void Done(std::size_t input, std::uint64_t number);
  void ReportApplied(Input& input, std::unique_lock<std::mutex>& lock);
  bool IsDrained(const std::vector<std::uint64_t>& targets) const;

  const int capacity_;
  mutable std::mutex mutex_;
  std::deque<Input> inputs_;  // by rising graph_index; addresses stay
  std::shared_ptr<Barrier> barrier_;
  std::condition_variable applied_changed_;
  std::uint64_t sequence_ = 0;  // of the last packet that entered; only Step uses it
};

}  // namespace weft::graph
