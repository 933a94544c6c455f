// The operators of the product.
#pragma once

#include <string_view>

#include "graph/catalog.h"

namespace weft::operators {

// Every operator of catalog.inc. Built on first use; from any thread.
const graph::Catalog& OperatorCatalog();

// The page of an operator, relative to the repository: "operators/link/edgebank.md"; empty for an
// unknown name.
std::string OperatorPage(std::string_view name);

}  // namespace weft::operators
