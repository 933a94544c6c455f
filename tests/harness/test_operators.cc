#include "tests/harness/test_operators.h"

#include <bit>
#include <span>
#include <utility>

#include "graph/check.h"
#include "graph/text.h"

namespace weft::tests {
namespace {

using graph::Concat;
using graph::EventBatch;

std::uint64_t Mix64(std::uint64_t value) {
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccdu;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53u;
  return value ^ (value >> 33);
}

// The top 24 bits, which a float holds exactly.
float Label(std::uint64_t hash) { return static_cast<float>(hash >> 40); }

class TestFold final : public TestPass {
 protected:
  std::shared_ptr<EventBatch> Transform(const EventBatch& events, std::int64_t begin,
                                        std::int64_t end) override {
    auto out = Slice(events, begin, end);
    out->label.assign(out->source.size(), Label(hash()));
    return out;
  }
};

class TestWiden final : public TestPass {
 protected:
  std::shared_ptr<EventBatch> Transform(const EventBatch& events, std::int64_t begin,
                                        std::int64_t end) override {
    auto out = std::make_shared<EventBatch>();
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      for (std::uint32_t copy = 0; copy < options().amount(); ++copy) {
        out->source.push_back(events.source[i]);
        out->target.push_back(events.target[i] + copy);
        out->time_us.push_back(events.time_us[i]);
      }
    }
    return out;
  }
};

class TestGate final : public TestPass {
 public:
  absl::Status Process(graph::ProcessContext& context) override {
    open_ = context.position().offset % options().amount() == 0;
    return TestPass::Process(context);
  }

 protected:
  std::shared_ptr<EventBatch> Transform(const EventBatch& events, std::int64_t begin,
                                        std::int64_t end) override {
    return open_ ? Slice(events, begin, end) : nullptr;
  }

 private:
  bool open_ = false;
};

class TestJitter final : public TestPass {
 protected:
  std::shared_ptr<EventBatch> Transform(const EventBatch& events, std::int64_t begin,
                                        std::int64_t end) override {
    std::uint64_t value = hash();
    for (std::uint64_t i = 0; i < hash() % (options().amount() + 1); ++i) value = Mix64(value + i);
    auto out = Slice(events, begin, end);
    out->label.assign(out->source.size(), Label(value));
    return out;
  }
};

class TestFail final : public TestPass {
 public:
  absl::Status Process(graph::ProcessContext& context) override {
    const std::uint64_t first = context.position().offset;
    const auto rows = static_cast<std::uint64_t>(context.end() - context.begin());
    if (options().amount() >= first && options().amount() < first + rows) {
      return absl::InternalError(Concat("told to fail at ", options().amount()));
    }
    return TestPass::Process(context);
  }
};

class TestLeak final : public TestPass {
 public:
  static graph::Contract contract() {
    graph::Contract contract = TestPass::contract();
    contract.reads = graph::Reads::kOffline;
    return contract;
  }

 protected:
  std::shared_ptr<EventBatch> Transform(const EventBatch& events, std::int64_t begin,
                                        std::int64_t end) override {
    auto out = Slice(events, begin, end);
    std::uint64_t value = 0;
    for (const graph::NodeId target : events.target) value = Mix64(value + target);
    out->label.assign(out->source.size(), Label(value));
    return out;
  }
};

}  // namespace

absl::Status HashingOperator::Open(graph::OpenContext& context) {
  options_ = context.Options<v1::TestOptions>();
  if (options_.micro_batch() < 0) {
    return context.OptionError("micro_batch",
                               Concat("expected 0 or more, got ", options_.micro_batch()));
  }
  for (int i = 0; i < options_.slots_size(); ++i) {
    if (options_.slots(i).width() > 0) continue;
    return context.OptionError(Concat("slots[", i, "].width"),
                               Concat("expected 1 or more, got ", options_.slots(i).width()));
  }
  return absl::OkStatus();
}

absl::Status HashingOperator::OnCommand(std::string_view body, graph::LogPosition position) {
  hash_ = Mix64(hash_ ^ position.offset);
  for (const char c : body) hash_ = Mix64(hash_ ^ static_cast<unsigned char>(c));
  return absl::OkStatus();
}

