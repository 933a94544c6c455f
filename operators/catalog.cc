#include "operators/catalog.h"

#include "graph/text.h"
#include "operators/hierarchy/episode_predictor.h"
#include "operators/hierarchy/episode_readout.h"
#include "operators/hierarchy/episode_segmenter.h"
#include "operators/hierarchy/episode_tree_build.h"
#include "operators/hierarchy/salience.h"
#include "operators/hierarchy/snapshot_builder.h"
#include "operators/link/edgebank_operator.h"
#include "operators/link/link_evaluation_operator.h"
#include "operators/link/nat_operator.h"
#include "operators/link/negative_sampler.h"
#include "operators/link/recency_operator.h"
#include "operators/link/weft_operator.h"
#include "operators/sequence/anomaly_experts.h"
#include "operators/sequence/anomaly_likelihood_operator.h"
#include "operators/sequence/forecast_experts.h"
#include "operators/sequence/opinion_operators.h"
#include "operators/sequence/sdr_classifier_operator.h"
#include "operators/sequence/sequence_model.h"
#include "operators/sequence/sparse_encoder.h"
#include "operators/sequence/sparsey_operator.h"
#include "operators/sequence/spatial_pooler_operator.h"
#include "operators/sequence/temporal_memory_operator.h"

namespace weft::operators {

const graph::Catalog& OperatorCatalog() {
  static const auto* const kCatalog = [] {
    auto* catalog = new graph::Catalog();
#define WEFT_OPERATOR(name, type) catalog->Add<type>(name);
#include "operators/catalog.inc"
#undef WEFT_OPERATOR
    return catalog;
  }();
  return *kCatalog;
}

std::string OperatorPage(std::string_view name) {
  // Families are namespaces, and folders.
  struct Entry {
    std::string_view name;
    std::string_view type;
  };
  static constexpr Entry kEntries[] = {
#define WEFT_OPERATOR(name, type) {name, #type},
#include "operators/catalog.inc"
#undef WEFT_OPERATOR
  };
  for (const Entry& entry : kEntries) {
    if (entry.name != name) continue;
    return graph::Concat("operators/", entry.type.substr(0, entry.type.find(':')), "/", name,
                         ".md");
  }
  return "";
}

}  // namespace weft::operators
