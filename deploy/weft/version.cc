#include "rpc/version.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "deploy/weft/command.h"

namespace weft::deploy {

void AddVersionCommand(Command root, Invocation& invocation) {
  Command command = root.AddCommand("version", "Print the version and how the program was built.",
                                    "weft version\nweft version --json");
  auto json = std::make_shared<bool>(false);
  command.AddFlag("--json", *json, "One JSON object on stdout");
  command.Runs(invocation, [json] {
    if (*json) {
      const nlohmann::ordered_json object = {{"schema_version", 1},
                                             {"version", rpc::kVersion},
                                             {"compiler", __VERSION__},
                                             {"target", "x86-64-v3"}};
      std::printf("%s\n", object.dump().c_str());
    } else {
      std::printf("weft %s (%s, x86-64-v3)\n", std::string(rpc::kVersion).c_str(), __VERSION__);
    }
    return kOk;
  });
}

}  // namespace weft::deploy
