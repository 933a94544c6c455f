#include "operators/link/link_models.h"

#include <algorithm>
#include <map>

#include "graph/check.h"
#include "graph/suggestion.h"
#include "graph/text.h"
#include "operators/link/edgebank.h"
#include "operators/link/model_file.h"
#include "operators/link/nat_model.h"
#include "operators/link/recency.h"
#include "operators/link/warm_start.h"
#include "operators/link/weft_model.h"

namespace weft::operators::link {
namespace {

using ModelOr = absl::StatusOr<std::unique_ptr<LinkModel>>;

LinkReads ReadsOf(const LinkModelRequest& request) {
  return request.reads.value_or(LinkReads::kBeforeBatch);
}

ModelOr MakeEdgeBank(const LinkModelRequest& request) {
  EdgeBankOptions options;
  options.max_pairs = std::max<std::int64_t>(1, request.event_count);
  options.reads = ReadsOf(request);
  options.batch = request.batch;
  return std::make_unique<EdgeBank>(options);
}

ModelOr MakeEdgeBankWindow(const LinkModelRequest& request) {
  EdgeBankOptions options;
  options.max_pairs = std::max<std::int64_t>(1, request.event_count);
  options.reads = ReadsOf(request);
  options.batch = request.batch;
  options.window_us = std::max<graph::TimeUs>(1, request.window_us);
  return std::make_unique<EdgeBank>(options);
}

ModelOr MakeRecency(const LinkModelRequest& request) {
  RecencyOptions options;
  options.max_nodes = std::max<std::int64_t>(1, request.node_count);
  options.reads = ReadsOf(request);
  options.batch = request.batch;
  return std::make_unique<Recency>(options);
}

ModelOr MakeNatWith(cache::SlotRule rule, const LinkModelRequest& request) {
  NatOptions options;
  options.cache.rule = rule;
  // Of the published hash: an odd seed, because an even one uses a fifth of the slots.
  options.cache.seed = 7;
  options.cache.max_nodes = std::max<std::int64_t>(1024, request.node_count);
  options.reads = ReadsOf(request);
  options.micro_batch = request.batch;
  options.dimensions.feature_count = request.feature_count;
  options.seed = request.seed;
  options.learning = request.learns;
  return std::make_unique<NatModel>(options, gpu::HostExec{});
}

ModelOr MakeNat(const LinkModelRequest& request) {
  return MakeNatWith(cache::SlotRule::kRecency, request);
}

ModelOr MakeNatPaperSlots(const LinkModelRequest& request) {
  return MakeNatWith(cache::SlotRule::kPaper, request);
}

ModelOr MakeWeft(const LinkModelRequest& request) {
  WeftOptions options;
  options.table.max_nodes = std::max<std::int64_t>(1, request.node_count);
  if (request.slots != 0) options.table.slots = request.slots;
  if (!cache::IsPartnerSlotCount(options.table.slots))
    return absl::InvalidArgumentError(graph::Concat("slots: expected a multiple of 8, from 8 to ",
                                                    cache::kMaxPartnerSlots, ", got ",
                                                    options.table.slots));
  WEFT_ASSIGN(options.without, FindWeftGroups(request.without));
  options.reads = request.reads.value_or(LinkReads::kBeforeTime);
  options.step_events = request.batch;
  options.seed = request.seed;
  auto model = std::make_unique<WeftModel>(options, gpu::HostExec{});
  if (request.start == "warm") WEFT_TRY(ReadModelBytes("warm start", WarmStartModel(), *model));
  if (!request.start.empty() && request.start != "warm")
    WEFT_TRY(ReadModelFile(request.start, *model));
  return model;
}

const std::map<std::string, LinkModelFactory, std::less<>>& Models() {
  static const auto* const kModels = new std::map<std::string, LinkModelFactory, std::less<>>{
      {"edgebank", MakeEdgeBank}, {"edgebank_window", MakeEdgeBankWindow},
      {"nat", MakeNat},           {"nat_paper_slots", MakeNatPaperSlots},
      {"recency", MakeRecency},   {"weft", MakeWeft},
  };
  return *kModels;
}

}  // namespace

std::vector<std::string> LinkModelNames() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : Models()) names.push_back(name);
  return names;
}

absl::StatusOr<LinkModelFactory> FindLinkModel(std::string_view name) {
  const auto found = Models().find(name);
  if (found != Models().end()) return found->second;
  const std::vector<std::string> names = LinkModelNames();
  return absl::NotFoundError(graph::Concat(
      "expected a model (", graph::JoinNames(names, ", "), "), got ", name,
      graph::DidYouMean(name, std::vector<std::string_view>(names.begin(), names.end()))));
}

}  // namespace weft::operators::link
