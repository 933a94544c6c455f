// NodeRunner: runs one operator of a graph: merges its inputs, cuts micro-batches, serves reads,
// saves at barriers, hands commands over. Internal to graph/.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "graph/barrier.h"
#include "graph/metrics.h"
#include "graph/operator.h"
#include "graph/run_state.h"
#include "graph/stream.h"
#include "graph/trace.h"

namespace weft::graph {

// Client reads that may wait for one operator.
inline constexpr std::size_t kQueuedReadsMax = 64;

// Thread rule: the Add functions and Restore while the graph is built; Read and Wake from outside
// threads.
class NodeRunner final : public Actor {
 public:
  // What the engine measures of one operator.
  struct Metrics {
    Counter* rows;
    Counter* packets_in;
    Counter* packets_out;
    Counter* reads;
    Histogram* process_seconds;
    Gauge* watermark_seconds;
  };

  NodeRunner(RunState& state, std::size_t index, std::string name, std::unique_ptr<Operator> op,
             Metrics metrics);

  // By rising port of the contract.
  void AddInput(int port, Edge& edge);
  void AddOutput(int port, Edge& edge);
  // After Open. `publishes_frontier`: some operator behind this one has several inputs.
  void Prepare(bool publishes_frontier, TraceRecorder* trace);
  void RestorePosition(LogPosition position) { position_ = position; }

  const std::string& name() const { return name_; }
  Operator& op() { return *operator_; }
  const Operator& op() const { return *operator_; }

  absl::Status Read(std::int64_t deadline_us,
                    const std::function<void(const Operator&, LogPosition)>& read);
  // Makes everybody who waits for a read look again, after the graph has stopped.
  void Wake();

 private:
  struct InputPort {
    std::string_view name;
    Edge* edge = nullptr;
    StreamItem item;  // taken off the stream; its packet has no in-flight token
    std::shared_ptr<const InFlight> in_flight;
    bool has_item = false;
    std::int64_t begin = 0;  // first row not yet processed
    OrderKey frontier;       // of the stream, while there is no item

    // Key of the next micro-batch, or what is known of it.
    OrderKey next_key() const;
  };
  struct OutputPort {
    std::string_view name;
    std::string_view type;
    std::vector<Edge*> edges;
    bool emitted = false;  // in this Process call
  };
  struct ReadRequest {
    const std::function<void(const Operator&, LogPosition)>* read;
    std::condition_variable changed;
    bool started = false;
    bool done = false;
  };
  // What Process sees.
  class Context final : public ProcessContext {
   public:
    explicit Context(NodeRunner& runner) : runner_(runner) {}
    std::string_view port() const override { return port_->name; }
    const Packet& packet() const override { return port_->item.packet; }
    std::int64_t begin() const override { return port_->begin; }
    std::int64_t end() const override { return end_; }
    void Set(const InputPort& port, std::int64_t end) {
      port_ = &port;
      end_ = end;
    }

   private:
    void EmitPacket(std::string_view port, Packet packet) override {
      runner_.Emit(*port_, port, std::move(packet));
    }
    NodeRunner& runner_;
    const InputPort* port_ = nullptr;
    std::int64_t end_ = 0;
  };
  enum class Choice { kNothing, kMicroBatch, kCut };

  bool Step() override;
  bool RunQuantum();
  void AnnounceOutputs();
  Choice Choose(InputPort*& chosen);
  void Refill(InputPort& port);
  void PublishFrontier();
  bool OutputsHaveSpace(OrderKey key);
  void ProcessMicroBatch(InputPort& port);
  void Emit(const InputPort& input, std::string_view port, Packet packet);
  StreamItem TakeCut();
  void SendCut(const StreamItem& cut);
  bool SaveAtBarrier();
  void TakeCommand();
  absl::StatusOr<Barrier::Saved> Save(const Barrier& barrier) const;
  void RunReads();

  const std::size_t index_;
  const std::string name_;
  const std::unique_ptr<Operator> operator_;
  const Metrics metrics_;
  std::int64_t micro_batch_ = 1;
  std::int64_t last_ns_ = 0;       // end of the last micro-batch
  std::int64_t announced_ns_ = 0;  // when consumers were last told
  bool publishes_frontier_ = false;
  TraceRecorder* trace_ = nullptr;
  int track_ = 0;

  std::vector<InputPort> inputs_;    // connected ones
  std::vector<OutputPort> outputs_;  // all of the contract
  Context context_;
  LogPosition position_;  // after the last row processed
  TimeUs watermark_us_ = kBeforeAllTime;

  std::mutex reads_mutex_;
  std::vector<ReadRequest*> reads_;
  std::atomic<std::size_t> read_count_ = 0;
};

}  // namespace weft::graph
