#include "operators/link/nat_model.h"

#include <algorithm>
#include <cstring>

#include "gpu/elementary.h"
#include "gpu/gemm.h"
#include "graph/check.h"

namespace weft::operators::link {
namespace {

// Pairs that ScorePairs takes at a time.
constexpr std::int64_t kReadPairs = 64;

// c[m x part.columns] = a[m x part.rows] * weights (+ bias), accumulating when asked to.
gpu::GemmArguments Product(std::int64_t m, const float* a, const NatPart& part,
                           const float* weights, float* c) {
  return {.m = m,
          .n = part.columns,
          .k = part.rows,
          .a = a,
          .a_row_stride = part.rows,
          .b = weights + part.offset,
          .b_row_stride = part.columns,
          .c = c,
          .c_row_stride = part.columns};
}

}  // namespace

NatModel::NatModel(const NatOptions& options, const gpu::Exec& exec)
    : GroupedLinkModel(options.reads, options.micro_batch),
      options_(options),
      exec_(exec),
      layout_(options.dimensions),
      weights_(layout_.count, gpu::MemoryOf(exec)),
      adam_(layout_.count, options.adam, gpu::MemoryOf(exec)),
      cache_(options.cache, std::max(4 * options.micro_batch, 2 * kReadPairs), gpu::MemoryOf(exec)),
      self_state_(0, gpu::MemoryOf(exec)),
      record_(0, gpu::MemoryOf(exec)),
      projection_(0, gpu::MemoryOf(exec)),
      features_(options.dimensions.feature_count, options.feature_events, gpu::MemoryOf(exec)),
      feature_projection_(features_.row_count(), gpu::MemoryOf(exec)),
      workspace_(layout_, 2 * options.micro_batch, cache_.layout().slot_count, options.learning,
                 gpu::MemoryOf(exec)),
      interactions_(options.micro_batch, gpu::MemoryOf(exec)),
      read_workspace_(std::make_unique<NatWorkspace>(
          layout_, kReadPairs, cache_.layout().slot_count, false, gpu::MemoryOf(exec))) {
  layout_.Initialize(options.seed, weights_.data());
  ResetState();
}

std::vector<std::pair<std::string, std::int64_t>> NatModel::dims() const {
  return {
      {"self", layout_.dimensions.self_width},        {"neighbor", kSlotWidth},
      {"position", layout_.dimensions.mask_width},    {"hidden", layout_.dimensions.hidden_width},
      {"features", layout_.dimensions.feature_count}, {"slots_hop0", options_.cache.slots[0]},
      {"slots_hop1", options_.cache.slots[1]},        {"slots_hop2", options_.cache.slots[2]}};
}

std::int64_t NatModel::bytes_per_node() const {
  return cache_.row_bytes() + static_cast<std::int64_t>(sizeof(NatRecord) + sizeof(NatProjection)) +
         static_cast<std::int64_t>(sizeof(float)) * layout_.dimensions.self_width;
}

std::optional<float> NatModel::LogOdds(float random) const {
  const float probability = std::clamp(random, 1e-6f, 1.0f - 1e-6f);
  return gpu::Log(probability / (1.0f - probability));
}

void NatModel::ResetState() {
  cache_.Clear();
  self_state_.Allocate(256 * std::int64_t{layout_.dimensions.self_width});
  record_.Allocate(256);
  projection_.Allocate(256);
  features_.Clear();
  feature_projection_.Clear();
  stream_ = {};
  read_is_current_ = false;
}

NatNow NatModel::NowAt(graph::TimeUs time_us) const {
  NatNow now;
  now.time_us = time_us;
  now.ordinal = static_cast<std::uint32_t>(stream_.event_count + 1);
  const std::int64_t span = stream_.last_us - stream_.first_us;
  if (span > 0)
    now.gaps_per_us =
        static_cast<float>(static_cast<double>(stream_.event_count) / static_cast<double>(span));
  return now;
}

void NatModel::ReadNodes(NatWorkspace& workspace, cache::NeighborCache& cache,
                         graph::TimeUs time_us, NatView& view) const {
  workspace.FinishPlan(view);
  view.dimensions = layout_.dimensions;
  view.extended_width = layout_.extended_width();
  view.input_width = layout_.input_width();
  view.joint_width = layout_.joint_width();
  view.now = NowAt(time_us);
  view.self_state = self_state_.data();
  view.record = record_.data();
  view.key.projection = projection_.data();
  view.event.projection = feature_projection_.data();
  view.event_feature = features_.rows();
  view.weights = weights_.data();
  view.layout_on_host = &layout_;
  FindNodes(workspace, cache, view.now);
  view.reads = cache.Read(exec_, workspace.nodes());
  FindProjected(workspace, cache, view);

  const float* w = weights_.data();
  std::visit([&](const auto& e) { NatNodeInputsOn(e, view); }, exec_);
  gpu::Gemm(exec_,
            Product(view.node_count, view.self_input, layout_.self_input, w, view.self_mixed));
  gpu::GemmArguments gates =
      Product(view.node_count, view.self_mixed, layout_.self_gate_input, w, view.gate_input);
  gates.bias = w + layout_.self_gate_input_bias.offset;
  gpu::Gemm(exec_, gates);
  gates = Product(view.node_count, view.self_before, layout_.self_gate_state, w, view.gate_state);
  gates.bias = w + layout_.self_gate_state_bias.offset;
  gpu::Gemm(exec_, gates);
  std::visit([&](const auto& e) { NatSelfGruOn(e, view); }, exec_);

  Renew(self_state_.data(), layout_.slot_key, view.key);
  if (features_.feature_count() > 0) Renew(features_.rows(), layout_.slot_event, view.event);
  std::visit([&](const auto& e) { NatSlotsOn(e, view); }, exec_);
}

void NatModel::FindNodes(NatWorkspace& workspace, const cache::NeighborCache& cache,
                         const NatNow& now) const {
  const std::span<const std::uint32_t> nodes = workspace.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::uint32_t row = cache.rows().Find(nodes[i]);
    const NatRecord& record = record_[row];
    workspace.node_row[i] = row;
    workspace.opponent_row[i] =
        row == cache::kNoRow ? cache::kNoRow : cache.rows().Find(record.opponent);
    const std::uint32_t ordinal = record.LastOrdinal();
    workspace.node_event[i] = ordinal == 0 ? 0 : features_.RowOf(ordinal, now.ordinal);
  }
}

