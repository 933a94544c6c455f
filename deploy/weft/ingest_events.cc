#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "deploy/weft/command.h"
#include "deploy/weft/input_flags.h"
#include "deploy/weft/progress.h"
#include "graph/check.h"
#include "graph/text.h"
#include "operators/io/event_reader.h"
#include "rpc/event_digest.h"
#include "rpc/ingest_client.h"
#include "rpc/reject_reason.h"

namespace weft::deploy {
namespace {

using Clock = std::chrono::steady_clock;

struct Flags {
  std::string path;
  std::string to = "127.0.0.1:7171";
  std::string feed = "events";
  std::string resume;
  double rate = 0.0;
  double speed = 0.0;
  double retry_seconds = 60.0;
  bool no_features = false;
  bool json = false;
  InputFlags input;
};

// Which events the server did not accept: counts by reason and the first ones with their lines.
// Reject is called on a thread of the client.
class RejectList {
 public:
  RejectList() : line_(kRemembered, 0) {}

  void SetLine(std::uint64_t seq, std::int64_t line) {
    const std::lock_guard lock(mutex_);
    line_[seq % kRemembered] = line;
  }
  void Reject(std::uint64_t seq, v1::RejectReason reason) {
    const std::lock_guard lock(mutex_);
    ++count_[rpc::RejectReasonName(reason)];
    if (first_.size() < kReported) {
      first_.push_back(graph::Concat(line_[seq % kRemembered],
                                     ": not accepted: ", rpc::ExplainRejectReason(reason)));
    }
  }
  std::map<std::string, std::int64_t> counts() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::vector<std::string> first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  // More than the server lets be on its way.
  static constexpr std::size_t kRemembered = std::size_t{1} << 20;
  static constexpr std::size_t kReported = 20;

  mutable std::mutex mutex_;
  std::vector<std::int64_t> line_;
  std::map<std::string, std::int64_t> count_;
  std::vector<std::string> first_;
};

// When each event is due: at `rate` events a second, or at `speed` times the events' own time; at
// once if neither is set.
class Pace {
 public:
  Pace(double rate, double speed) : rate_(rate), speed_(speed), begin_(Clock::now()) {}

  // Seconds until event number `index` with this time is due; 0 or less: now.
  double Wait(std::int64_t index, graph::TimeUs time_us) {
    if (rate_ <= 0.0 && speed_ <= 0.0) return 0.0;
    if (index == 0) first_us_ = time_us;
    const double due =
        rate_ > 0.0
            ? static_cast<double>(index) / rate_
            : (static_cast<double>(time_us) - static_cast<double>(first_us_)) * 1e-6 / speed_;
    return due - std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  double rate_;
  double speed_;
  Clock::time_point begin_;
  graph::TimeUs first_us_ = 0;
};

class Ingest {
 public:
  explicit Ingest(const Flags& flags) : flags_(flags), pace_(flags.rate, flags.speed) {}

  absl::Status Execute();
  void Print() const;
  const operators::io::EventReader* reader() const { return reader_.get(); }

 private:
  absl::Status Open();
  absl::Status SendRow(const operators::io::EventRows& rows, std::size_t row);
  absl::Status CheckResumed(const operators::io::EventRows& rows, std::size_t row) const;
  void ShowProgress();

