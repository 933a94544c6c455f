// MessageStream: the server's side of a call that answers with many messages, whatever carries
// them.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace weft::rpc {

// Thread rule: one thread at a time.
class MessageStream {
 public:
  enum class Step {
    kMessage,  // `message` is the next one
    kNothing,  // none is there yet; `ready` will be called
    kEnd,      // none will come; status() says why
  };

  // No more calls of `ready` once this has returned.
  virtual ~MessageStream() = default;

  // Never waits. `message` is of the method's response type.
  virtual Step Next(google::protobuf::Message& message) = 0;
  virtual absl::Status status() const = 0;
};

// Called on any thread when there may be a message; must be short.
using StreamReady = std::function<void()>;

}  // namespace weft::rpc
