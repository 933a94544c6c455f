// `nat`: NatModel (nat_model.h) as an operator. See nat.md.
#pragma once

#include "operators/link/link_operator.h"

namespace weft::operators::link {

class NatOperator final : public LinkOperator {
 public:
  static graph::Contract contract() { return LinkContract("weft.operators.link.v1.Nat"); }

 protected:
  absl::StatusOr<std::unique_ptr<LinkModel>> MakeModel(graph::OpenContext& context,
                                                       LinkOperatorSettings& settings) override;
};

}  // namespace weft::operators::link
