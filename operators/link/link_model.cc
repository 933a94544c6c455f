#include "operators/link/link_model.h"

namespace weft::operators::link {

void LinkModel::ObservePast(const PastEvents& past) {
  std::vector<PairScore> scores(static_cast<std::size_t>(past.events.size()));
  Advance({.events = past.events, .negative = {}, .extra_begin = {}, .extra = {}, .learn = false},
          {.positive = scores, .negative = {}, .extra = {}});
}

}  // namespace weft::operators::link
