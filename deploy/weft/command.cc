#include "deploy/weft/command.h"

#include <cstdio>
#include <memory>
#include <sstream>

#include "rpc/error_details.h"

namespace weft::deploy {
namespace {

// Examples first, then what the command does, then its options.
class HelpFormat final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
    std::ostringstream help;
    std::istringstream examples(app->get_footer());
    std::string line;
    help << "Examples:\n";
    while (std::getline(examples, line)) help << "  " << line << "\n";
    help << "\n" << make_description(app) << make_usage(app, std::move(name));
    help << make_positionals(app) << make_groups(app, mode) << make_subcommands(app, mode);
    return help.str();
  }
};

}  // namespace

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

void UseHelpFormat(CLI::App& app) {
  auto format = std::make_shared<HelpFormat>();
  format->column_width(34);
  app.formatter(std::move(format));
}

CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer(examples);
  UseHelpFormat(*command);
  return command;
}

}  // namespace weft::deploy
