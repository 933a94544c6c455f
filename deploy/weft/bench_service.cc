#include "deploy/weft/bench_service.h"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/check.h"
#include "graph/text.h"

namespace weft::deploy {

const std::string_view kLogOnlyGraph = R"(
input { name: "events" type: "EventBatch" }
node {
  name: "candidates" operator: "negative_sampler"
  input: "EVENTS:events" output: "CANDIDATES:candidates"
}
output { name: "candidates" stream: "candidates" }
)";

namespace {

// The options message of a model's operator, and how its graph's node begins.
std::string ModelNode(std::string_view model, std::string_view input, std::string_view options) {
  const std::string_view message = model == "nat" ? "Nat" : "Weft";
  return graph::Concat("node {\n  name: \"", model, "\" operator: \"", model, "\" input: \"", input,
                       "\" output: \"SCORES:scores\"\n  options { "
                       "[type.googleapis.com/weft.operators.link.v1.",
                       message, "] { ", options,
                       " } }\n}\noutput { name: \"predictions\" stream: \"scores\" }\n");
}

}  // namespace

std::string ScoringGraph(std::string_view model) {
  return graph::Concat("input { name: \"events\" type: \"EventBatch\" }\n",
                       ModelNode(model, "EVENTS:events", "seed: 1"));
}

std::string LearningGraph(std::string_view model) {
  return graph::Concat(
      "input { name: \"events\" type: \"EventBatch\" }\n"
      "node {\n  name: \"candidates\" operator: \"negative_sampler\"\n"
      "  input: \"EVENTS:events\" output: \"CANDIDATES:candidates\"\n}\n",
      ModelNode(model, "CANDIDATES:candidates", "learn: true seed: 1"));
}

namespace {

// The first line that comes, empty if there is none.
std::string ReadLine(int descriptor) {
  std::string line;
  char byte = 0;
  while (read(descriptor, &byte, 1) == 1 && byte != '\n') line += byte;
  return line;
}

// Only what may follow a fork in a process with threads.
[[noreturn]] void BecomeService(char* const* arguments, int output, const char* log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  const int errors = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (errors >= 0) dup2(errors, STDERR_FILENO);
  execv("/proc/self/exe", arguments);
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<BenchService>> BenchService::Start(const std::string& folder,
                                                                  std::string_view graph) {
  std::error_code error;
  std::string name =
      (folder.empty() ? std::filesystem::temp_directory_path(error) : std::filesystem::path(folder))
          .string();
  name += "/weft-bench-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    return absl::InvalidArgumentError(
        graph::Concat("--folder: expected a folder that can be written, got ",
                      std::filesystem::path(name).parent_path().string()));
  }
  std::unique_ptr<BenchService> service(new BenchService(std::move(name)));
  std::ofstream(service->folder_ + "/graph.pbtxt") << graph;
  WEFT_TRY(service->Launch());
  return service;
}

BenchService::~BenchService() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

absl::Status BenchService::StartAgain() { return Launch(); }

absl::Status BenchService::Launch() {
  std::vector<std::string> words = {"weft",          "serve",
                                    "--data-dir",    folder_ + "/data",
                                    "--graph",       folder_ + "/graph.pbtxt",
                                    "--listen",      "127.0.0.1:0",
                                    "--http-listen", "none",
                                    "--json"};
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = folder_ + "/log";
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "pipe");
  process_ = fork();
  if (process_ == 0) BecomeService(arguments.data(), ends[1], log.c_str());
  close(ends[1]);
  const std::string line = ReadLine(ends[0]);
  close(ends[0]);
  if (process_ < 0) return absl::ErrnoToStatus(errno, "fork");
  const auto said = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!said.is_object()) return DidNotStart();
  address_ = said.value("address", "");
  return absl::OkStatus();
}

absl::Status BenchService::DidNotStart() const {
  std::ifstream log(folder_ + "/log");
  std::string line;
  std::string last;
  while (std::getline(log, line)) last = line;
  return absl::UnavailableError(graph::Concat("the service did not start: ", last));
}

void BenchService::Kill() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

double BenchService::CpuSeconds() const {
  std::ifstream file(graph::Concat("/proc/", process_, "/stat"));
  std::string text;
  std::getline(file, text);
  // The name, which may hold anything, ends with the last parenthesis; user and system time are the
  // 12th and 13th field after it.
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0.0;
  double system = 0.0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double BenchService::ResidentBytes() const { return StatusBytes("VmRSS:"); }
double BenchService::PeakBytes() const { return StatusBytes("VmHWM:"); }

double BenchService::StatusBytes(std::string_view field) const {
  std::ifstream file(graph::Concat("/proc/", process_, "/status"));
  std::string name;
  double kibibytes = 0.0;
  while (file >> name) {
    if (name == field && file >> kibibytes) break;
  }
  return kibibytes * 1024.0;
}

}  // namespace weft::deploy
