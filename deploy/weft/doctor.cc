#include <cstdio>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "deploy/weft/command.h"
#include "gpu/exec.h"
#include "graph/text.h"

namespace weft::deploy {
namespace {

struct Flags {
  std::string data_dir = ".";
  std::vector<int> ports = {7171, 7172};
  bool json = false;
};

struct Finding {
  std::string name;
  bool ok = false;
  std::string detail;
};

Finding CheckCpu() {
  const bool ok = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi2");
  const bool wide = gpu::WidestVectors() == gpu::HostVectors::kAvx512;
  return {"cpu", ok,
          graph::Concat(
              std::thread::hardware_concurrency(), " threads; ",
              ok ? graph::Concat("x86-64-v3 (AVX2, FMA, BMI2) is there; kernels run on ",
                                 wide ? "AVX-512" : "AVX2")
                 : std::string("expected x86-64-v3 (AVX2, FMA, BMI2), which is the baseline"))};
}

Finding CheckDisk(const std::string& folder) {
  constexpr std::uint64_t kWantedMebibytes = 256;
  struct statvfs information {};
  if (statvfs(folder.c_str(), &information) != 0) {
    return {"disk", false, graph::Concat(folder, ": expected a folder, got none that can be read")};
  }
  const std::uint64_t free_mebibytes =
      std::uint64_t{information.f_bavail} * information.f_frsize >> 20;
  return {"disk", free_mebibytes >= kWantedMebibytes,
          graph::Concat(folder, ": ", free_mebibytes, " MiB free, at least ", kWantedMebibytes,
                        " wanted")};
}

Finding CheckFolder(const std::string& folder) {
  const bool ok = access(folder.c_str(), R_OK | W_OK | X_OK) == 0;
  return {
      "data_dir", ok,
      graph::Concat(folder, ok ? ": can be written" : ": expected a folder that can be written")};
}

Finding CheckPort(int port) {
  const int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int reuse = 1;
  setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  const bool ok = number >= 0 &&
                  bind(number, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (number >= 0) close(number);
  return {graph::Concat("port_", port), ok,
          graph::Concat("127.0.0.1:", port, ok ? " is free" : " is in use")};
}

int Run(const Flags& flags) {
  std::vector<Finding> findings = {CheckCpu(), CheckDisk(flags.data_dir),
                                   CheckFolder(flags.data_dir)};
  for (const int port : flags.ports) findings.push_back(CheckPort(port));
  bool ok = true;
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    ok = ok && finding.ok;
    checks.push_back({{"name", finding.name}, {"ok", finding.ok}, {"detail", finding.detail}});
    if (!flags.json)
      std::printf("%-4s %-10s %s\n", finding.ok ? "ok" : "BAD", finding.name.c_str(),
                  finding.detail.c_str());
  }
  if (flags.json) {
    const nlohmann::ordered_json object = {{"schema_version", 1}, {"ok", ok}, {"checks", checks}};
    std::printf("%s\n", object.dump().c_str());
  }
  return ok ? kOk : kFailed;
}

}  // namespace

void AddDoctorCommand(Command root, Invocation& invocation) {
  Command command =
      root.AddCommand("doctor", "Check whether this machine can run a service.",
                      "weft doctor\nweft doctor --data-dir /var/lib/weft --port 7171 --json");
  auto flags = std::make_shared<Flags>();
  command.AddOption("--data-dir", flags->data_dir, "Where the data would be");
  command.AddOption("--port", flags->ports, "Ports that have to be free").Between(1, 65'535);
  command.AddFlag("--json", flags->json, "One JSON object on stdout");
  command.Runs(invocation, [flags] { return Run(*flags); });
}

}  // namespace weft::deploy
