// `edgebank`: EdgeBank (edgebank.h) as an operator. See edgebank.md.
#pragma once

#include "operators/link/link_operator.h"

namespace weft::operators::link {

class EdgeBankOperator final : public LinkOperator {
 public:
  static graph::Contract contract() { return LinkContract("weft.operators.link.v1.EdgeBank"); }

 protected:
  absl::StatusOr<std::unique_ptr<LinkModel>> MakeModel(graph::OpenContext& context,
                                                       LinkOperatorSettings& settings) override;
};

}  // namespace weft::operators::link