void NatModel::FindProjected(NatWorkspace& workspace, const cache::NeighborCache& cache,
                             NatView& view) const {
  const std::int32_t count = view.reads.entry_count;
  for (std::int32_t m = 0; m < count; ++m)
    workspace.key.entry_row[m] = cache.rows().Find(view.reads.key[m]);
  FindStale(workspace.key, count, view.key);
  if (features_.feature_count() == 0) return;
  for (std::int32_t m = 0; m < count; ++m)
    workspace.event.entry_row[m] = features_.RowOf(view.reads.ordinal[m], view.now.ordinal);
  FindStale(workspace.event, count, view.event);
}

void NatModel::FindStale(const NatWorkspace::Projected& rows, std::int32_t entry_count,
                         NatProjected& view) const {
  view.stale_count = 0;
  for (std::int32_t m = 0; m < entry_count; ++m) {
    NatProjection& projection = view.projection[rows.entry_row[m]];
    if (projection.version == weights_version_) continue;
    projection.version = weights_version_;
    rows.stale_row[view.stale_count++] = rows.entry_row[m];
  }
}

void NatModel::Renew(const float* matrix, const NatPart& part, const NatProjected& view) const {
  gpu::GemmArguments product =
      Product(view.stale_count, matrix, part, weights_.data(), view.stale_product);
  product.a_row = view.stale_row;
  gpu::Gemm(exec_, product);
  std::visit([&](const auto& e) { NatKeepProjectionsOn(e, view); }, exec_);
}

void NatModel::ScoreReadPairs(const NatView& view) const {
  const float* w = weights_.data();
  std::visit([&](const auto& e) { NatJointOn(e, view); }, exec_);
  gpu::GemmArguments embedding =
      Product(view.pair_count, view.histogram, layout_.mask_embedding, w, view.joint);
  embedding.c_row_stride = view.joint_width;
  gpu::Gemm(exec_, embedding);
  gpu::GemmArguments source = Product(view.source_count, view.source_extended,
                                      layout_.source_hidden, w, view.source_hidden);
  source.bias = w + layout_.hidden_bias.offset;
  gpu::Gemm(exec_, source);
  gpu::Gemm(exec_, Product(view.target_count, view.target_extended, layout_.target_hidden, w,
                           view.target_hidden));
  std::visit([&](const auto& e) { NatHiddenStartOn(e, view); }, exec_);
  gpu::GemmArguments hidden =
      Product(view.pair_count, view.joint, layout_.joint_hidden, w, view.hidden);
  hidden.accumulate = true;
  gpu::Gemm(exec_, hidden);
  std::visit([&](const auto& e) { NatLogitsOn(e, view); }, exec_);
}

void NatModel::Score(graph::EventSpan events, std::span<const graph::NodeId> negative,
                     std::span<float> positive_score, std::span<float> negative_score) {
  WEFT_CHECK(events.size() <= options_.micro_batch);
  gpu::Synchronize(exec_);  // the last batch's kernels read what is about to be written
  workspace_.StartPlan();
  const auto count = static_cast<std::size_t>(events.size());
  for (std::size_t i = 0; i < count; ++i) workspace_.AddPair(events.source[i], events.target[i]);
  for (std::size_t i = 0; i < negative.size(); ++i)
    workspace_.AddPair(events.source[i], negative[i]);
  ReadNodes(workspace_, cache_, events.time_us[0], view_);
  ScoreReadPairs(view_);
  gpu::Synchronize(exec_);
  for (std::size_t i = 0; i < count; ++i) positive_score[i] = gpu::Sigmoid(view_.logit[i]);
  for (std::size_t i = 0; i < negative.size(); ++i)
    negative_score[i] = gpu::Sigmoid(view_.logit[count + i]);
  view_.event_count = static_cast<std::int32_t>(count);
  view_.negative_count = static_cast<std::int32_t>(std::count_if(
      negative.begin(), negative.end(), [](graph::NodeId node) { return node != graph::kNoNode; }));
  read_is_current_ = true;
  read_time_us_ = events.time_us[0];
  read_source_.assign(events.source.begin(), events.source.end());
  read_target_.assign(events.target.begin(), events.target.end());
}

