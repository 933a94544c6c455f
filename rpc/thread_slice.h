// How long a thread may run before another one gets its turn, where the kernel lets it be asked
// for.
#pragma once

namespace weft::rpc {

// Asks for turns of a tenth of a millisecond for the calling thread and for those that it starts:
// a thread that waits for requests then interrupts one that computes, instead of waiting for the
// end of its turn (about 3 ms). A wish: Linux heeds it from 6.12 on.
void AskForShortSlices();
// Back to what is usual.
void AskForUsualSlices();

}  // namespace weft::rpc
