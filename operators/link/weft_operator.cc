#include "operators/link/weft_operator.h"

#include "gpu/device.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/link/model_file.h"
#include "operators/link/warm_start.h"
#include "operators/link/weft_model.h"

namespace weft::operators::link {
namespace {

constexpr std::int32_t kBatch = 64;
constexpr std::int64_t kMaxNodes = std::int64_t{1} << 28;
constexpr std::int64_t kMostVersions = 32;
constexpr std::int64_t kMaxBeforeRows = std::int64_t{1} << 20;

LinkReads ReadsOf(v1::Weft::Reads reads) {
  switch (reads) {
    case v1::Weft::READS_BEFORE_EVENT:
      return LinkReads::kBeforeEvent;
    case v1::Weft::READS_BEFORE_BATCH:
      return LinkReads::kBeforeBatch;
    default:
      return LinkReads::kBeforeTime;
  }
}

absl::Status ReadTable(const graph::OpenContext& context, const v1::Weft& message,
                       cache::PartnerTableOptions& table) {
  const std::int32_t slots = message.slots() == 0 ? table.slots : message.slots();
  if (!cache::IsPartnerSlotCount(slots))
    return context.OptionError(
        "slots", graph::Concat("expected 0 (which means ", table.slots,
                               ") or a multiple of 8 up to ", kMaxPartnerSlots, ", got ", slots));
  table.slots = slots;
  WEFT_ASSIGN(table.max_nodes, PositiveOption(context, "max_nodes", message.max_nodes(),
                                              table.max_nodes, kMaxNodes));
  WEFT_ASSIGN(const std::int64_t before_rows,
              PositiveOption(context, "before_rows", message.before_rows(), table.before_rows,
                             kMaxBeforeRows));
  table.before_rows = static_cast<std::int32_t>(before_rows);
  return absl::OkStatus();
}

}  // namespace

graph::Contract WeftOperator::contract() {
  graph::Contract contract = LinkContract("weft.operators.link.v1.Weft");
  contract.reads = graph::Reads::kBeforeTime;
  contract.micro_batch = kBatch;
  contract.state_version = 3;
  return contract;
}

absl::StatusOr<std::unique_ptr<LinkModel>> WeftOperator::MakeModel(graph::OpenContext& context,
                                                                   LinkOperatorSettings& settings) {
  const auto& message = context.Options<v1::Weft>();
  WEFT_ASSIGN(settings, LinkSettings(context, "scoring", message.scoring()));
  if (message.scoring().batch() == 0) settings.batch = kBatch;
  settings.learn = message.learn();
  WeftOptions options;
  WEFT_TRY(ReadTable(context, message, options.table));
  WEFT_ASSIGN(options.adam.learning_rate,
              LearningRateOption(context, message.learning_rate(), options.adam.learning_rate));
  WEFT_ASSIGN(const std::int64_t max_versions,
              PositiveOption(context, "max_versions", message.max_versions(), options.max_versions,
                             kMostVersions));
  options.max_versions = static_cast<std::int32_t>(max_versions);
  options.guard = !message.no_guard();
  options.reads = ReadsOf(message.reads());
  options.step_events = settings.batch;
  options.seed = message.seed();
  std::string error;
  const std::optional<gpu::Exec> exec = gpu::OpenExec(context.device(), error);
  if (!exec) return absl::FailedPreconditionError(error);
  auto model = std::make_unique<WeftModel>(options, *exec);
  if (message.model_file().empty() && !message.cold_start())
    WEFT_TRY(ReadModelBytes("warm start", WarmStartModel(), *model));
  WEFT_TRY(ReadModelOption(context, message.model_file(), message.model_digest(), *model));
  return model;
}

}  // namespace weft::operators::link