  const Flags& flags_;
  operators::io::OpenedFile file_;
  std::unique_ptr<operators::io::EventReader> reader_;
  std::string producer_;
  RejectList rejects_;
  std::unique_ptr<rpc::IngestClient> client_;  // calls rejects_
  Pace pace_;
  ProgressBar bar_;
  std::uint64_t seq_ = 0;  // of the next row of the file
  std::int64_t sent_ = 0;
  double seconds_ = 0.0;
};

std::string RandomProducer() {
  std::random_device random;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "ingest-%08x%08x", random(), random());
  return text.data();
}

absl::Status Ingest::Open() {
  WEFT_ASSIGN(const operators::io::ReadOptions options, ReadOptionsFrom(flags_.input));
  WEFT_ASSIGN(file_, operators::io::OpenFile(flags_.path));
  WEFT_ASSIGN(reader_, operators::io::EventReader::Open(flags_.path == "-" ? "stdin" : flags_.path,
                                                        file_.bytes, options));
  return absl::OkStatus();
}

absl::Status Ingest::Execute() {
  WEFT_TRY(Open());
  // JSON says how many features there are only with its first row.
  WEFT_ASSIGN(const operators::io::EventRows* rows, reader_->Next(1024));
  rpc::IngestClient::Options options;
  options.address = flags_.to;
  options.feed = flags_.feed;
  options.producer = flags_.resume.empty() ? RandomProducer() : flags_.resume;
  options.resume = !flags_.resume.empty();
  options.reconnect_seconds = flags_.retry_seconds;
  options.feature_count = flags_.no_features ? 0 : reader_->feature_count();
  options.on_reject = [this](std::uint64_t seq, v1::RejectReason reason) {
    rejects_.Reject(seq, reason);
  };
  producer_ = options.producer;
  std::fprintf(stderr, "weft: producer %s (go on after a break with --resume %s)\n",
               producer_.c_str(), producer_.c_str());
  WEFT_ASSIGN(client_, rpc::IngestClient::Open(std::move(options)));
  pace_ = Pace(flags_.rate, flags_.speed);
  while (rows->size() > 0) {
    for (std::size_t row = 0; row < rows->source.size(); ++row) WEFT_TRY(SendRow(*rows, row));
    ShowProgress();
    WEFT_ASSIGN(rows, reader_->Next(1024));
  }
  if (seq_ < client_->next_seq()) {
    return absl::InvalidArgumentError(
        graph::Concat(flags_.path, ": expected at least the ", client_->next_seq(),
                      " events that this producer has sent, got ", seq_));
  }
  WEFT_TRY(client_->Wait(rpc::IngestClient::Level::kApplied));
  seconds_ = pace_.seconds();
  return client_->Finish();
}

absl::Status Ingest::CheckResumed(const operators::io::EventRows& rows, std::size_t row) const {
  if (client_->last_event_digest() == 0) return absl::OkStatus();
  const auto width = static_cast<std::size_t>(flags_.no_features ? 0 : rows.feature_count);
  const std::uint64_t digest =
      rpc::EventDigest(rows.source[row], rows.target[row], rows.time_us[row], rows.label[row],
                       std::span(rows.feature).subspan(row * width, width));
  if (digest == client_->last_event_digest()) return absl::OkStatus();
  return absl::FailedPreconditionError(graph::Concat(
      flags_.path, ":", rows.line[row],
      ": expected the event that this producer sent last, got another one: the file has changed"));
}

absl::Status Ingest::SendRow(const operators::io::EventRows& rows, std::size_t row) {
  const std::uint64_t seq = seq_++;
  const std::uint64_t first = client_->next_seq();
  if (!flags_.resume.empty() && seq < first && sent_ == 0) {
    return seq + 1 == first ? CheckResumed(rows, row) : absl::OkStatus();
  }
  if (const double wait = pace_.Wait(sent_, rows.time_us[row]); wait > 0.001) {
    WEFT_TRY(client_->Flush());
    ShowProgress();
    std::this_thread::sleep_for(std::chrono::duration<double>(wait));
  }
  ++sent_;
  rejects_.SetLine(seq, rows.line[row]);
  const auto width = static_cast<std::size_t>(rows.feature_count);
  std::span<const float> features = std::span(rows.feature).subspan(row * width, width);
  if (flags_.no_features) features = {};
  const bool labelled = reader_->report().has_label;
  return client_->Add(rows.source[row], rows.target[row], rows.time_us[row],
                      labelled ? std::optional(rows.label[row]) : std::nullopt, features);
}

void Ingest::ShowProgress() {
  const auto progress = client_->progress();
  const std::string note =
      graph::Concat(progress.durable_seq, " durable, ", progress.applied_seq, " applied");
  if (file_.size_bytes > 0) {
    bar_.Show("events", reader_->report().bytes, file_.size_bytes, note);
  } else {
    bar_.Show("events", sent_, 0, note);
  }
}

void Ingest::Print() const {
  const auto progress = client_->progress();
  const double rate = seconds_ > 0.0 ? static_cast<double>(sent_) / seconds_ : 0.0;
  const auto counts = rejects_.counts();
  for (const std::string& message : rejects_.first())
    std::fprintf(stderr, "weft: %s:%s\n", flags_.path.c_str(), message.c_str());
  if (flags_.json) {
    nlohmann::ordered_json object = {{"schema_version", 1},
                                     {"input", flags_.path},
                                     {"feed", flags_.feed},
                                     {"producer", producer_},
                                     {"events", sent_},
                                     {"durable_seq", progress.durable_seq},
                                     {"applied_seq", progress.applied_seq},
                                     {"rejected", progress.rejected_count},
                                     {"rejected_by_reason", counts},
                                     {"broken_lines", reader_->report().broken_lines},
                                     {"seconds", seconds_},
                                     {"events_per_second", rate}};
    std::printf("%s\n", object.dump().c_str());
    return;
  }
  std::printf("%lld events in %.2f s (%.0f events/s), all durable and applied; %llu not accepted\n",
              static_cast<long long>(sent_), seconds_, rate,
              static_cast<unsigned long long>(progress.rejected_count));
  for (const auto& [reason, count] : counts)
    std::printf("  %s: %lld\n", reason.c_str(), static_cast<long long>(count));
}

int Run(const Flags& flags) {
  auto ingest = std::make_unique<Ingest>(flags);
  const absl::Status status = ingest->Execute();
  if (ingest->reader() != nullptr) PrintNotes(flags.path, ingest->reader()->report());
  if (!status.ok()) return FailOnInput(status);
  ingest->Print();
  return kOk;
}

}  // namespace

void AddIngestCommand(Command root, Invocation& invocation) {
  Command ingest = root.AddCommand("ingest", "Send data to a service.",
                                   "weft ingest events events.csv --to 127.0.0.1:7171");
  ingest.RequireCommand();
  Command command = ingest.AddCommand(
      "events", "Send a file of events; every acknowledged event is durable.",
      "weft ingest events events.csv --to 127.0.0.1:7171\n"
      "weft ingest events events.csv --rate 1000              # events a second\n"
      "weft ingest events events.csv --speed 3600             # an hour in a second\n"
      "weft ingest events events.csv --resume ingest-01ab...  # go on after a break\n"
      "cat events.csv | weft ingest events - --json");
  auto flags = std::make_shared<Flags>();
  command.AddOption("FILE", flags->path, "CSV or JSON events; - is stdin").Required();
  command.AddOption("--to", flags->to, "The service, host:port").FromEnvironment("WEFT_TO");
  command.AddOption("--feed", flags->feed, "Input of the service's graph");
  command.AddOption("--resume", flags->resume, "The producer to go on as");
  const Option rate =
      command.AddOption("--rate", flags->rate, "Events a second, at most").Positive();
  command.AddOption("--speed", flags->speed, "Times faster than the events' own times")
      .Positive()
      .Excludes(rate);
  command
      .AddOption("--retry-seconds", flags->retry_seconds,
                 "How long to try again when the connection breaks or the service cannot take "
                 "events for now (60)")
      .Between(0.0, 1e9);
  command.AddFlag("--no-features", flags->no_features, "Leave the features out");
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  AddInputFlags(command, flags->input);
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
