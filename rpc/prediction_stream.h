// The server's side of one SubscribePredictions stream.
#pragma once

#include <grpcpp/grpcpp.h>

#include "rpc/services.h"

namespace weft::rpc {

// Deletes itself when the call is over.
grpc::ServerWriteReactor<v1::SubscribePredictionsResponse>* StartPredictionStream(
    const ServiceEnvironment& environment, grpc::CallbackServerContext& context,
    const v1::SubscribePredictionsRequest& request);

}  // namespace weft::rpc
