#include "operators/link/recency_operator.h"

#include "graph/check.h"
#include "operators/link/recency.h"

namespace weft::operators::link {

absl::StatusOr<std::unique_ptr<LinkModel>> RecencyOperator::MakeModel(
    graph::OpenContext& context, LinkOperatorSettings& settings) {
  constexpr std::int64_t kMaxNodes = std::int64_t{1} << 28;
  const auto& message = context.Options<v1::Recency>();
  WEFT_ASSIGN(settings, LinkSettings(context, "scoring", message.scoring()));
  RecencyOptions options;
  WEFT_ASSIGN(options.max_nodes, PositiveOption(context, "max_nodes", message.max_nodes(),
                                                options.max_nodes, kMaxNodes));
  WEFT_ASSIGN(const std::int64_t partners,
              PositiveOption(context, "partners_per_node", message.partners_per_node(),
                             options.partners_per_node, 1024));
  options.batch = settings.batch;
  options.partners_per_node = static_cast<std::int32_t>(partners);
  return std::make_unique<Recency>(options);
}

}  // namespace weft::operators::link
