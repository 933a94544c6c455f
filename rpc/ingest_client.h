// IngestClient: events into a feed. Batches them, keeps within the server's credits, and after a
// broken connection goes on where the log stands, so that every event enters it once.
//
//   WEFT_ASSIGN(auto client, rpc::IngestClient::Open({.address = "127.0.0.1:7171", .feed =
//   "events", .producer = "p1"})); for (...) WEFT_TRY(client->Add("anna", "bert", time_us, {},
//   {})); WEFT_TRY(client->Finish());
//
// Thread rule: one thread, except for progress(), which any thread may call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "weft/v1/ingest.pb.h"

namespace weft::rpc {

class IngestClient {
 public:
  struct Options {
    std::string address;  // "host:port"
    std::string feed;
    std::string producer;  // unique in the feed
    bool resume = false;   // go on where this producer stopped
    std::int32_t feature_count = 0;
    // At most; fewer where the server takes fewer, or where they would be more than half of the
    // largest message.
    std::int64_t batch_events = 8192;
    // How long to go on trying when the connection breaks; 0: not at all.
    double reconnect_seconds = 60;
    // Called for each event that the server did not accept, on a thread of the client; must not
    // call it.
    std::function<void(std::uint64_t seq, v1::RejectReason reason)> on_reject = nullptr;
  };
  struct Progress {
    std::uint64_t sent_seq = 0;  // after the last event put on the way
    std::uint64_t durable_seq = 0;
    std::uint64_t applied_seq = 0;
    std::uint64_t rejected_count = 0;
    std::uint64_t reconnect_count = 0;
    std::optional<v1::LogPosition> position;  // for min_position of a read
  };
  enum class Level { kDurable, kApplied };

  // Connects and says hello; a server that asks to try again (RetryInfo) is asked again for
  // `reconnect_seconds`. Fails with what the server answers the hello with: see
  // IngestService.Ingest.
  static absl::StatusOr<std::unique_ptr<IngestClient>> Open(Options options);
  // Gives up what is not acknowledged.
  virtual ~IngestClient() = default;

  // Sequence number of the first event to Add: 0 for a new producer.
  virtual std::uint64_t next_seq() const = 0;
  // Digest of the event before it (rpc/event_digest.h); 0 if unknown. A resumed file is compared
  // with it.
  virtual std::uint64_t last_event_digest() const = 0;
  virtual const v1::IngestLimits& limits() const = 0;

  // Adds one event and sends what makes a full batch; blocks while the server gives no credits.
  // Keys are text or decimal integers. Fails with what ended the stream for good.
  virtual absl::Status Add(std::string_view source, std::string_view target, std::int64_t time_us,
                           std::optional<float> label, std::span<const float> features) = 0;
  // Sends whole columns, made elsewhere; first_seq is filled in.
  virtual absl::Status AddColumns(v1::EventColumns columns) = 0;
  // Sends what has been added.
  virtual absl::Status Flush() = 0;
  // Flushes and waits until all of it is durable, or applied as well.
  virtual absl::Status Wait(Level level) = 0;
  // Waits until everything is durable and closes the stream.
  virtual absl::Status Finish() = 0;

  virtual Progress progress() const = 0;
};

}  // namespace weft::rpc
