#include "operators/sequence/anomaly_experts.h"

#include "graph/option_bound.h"

namespace weft::operators::sequence {

absl::Status LevelExpert::Read(const graph::OpenContext& context, Options& options) {
  constexpr std::int64_t kMostLength = 1'000'000;
  return graph::ReadBound(context, "length", context.Options<Message>().length(), 1, kMostLength,
                          options.length);
}

absl::Status DiscordExpert::Read(const graph::OpenContext& context, Options& options) {
  constexpr std::int64_t kMostBlock = 10'000;
  const auto& message = context.Options<Message>();
  if (message.values() == v1::BLOCK_VALUES_EXTREMES) options.value = BlockValue::kExtremum;
  options.dead_zone = message.dead_zone();
  return graph::ReadBound(context, "block", message.block(), 1, kMostBlock, options.block);
}

}  // namespace weft::operators::sequence
