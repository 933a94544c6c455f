// Small operators that exercise the engine, and the catalog that holds them. Every state is a hash
// over everything seen, in order, so that any difference in order shows.
//
//   test_pass     EVENTS -> EVENTS     sends each micro-batch on
//   test_fold     EVENTS -> EVENTS     the same; each event's label becomes the running hash
//   test_join     LEFT, RIGHT -> EVENTS  sends on whatever comes, the port mixed into label and
//   hash test_widen    EVENTS -> EVENTS     each row `amount` times test_gate     EVENTS -> EVENTS
//   only micro-batches whose first offset is a multiple of `amount` test_jitter   EVENTS -> EVENTS
//   computes for an uneven while before it sends on test_fail     EVENTS -> EVENTS     fails at the
//   event with offset `amount` test_leak     EVENTS -> EVENTS     offline: mixes the whole packet
//   into each micro-batch, to see that tests notice
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "graph/catalog.h"
#include "graph/operator.h"
#include "weft/tests/v1/harness.pb.h"

namespace weft::tests {

// What the operators have in common: options, a running hash that is saved, and a row count that is
// not hashed.
class HashingOperator : public graph::Operator {
 public:
  absl::Status Open(graph::OpenContext& context) override;
  // Mixes the command in.
  absl::Status OnCommand(std::string_view body, graph::LogPosition position) override;
  absl::Status Save(graph::CheckpointSink& sink) const override;
  absl::Status Load(graph::CheckpointSource& source) override;
  std::int64_t micro_batch() const override;

  std::uint64_t hash() const { return hash_; }
  std::int64_t rows() const { return rows_; }

 protected:
  // Takes rows [begin, end) of an event packet into the hash.
  void Mix(const graph::EventBatch& events, std::int64_t begin, std::int64_t end,
           std::uint64_t salt);
  const v1::TestOptions& options() const { return options_; }

 private:
  v1::TestOptions options_;
  std::uint64_t hash_ = 0;
  std::int64_t rows_ = 0;
};

class TestPass : public HashingOperator {
 public:
  static constexpr graph::In<graph::EventBatch> kEvents{"EVENTS"};
  static constexpr graph::Out<graph::EventBatch> kOut{"EVENTS"};
  static graph::Contract contract();
  absl::Status Process(graph::ProcessContext& context) override;

 protected:
  // What is sent on for a micro-batch; null: nothing.
  virtual std::shared_ptr<graph::EventBatch> Transform(const graph::EventBatch& events,
                                                       std::int64_t begin, std::int64_t end);
};

class TestJoin final : public HashingOperator {
 public:
  static constexpr graph::In<graph::EventBatch> kLeft{"LEFT"};
  static constexpr graph::In<graph::EventBatch> kRight{"RIGHT"};
  static constexpr graph::Out<graph::EventBatch> kOut{"EVENTS"};
  static graph::Contract contract();
  absl::Status Process(graph::ProcessContext& context) override;
};

// Adds every operator of this file.
void AddTestOperators(graph::Catalog& catalog);
// A catalog of only these.
const graph::Catalog& TestCatalog();

// Rows [begin, end) of `events` as a batch of their own.
std::shared_ptr<graph::EventBatch> Slice(const graph::EventBatch& events, std::int64_t begin,
                                         std::int64_t end);

}  // namespace weft::tests
