#include "deploy/weft/command_line.h"

#include <cstdint>
#include <memory>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>

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

Option Option::Required() const { return Option(option_->required()); }

template <class T>
Option Option::Between(T least, T most) const {
  return Option(option_->check(CLI::Range(least, most)));
}
template Option Option::Between(int, int) const;
template Option Option::Between(long, long) const;
template Option Option::Between(double, double) const;

Option Option::Positive() const { return Option(option_->check(CLI::PositiveNumber)); }
Option Option::NotNegative() const { return Option(option_->check(CLI::NonNegativeNumber)); }

Option Option::OneOf(std::vector<std::string> values) const {
  return Option(option_->check(CLI::IsMember(std::move(values))));
}

Option Option::CommaSeparated() const { return Option(option_->delimiter(',')); }
Option Option::Repeated() const { return Option(option_->take_all()); }

Option Option::FromEnvironment(const std::string& name) const {
  return Option(option_->envname(name));
}

Option Option::Excludes(Option other) const { return Option(option_->excludes(other.option_)); }

Command Command::AddCommand(const std::string& name, const std::string& description,
                            const std::string& examples) const {
  CLI::App* const command = app_->add_subcommand(name, description);
  command->footer(examples);
  UseHelpFormat(*command);
  return Command(*command);
}

Command Command::AddGroup(const std::string& title, const std::string& description) const {
  return Command(*app_->add_option_group(title, description));
}

template <class T>
Option Command::AddOption(const std::string& name, T& value, const std::string& description) const {
  return Option(app_->add_option(name, value, description));
}
template Option Command::AddOption(const std::string&, std::string&, const std::string&) const;
template Option Command::AddOption(const std::string&, double&, const std::string&) const;
template Option Command::AddOption(const std::string&, std::int32_t&, const std::string&) const;
template Option Command::AddOption(const std::string&, std::int64_t&, const std::string&) const;
template Option Command::AddOption(const std::string&, std::uint64_t&, const std::string&) const;
template Option Command::AddOption(const std::string&, std::optional<float>&,
                                   const std::string&) const;
template Option Command::AddOption(const std::string&, std::vector<std::string>&,
                                   const std::string&) const;
template Option Command::AddOption(const std::string&, std::vector<int>&, const std::string&) const;
template Option Command::AddOption(const std::string&, std::vector<std::uint64_t>&,
                                   const std::string&) const;

Option Command::AddParsed(const std::string& name,
                          std::function<std::optional<std::string>(const std::string&)> parse,
                          const std::string& description) const {
  return Option(app_->add_option_function<std::string>(
      name,
      [name, parse = std::move(parse)](const std::string& text) {
        if (const auto wrong = parse(text)) throw CLI::ValidationError(name, *wrong);
      },
      description));
}

Option Command::AddFlag(const std::string& name, bool& value,
                        const std::string& description) const {
  return Option(app_->add_flag(name, value, description));
}

Option Command::Get(const std::string& name) const { return Option(app_->get_option(name)); }
bool Command::Given(const std::string& name) const { return app_->count(name) > 0; }
void Command::RequireCommand() const { app_->require_subcommand(1); }

void Command::RequireOptions(int least, int most) const {
  app_->require_option(static_cast<std::size_t>(least), static_cast<std::size_t>(most));
}

void Command::Runs(Invocation& invocation, std::function<int()> run) const {
  app_->callback([&invocation, run = std::move(run)] { invocation.run = run; });
}

void UseHelpFormat(CLI::App& app) {
  auto format = std::make_shared<HelpFormat>();
  format->column_width(34);
  app.formatter(std::move(format));
}

}  // namespace weft::deploy
