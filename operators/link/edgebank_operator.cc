#include "operators/link/edgebank_operator.h"

#include <cmath>

#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/edgebank.h"

namespace weft::operators::link {

absl::StatusOr<std::unique_ptr<LinkModel>> EdgeBankOperator::MakeModel(
    graph::OpenContext& context, LinkOperatorSettings& settings) {
  constexpr std::int64_t kMaxPairs = std::int64_t{1} << 30;
  constexpr double kMaxSeconds = 1e12;
  const auto& message = context.Options<v1::EdgeBank>();
  WEFT_ASSIGN(settings, LinkSettings(context, "scoring", message.scoring()));
  EdgeBankOptions options;
  WEFT_ASSIGN(options.max_pairs, PositiveOption(context, "max_pairs", message.max_pairs(),
                                                options.max_pairs, kMaxPairs));
  if (!(message.window_seconds() >= 0.0 && message.window_seconds() <= kMaxSeconds)) {
    return context.OptionError("window_seconds", graph::Concat("expected 0 to ", kMaxSeconds,
                                                               ", got ", message.window_seconds()));
  }
  options.window_us = std::llround(message.window_seconds() * 1e6);
  options.directed = message.directed();
  options.batch = settings.batch;
  return std::make_unique<EdgeBank>(options);
}

}  // namespace weft::operators::link
