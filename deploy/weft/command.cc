#include "deploy/weft/command.h"

#include <cstdio>

#include "rpc/error_details.h"

namespace weft::deploy {
int Fail(const std::string& message, ExitCode code) {
  std::fprintf(stderr, "weft: %s\n", message.c_str());
  return code;
}

int Fail(const absl::Status& status, ExitCode code) {
  std::string message(status.message());
  if (rpc::RetryDelaySeconds(status)) message += "; it is worth trying again";
  return Fail(message, code);
}

int FailOnInput(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kDataLoss:
      return Fail(status, kInputData);
    default:
      return Fail(status, kFailed);
  }
}

}  // namespace weft::deploy
