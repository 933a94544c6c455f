#include "deploy/weft/bench_restart.h"

#include <chrono>
#include <future>
#include <thread>

#include "deploy/weft/bench_service.h"
#include "graph/check.h"
#include "rpc/client.h"
#include "rpc/ingest_load.h"

namespace weft::deploy {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(20);
// Of the distance between the last two checkpoints, when the service is killed.
constexpr double kWorst = 0.95;
// So many times the wanted events are sent at most, if no checkpoint comes.
constexpr std::int64_t kLoadFactor = 10;

struct Moment {
  std::uint64_t applied = 0;
  std::uint64_t durable = 0;
  std::uint64_t checkpointed = 0;  // applied when the last checkpoint was seen
};

// Returns when the service should be killed, or when the load has ended.
absl::StatusOr<Moment> WaitForWorst(const std::string& address, std::uint64_t least,
                                    const std::future<absl::Status>& load) {
  const auto admin = rpc::AdminClient::Open(address);
  std::uint64_t checkpoint = 0;
  std::uint64_t checkpoint_at = 0;
  double distance = 0.0;
  for (;;) {
    WEFT_ASSIGN(const v1::GetServerInfoResponse info, admin->GetServerInfo());
    if (info.feed_size() != 1) return absl::InternalError("expected a service with one feed");
    const std::uint64_t applied = info.feed(0).applied_count();
    if (info.checkpoint().id() != checkpoint) {
      checkpoint = info.checkpoint().id();
      distance = static_cast<double>(applied - checkpoint_at);
      checkpoint_at = applied;
    }
    const std::uint64_t since = applied - checkpoint_at;
    const bool worst = distance > 0.0 && static_cast<double>(since) >= kWorst * distance;
    const bool ended = load.wait_for(kLookEvery) == std::future_status::ready;
    if (ended && applied < least) return absl::InternalError("the load ended too early");
    if (ended || (applied >= least && worst))
      return Moment{applied, info.feed(0).durable_count(), checkpoint_at};
  }
}

}  // namespace

absl::StatusOr<nlohmann::ordered_json> MeasureRestart(const BenchFlags& flags) {
  WEFT_ASSIGN(const auto service, BenchService::Start(flags.folder, LearningGraph(flags.model)));
  rpc::IngestLoadOptions options;
  options.address = service->address();
  options.feed = "events";
  options.producer = "bench";
  options.event_count = kLoadFactor * flags.restart_events;
  options.batch_events = flags.batch;
  options.node_count = flags.nodes;
  options.reconnect_seconds = 0.0;
  const std::future<absl::Status> load =
      std::async(std::launch::async, [options] { return rpc::RunIngestLoad(options).status(); });
  const auto moment =
      WaitForWorst(service->address(), static_cast<std::uint64_t>(flags.restart_events), load);
  // Ends the load as well, which fails then as it should.
  service->Kill();
  load.wait();
  WEFT_TRY(moment.status());
  const auto begin = std::chrono::steady_clock::now();
  WEFT_TRY(service->StartAgain());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return nlohmann::ordered_json{
      {"events", moment->applied},
      {"events_applied_since_checkpoint", moment->applied - moment->checkpointed},
      {"events_to_replay", moment->durable - moment->checkpointed},
      {"restart_seconds", seconds.count()}};
}

}  // namespace weft::deploy
