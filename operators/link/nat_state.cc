// NatModel's saving and loading.
#include <vector>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/nat_model.h"

namespace weft::operators::link {
namespace {

template <class T>
std::span<const std::byte> BytesOf(std::span<const T> values) {
  return std::as_bytes(values);
}

template <class T>
std::span<const std::byte> BytesOfOne(const T& value) {
  return std::as_bytes(std::span<const T>(&value, 1));
}

template <class T>
std::span<std::byte> WritableBytesOfOne(T& value) {
  return std::as_writable_bytes(std::span<T>(&value, 1));
}

// What a state section starts with.
struct StateHeader {
  std::int64_t event_count;
  std::int64_t first_us;
  std::int64_t last_us;
  std::int64_t row_count;
  std::int64_t row_bytes;
  std::int64_t eviction_count;
};

std::string Describe(const NatDimensions& d) {
  return graph::Concat("self_width ", d.self_width, ", position_width ", d.mask_width,
                       ", hidden_width ", d.hidden_width, ", feature_count ", d.feature_count);
}

}  // namespace

absl::Status NatModel::SaveWeights(graph::CheckpointSink& sink) const {
  WEFT_TRY(sink.Write("dimensions", BytesOfOne(layout_.dimensions)));
  WEFT_TRY(sink.Write("weights", BytesOf(weights_.span())));
  WEFT_TRY(sink.Write("optimizer", BytesOf(adam_.moments().span())));
  return sink.Write("optimizer", BytesOfOne(adam_.powers()));
}

absl::Status NatModel::LoadWeights(graph::CheckpointSource& source) {
  NatDimensions dimensions;
  WEFT_TRY(source.Read("dimensions", WritableBytesOfOne(dimensions)));
  if (!(dimensions == layout_.dimensions))
    return absl::FailedPreconditionError(
        graph::Concat("expected a model with ", Describe(layout_.dimensions),
                      ", as the options ask for, got one with ", Describe(dimensions)));
  ++weights_version_;
  WEFT_TRY(source.Read("weights", std::as_writable_bytes(weights_.span())));
  WEFT_TRY(source.Read("optimizer", std::as_writable_bytes(adam_.moments().span())));
  return source.Read("optimizer", WritableBytesOfOne(adam_.powers()));
}

absl::Status NatModel::SaveState(graph::CheckpointSink& sink) const {
  const cache::RowIndex& rows = cache_.rows();
  const StateHeader header{stream_.event_count, stream_.first_us,   stream_.last_us,
                           rows.size(),         cache_.row_bytes(), rows.eviction_count()};
  WEFT_TRY(sink.Write("stream", BytesOfOne(header)));
  const std::vector<std::uint32_t> nodes = rows.KeysByRow();
  const std::vector<std::uint32_t> order = rows.RowsOldestFirst();
  WEFT_TRY(sink.Write("nodes", std::as_bytes(std::span(nodes))));
  WEFT_TRY(sink.Write("order", std::as_bytes(std::span(order))));
  WEFT_TRY(sink.Write("rows", cache_.used_rows()));
  const auto count = static_cast<std::size_t>(rows.size());
  const auto width = static_cast<std::size_t>(layout_.dimensions.self_width);
  WEFT_TRY(sink.Write("self_state", BytesOf(self_state_.span().subspan(width, count * width))));
  WEFT_TRY(sink.Write("records", BytesOf(record_.span().subspan(1, count))));
  return features_.Save(stream_.event_count, sink);
}

absl::Status NatModel::LoadState(graph::CheckpointSource& source) {
  StateHeader header{};
  WEFT_TRY(source.Read("stream", WritableBytesOfOne(header)));
  if (header.row_bytes != cache_.row_bytes() || header.row_count < 0 ||
      header.row_count > cache_.rows().max_rows())
    return absl::DataLossError("the saved neighbour cache does not fit the options");
  ResetState();
  const auto count = static_cast<std::size_t>(header.row_count);
  std::vector<std::uint32_t> nodes(count), order(count);
  WEFT_TRY(source.Read("nodes", std::as_writable_bytes(std::span(nodes))));
  WEFT_TRY(source.Read("order", std::as_writable_bytes(std::span(order))));
  if (!cache_.mutable_rows().Restore(nodes, order, header.eviction_count))
    return absl::DataLossError(
        "expected rows of distinct nodes and an order that names each row once");
  WEFT_TRY(source.Read("rows", cache_.MakeRows(header.row_count)));
  GrowRows();
  const auto width = static_cast<std::size_t>(layout_.dimensions.self_width);
  WEFT_TRY(source.Read("self_state",
                       std::as_writable_bytes(self_state_.span().subspan(width, count * width))));
  WEFT_TRY(source.Read("records", std::as_writable_bytes(record_.span().subspan(1, count))));
  stream_ = {header.event_count, header.first_us, header.last_us};
  return features_.Load(stream_.event_count, source);
}

}  // namespace weft::operators::link
