// What server and clients of a stream of messages say to each other beside the messages.
#pragma once

namespace weft::rpc {

// In the initial metadata once the subscription stands: a call that is refused has initial metadata
// too for a client that waits for it, but not this.
inline constexpr char kSubscribedKey[] = "weft-subscribed";

}  // namespace weft::rpc