bool NatModel::ReadIsOf(graph::EventSpan events) const {
  return read_is_current_ && read_time_us_ == events.time_us[0] &&
         std::ranges::equal(read_source_, events.source) &&
         std::ranges::equal(read_target_, events.target);
}

void NatModel::GrowRows() {
  const std::int64_t rows = cache_.rows().size() + 1;
  if (rows <= record_.size()) return;
  const std::int64_t larger =
      std::max(rows, std::min(2 * record_.size(), cache_.rows().max_rows() + 1));
  record_.Grow(larger);
  projection_.Grow(larger);
  self_state_.Grow(larger * layout_.dimensions.self_width);
}

void NatModel::KeepFeatures(graph::EventSpan events) {
  const std::uint32_t next = static_cast<std::uint32_t>(stream_.event_count + 1);
  for (std::int64_t i = 0; i < events.size(); ++i) {
    const std::uint32_t ordinal = interactions_[i].ordinal;
    features_.Append(events, i, ordinal);
    feature_projection_[features_.RowOf(ordinal, next)].version = 0;
  }
}

void NatModel::Observe(graph::EventSpan events) {
  const auto count = static_cast<std::size_t>(events.size());
  if (count == 0) return;
  gpu::Synchronize(exec_);
  if (!ReadIsOf(events)) {
    workspace_.StartPlan();
    for (std::size_t i = 0; i < count; ++i) workspace_.AddPair(events.source[i], events.target[i]);
    ReadNodes(workspace_, cache_, events.time_us[0], view_);
    gpu::Synchronize(exec_);
  }
  read_is_current_ = false;
  if (stream_.event_count == 0) stream_.first_us = stream_.last_us = events.time_us[0];
  for (std::size_t i = 0; i < count; ++i)
    interactions_[static_cast<std::int64_t>(i)] = {
        events.source[i], events.target[i], events.time_us[i],
        static_cast<std::uint32_t>(++stream_.event_count)};
  if (features_.feature_count() > 0) KeepFeatures(events);
  for (const graph::TimeUs time_us : events.time_us) {
    stream_.first_us = std::min(stream_.first_us, time_us);
    stream_.last_us = std::max(stream_.last_us, time_us);
  }
  const std::size_t width = static_cast<std::size_t>(layout_.dimensions.self_width);
  std::size_t side = 0;
  const auto admitted = [&](std::uint32_t row, bool fresh) {
    GrowRows();
    const std::size_t i = side / 2;
    const bool is_source = side++ % 2 == 0;
    NatRecord& record = record_[row];
    if (fresh) record = {};
    projection_[row].version = 0;
    const std::int32_t read = is_source ? view_.pair_source[i] : view_.pair_target[i];
    std::memcpy(self_state_.data() + row * width, view_.extended + read * view_.extended_width,
                width * sizeof(float));
    record.opponent = is_source ? events.target[i] : events.source[i];
    (is_source ? record.last_out_us : record.last_in_us) = events.time_us[i];
    (is_source ? record.last_out_ordinal : record.last_in_ordinal) =
        interactions_[static_cast<std::int64_t>(i)].ordinal;
    ++(is_source ? record.out_count : record.in_count);
  };
  cache_.Observe(exec_, interactions_.span().first(count), workspace_.pair_source(),
                 workspace_.pair_target(), view_.slot_after, view_.entry_stride, admitted);
}

void NatModel::ScorePairs(std::span<const graph::NodeId> source,
                          std::span<const graph::NodeId> target, graph::TimeUs time_us,
                          std::span<PairScore> score) const {
  NatView view = {};
  gpu::Synchronize(exec_);
  read_is_current_ = false;  // the cache's scratch is about to be used
  for (std::size_t begin = 0; begin < source.size(); begin += kReadPairs) {
    const std::size_t end = std::min(source.size(), begin + static_cast<std::size_t>(kReadPairs));
    read_workspace_->StartPlan();
    for (std::size_t i = begin; i < end; ++i) read_workspace_->AddPair(source[i], target[i]);
    ReadNodes(*read_workspace_, cache_, time_us, view);
    ScoreReadPairs(view);
    gpu::Synchronize(exec_);
    for (std::size_t i = begin; i < end; ++i)
      score[i] = PairScore::Of(gpu::Sigmoid(view.logit[i - begin]));
  }
}

}  // namespace weft::operators::link
