// kill -9 under load: what was acknowledged is there, once and in order, and the state is that of a
// server that nobody disturbed.
#include <atomic>
#include <csignal>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rpc/client.h"
#include "rpc/ingest_client.h"
#include "rpc/test_predictor.h"

namespace weft::rpc {
namespace {

// A server process; killed when this goes.
class ServerProcess {
 public:
  ServerProcess(const std::string& data_dir, const std::string& listen) {
    int out[2];
    if (::pipe(out) != 0) ADD_FAILURE() << "pipe";
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      ::close(out[1]);
      // Checkpoints come often, so that kills hit them too.
      ::execl(WEFT_TEST_SERVER, WEFT_TEST_SERVER, data_dir.c_str(), listen.c_str(), "0.05",
              nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    char character = 0;
    while (::read(out[0], &character, 1) == 1 && character != '\n') line += character;
    ::close(out[0]);
    address_ = line.substr(0, line.find(' '));
  }
  ~ServerProcess() {
    if (pid_ > 0) Signal(SIGKILL);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Empty if it did not come up.
  const std::string& address() const { return address_; }
  // Returns the exit status.
  int Signal(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  std::string address_;
};

struct Outcome {
  std::string state_hash;
  std::uint64_t durable_count = 0;
};

Outcome Ask(const std::string& address) {
  const auto admin = AdminClient::Open(address, 30);
  const auto hash = admin->GetStateHash();
  const auto info = admin->GetServerInfo();
  EXPECT_TRUE(hash.ok()) << hash.status();
  EXPECT_TRUE(info.ok()) << info.status();
  if (!hash.ok() || !info.ok()) return {};
  return {hash->state_hash(), info->feed(0).durable_count()};
}

// Sends `events` events; counts what it has put on the way in `sent`.
absl::Status Send(const std::string& address, const std::string& producer, int events,
                  std::atomic<int>& sent) {
  auto client = IngestClient::Open({.address = address,
                                    .feed = "events",
                                    .producer = producer,
                                    .batch_events = 50,
                                    .reconnect_seconds = 120});
  if (!client.ok()) return client.status();
  for (int i = 0; i < events; ++i) {
    const absl::Status status = (*client)->Add("s" + std::to_string(i % 13),
                                               "t" + std::to_string(i % 11), i * 1000, {}, {});
    if (!status.ok()) return status;
    sent = i + 1;
  }
  // The hash is compared afterwards, so everything has to be in it.
  if (const absl::Status status = (*client)->Wait(IngestClient::Level::kApplied); !status.ok()) {
    return status;
  }
  return (*client)->Finish();
}

// Kills the server `kills` times at random points while events come in.
Outcome RunDisturbed(int kills, int events_between, std::uint32_t seed) {
  const TestPlace place;
  auto server = std::make_unique<ServerProcess>(place.path(), "127.0.0.1:0");
  const std::string address = server->address();
  EXPECT_FALSE(address.empty());
  std::atomic<int> sent = 0;
  const int events = (kills + 1) * events_between;
  absl::Status status;
  std::thread sender([&] { status = Send(address, "p", events, sent); });
  std::mt19937 random(seed);
  for (int kill = 0; kill < kills; ++kill) {
    const int point = kill * events_between + static_cast<int>(random() % events_between);
    while (sent < point) std::this_thread::yield();
    server->Signal(SIGKILL);
    server = std::make_unique<ServerProcess>(place.path(), address);
    EXPECT_EQ(server->address(), address) << "seed " << seed;
    if (server->address().empty()) break;
  }
  sender.join();
  EXPECT_TRUE(status.ok()) << status << " seed " << seed;
  const Outcome outcome = Ask(address);
  EXPECT_EQ(outcome.durable_count, static_cast<std::uint64_t>(events));
  // And once more from what lies on the disk, after a drain.
  EXPECT_EQ(server->Signal(SIGTERM), 0);
  server = std::make_unique<ServerProcess>(place.path(), address);
  EXPECT_EQ(Ask(address).state_hash, outcome.state_hash);
  return outcome;
}

void CompareWithUndisturbed(int kills, int events_between) {
  const std::uint32_t seed = std::random_device()();
  const Outcome disturbed = RunDisturbed(kills, events_between, seed);
  const TestPlace place;
  const ServerProcess server(place.path(), "127.0.0.1:0");
  std::atomic<int> sent = 0;
  const absl::Status status = Send(server.address(), "p", (kills + 1) * events_between, sent);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Ask(server.address()).state_hash, disturbed.state_hash) << "seed " << seed;
}

TEST(KillTest, AKilledServerLosesNothing) { CompareWithUndisturbed(3, 20'000); }

TEST(KillLongTest, AServerKilledThirtyTimesLosesNothing) { CompareWithUndisturbed(30, 50'000); }

TEST(KillTest, EveryProducerIsThereOnce) {
  const TestPlace place;
  auto server = std::make_unique<ServerProcess>(place.path(), "127.0.0.1:0");
  const std::string address = server->address();
  constexpr int kProducers = 3;
  constexpr int kEvents = 20'000;
  std::vector<std::atomic<int>> sent(kProducers);
  std::vector<absl::Status> status(kProducers);
  std::vector<std::thread> senders;
  for (int i = 0; i < kProducers; ++i) {
    senders.emplace_back(
        [&, i] { status[i] = Send(address, "p" + std::to_string(i), kEvents, sent[i]); });
  }
  // A client that is still saying its first hello does not try again.
  for (const std::atomic<int>& each : sent) {
    while (each < kEvents / 4) std::this_thread::yield();
  }
  server->Signal(SIGKILL);
  server = std::make_unique<ServerProcess>(place.path(), address);
  for (std::thread& sender : senders) sender.join();
  for (const absl::Status& each : status) EXPECT_TRUE(each.ok()) << each;
  // Some may be late where producers ran apart; each is in the log as an entry or as a reject of
  // one.
  const auto admin = AdminClient::Open(address, 30);
  for (int i = 0; i < kProducers; ++i) {
    const auto again = IngestClient::Open({.address = address,
                                           .feed = "events",
                                           .producer = "p" + std::to_string(i),
                                           .resume = true});
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)->next_seq(), static_cast<std::uint64_t>(kEvents));
  }
  const std::string hash = Ask(address).state_hash;
  server->Signal(SIGKILL);
  server = std::make_unique<ServerProcess>(place.path(), address);
  EXPECT_EQ(Ask(address).state_hash, hash);
}

}  // namespace
}  // namespace weft::rpc