absl::Status HashingOperator::Save(graph::CheckpointSink& sink) const {
  WEFT_TRY(sink.Write("hash", std::as_bytes(std::span(&hash_, 1))));
  return sink.Write("rows", std::as_bytes(std::span(&rows_, 1)));
}

absl::Status HashingOperator::Load(graph::CheckpointSource& source) {
  WEFT_TRY(source.Read("hash", std::as_writable_bytes(std::span(&hash_, 1))));
  return source.Read("rows", std::as_writable_bytes(std::span(&rows_, 1)));
}

std::int64_t HashingOperator::micro_batch() const {
  return options_.micro_batch() > 0 ? options_.micro_batch() : Operator::micro_batch();
}

void HashingOperator::Mix(const EventBatch& events, std::int64_t begin, std::int64_t end,
                          std::uint64_t salt) {
  rows_ += end - begin;
  hash_ = Mix64(hash_ + salt + static_cast<std::uint64_t>(end - begin));
  for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
    hash_ = Mix64(hash_ ^ events.source[i]);
    hash_ = Mix64(hash_ ^ events.target[i]);
    hash_ = Mix64(hash_ ^ static_cast<std::uint64_t>(events.time_us[i]));
    if (!events.label.empty()) hash_ = Mix64(hash_ ^ std::bit_cast<std::uint32_t>(events.label[i]));
  }
}

graph::Contract TestPass::contract() {
  graph::Contract contract;
  contract.Input(kEvents).Output(kOut);
  contract.options_type = "weft.tests.v1.TestOptions";
  contract.micro_batch = 8;
  return contract;
}

absl::Status TestPass::Process(graph::ProcessContext& context) {
  const EventBatch& events = context.Get(kEvents);
  Mix(events, context.begin(), context.end(), 1);
  std::shared_ptr<const EventBatch> out = Transform(events, context.begin(), context.end());
  if (out != nullptr) context.Emit(kOut, std::move(out));
  return absl::OkStatus();
}

std::shared_ptr<EventBatch> TestPass::Transform(const EventBatch& events, std::int64_t begin,
                                                std::int64_t end) {
  return Slice(events, begin, end);
}

graph::Contract TestJoin::contract() {
  graph::Contract contract;
  contract.Input(kLeft).Input(kRight).Output(kOut);
  contract.options_type = "weft.tests.v1.TestOptions";
  contract.micro_batch = 8;
  return contract;
}

absl::Status TestJoin::Process(graph::ProcessContext& context) {
  const bool left = context.port() == kLeft.name;
  const EventBatch& events = left ? context.Get(kLeft) : context.Get(kRight);
  Mix(events, context.begin(), context.end(), left ? 2 : 3);
  auto out = Slice(events, context.begin(), context.end());
  out->label.assign(out->source.size(), Label(hash()));
  context.Emit(kOut, std::shared_ptr<const EventBatch>(std::move(out)));
  return absl::OkStatus();
}

std::shared_ptr<EventBatch> Slice(const EventBatch& events, std::int64_t begin, std::int64_t end) {
  const auto slice = [&](const auto& column, std::int64_t width) {
    std::remove_cvref_t<decltype(column)> part;
    if (!column.empty()) part.assign(column.begin() + begin * width, column.begin() + end * width);
    return part;
  };
  auto out = std::make_shared<EventBatch>();
  out->source = slice(events.source, 1);
  out->target = slice(events.target, 1);
  out->time_us = slice(events.time_us, 1);
  out->label = slice(events.label, 1);
  out->feature = slice(events.feature, events.feature_count);
  out->feature_count = events.feature_count;
  return out;
}

void AddTestOperators(graph::Catalog& catalog) {
  catalog.Add<TestPass>("test_pass");
  catalog.Add<TestFold>("test_fold");
  catalog.Add<TestJoin>("test_join");
  catalog.Add<TestWiden>("test_widen");
  catalog.Add<TestGate>("test_gate");
  catalog.Add<TestJitter>("test_jitter");
  catalog.Add<TestFail>("test_fail");
  catalog.Add<TestLeak>("test_leak");
}

const graph::Catalog& TestCatalog() {
  static const graph::Catalog* const catalog = [] {
    auto made = std::make_unique<graph::Catalog>();
    AddTestOperators(*made);
    return made.release();
  }();
  return *catalog;
}

}  // namespace weft::tests
