#include "operators/link/nat_operator.h"

#include <bit>

#include "gpu/device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/nat_model.h"

namespace weft::operators::link {
namespace {

constexpr std::int64_t kMaxNodes = std::int64_t{1} << 28;
// Keys of a row fit the hash tables of the joint step.
constexpr std::int64_t kMaxSlots = 64;
constexpr std::int32_t kMaxFeatures = 1024;
constexpr std::int64_t kMaxFeatureEvents = std::int64_t{1} << 24;

absl::StatusOr<std::int32_t> WidthOption(const graph::OpenContext& context, std::string_view field,
                                         std::int64_t value, std::int32_t fallback) {
  WEFT_ASSIGN(const std::int64_t width, PositiveOption(context, field, value, fallback, 1024));
  return static_cast<std::int32_t>(width);
}

cache::SlotRule RuleOf(v1::Nat::SlotRule rule) {
  switch (rule) {
    case v1::Nat::SLOT_RULE_PAPER:
      return cache::SlotRule::kPaper;
    case v1::Nat::SLOT_RULE_MIXING_HASH:
      return cache::SlotRule::kMixingHash;
    default:
      return cache::SlotRule::kRecency;
  }
}

absl::Status ReadSlots(const graph::OpenContext& context, const v1::Nat& message,
                       cache::NeighborCacheOptions& cache) {
  if (message.hops() < 0 || message.hops() > 2)
    return context.OptionError(
        "hops", graph::Concat("expected 0 (which means 2), 1 or 2, got ", message.hops()));
  WEFT_ASSIGN(const std::int64_t first,
              PositiveOption(context, "first_hop_slots", message.first_hop_slots(), cache.slots[1],
                             kMaxSlots));
  WEFT_ASSIGN(const std::int64_t second,
              PositiveOption(context, "second_hop_slots", message.second_hop_slots(),
                             cache.slots[2], kMaxSlots));
  cache.slots[1] = static_cast<std::int32_t>(first);
  cache.slots[2] = message.hops() == 1 ? 0 : static_cast<std::int32_t>(second);
  // All of hop 1 is one set; hop 2, which is written 16 times as often, has sets of four where that
  // divides it.
  cache.ways[1] = cache.slots[1];
  cache.ways[2] = cache.slots[2] % 4 == 0 ? 4 : 1;
  return absl::OkStatus();
}

absl::Status ReadFeatures(const graph::OpenContext& context, const v1::Nat& message,
                          NatOptions& options) {
  const std::int32_t features =
      message.has_feature_count() ? message.feature_count() : context.feature_count();
  if (features < 0 || features > kMaxFeatures)
    return context.OptionError("feature_count",
                               graph::Concat("expected 0 to ", kMaxFeatures, ", got ", features));
  options.dimensions.feature_count = features;
  WEFT_ASSIGN(const std::int64_t events,
              PositiveOption(context, "feature_events", message.feature_events(),
                             options.feature_events, kMaxFeatureEvents));
  options.feature_events =
      static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(events)));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LinkModel>> NatOperator::MakeModel(graph::OpenContext& context,
                                                                  LinkOperatorSettings& settings) {
  const auto& message = context.Options<v1::Nat>();
  WEFT_ASSIGN(settings, LinkSettings(context, "scoring", message.scoring()));
  settings.learn = message.learn();
  NatOptions options;
  WEFT_TRY(ReadSlots(context, message, options.cache));
  WEFT_ASSIGN(options.cache.max_nodes, PositiveOption(context, "max_nodes", message.max_nodes(),
                                                      options.cache.max_nodes, kMaxNodes));
  if (options.cache.max_nodes < 4 * settings.batch)
    return context.OptionError(
        "max_nodes", graph::Concat("expected at least four times the batch of ", settings.batch,
                                   ", got ", options.cache.max_nodes));
  if (message.replace_probability() < 0.0f || message.replace_probability() > 1.0f)
    return context.OptionError("replace_probability", graph::Concat("expected 0 to 1, got ",
                                                                    message.replace_probability()));
  if (message.replace_probability() > 0.0f)
    options.cache.replace_probability = message.replace_probability();
  options.cache.rule = RuleOf(message.slot_rule());
  options.cache.seed = message.seed();
  WEFT_ASSIGN(options.dimensions.self_width,
              WidthOption(context, "self_width", message.self_width(), 72));
  WEFT_ASSIGN(options.dimensions.mask_width,
              WidthOption(context, "position_width", message.position_width(), 16));
  WEFT_ASSIGN(options.dimensions.hidden_width,
              WidthOption(context, "hidden_width", message.hidden_width(), 144));
  WEFT_TRY(ReadFeatures(context, message, options));
  WEFT_ASSIGN(options.adam.learning_rate,
              LearningRateOption(context, message.learning_rate(), options.adam.learning_rate));
  options.micro_batch = settings.batch;
  options.seed = message.seed();
  options.learning = message.learn();

  std::string error;
  const std::optional<gpu::Exec> exec = gpu::OpenExec(context.device(), error);
  if (!exec) return absl::FailedPreconditionError(error);
  auto model = std::make_unique<NatModel>(options, *exec);
  WEFT_TRY(ReadModelOption(context, message.model_file(), message.model_digest(), *model));
  return model;
}

}  // namespace weft::operators::link
