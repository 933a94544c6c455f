// `weft`: WeftModel (weft_model.h) as an operator. See weft.md.
#pragma once

#include "operators/link/link_operator.h"

namespace weft::operators::link {

class WeftOperator final : public LinkOperator {
 public:
  // before_time, with micro-batches of 64 events that are worked on together.
  static graph::Contract contract();

 protected:
  absl::StatusOr<std::unique_ptr<LinkModel>> MakeModel(graph::OpenContext& context,
                                                       LinkOperatorSettings& settings) override;
};

}  // namespace weft::operators::link
