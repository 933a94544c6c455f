// Command and Option: what subcommands are made of. Nearly every file of this folder adds one, and
// CLI11, which reads them, takes a compiler five seconds a file; so only few files see it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weft::deploy {

// The subcommand that was asked for sets `run`; main calls it after parsing.
struct Invocation {
  std::function<int()> run;
};

// One option or argument. Every function returns it again. Copies are the same option.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option Required() const;
  // T: int, long or double.
  template <class T>
  Option Between(T least, T most) const;
  Option Positive() const;
  Option NotNegative() const;
  Option OneOf(std::vector<std::string> values) const;
  // Values of a list are parted by commas.
  Option CommaSeparated() const;
  // Of a list: it may be given several times.
  Option Repeated() const;
  // Read from this variable where it is not given.
  Option FromEnvironment(const std::string& name) const;
  Option Excludes(Option other) const;

 private:
  CLI::Option* option_;
};

// A command, or a titled group of a command's options. Copies are the same command; all live as
// long as the program's root, and so must what options write to.
class Command {
 public:
  explicit Command(CLI::App& app) : app_(&app) {}

  // A subcommand with help that leads with `examples` (whole lines, without indentation).
  Command AddCommand(const std::string& name, const std::string& description,
                     const std::string& examples) const;
  Command AddGroup(const std::string& title, const std::string& description) const;

  // "--name", or "NAME" for an argument. T: std::string, double, an integer of 32 or 64 bits,
  // std::optional<float>, or a std::vector of strings or integers. The value stays as it is where
  // the option is not given.
  template <class T>
  Option AddOption(const std::string& name, T& value, const std::string& description) const;
  // `parse` says what is wrong with the text, and nothing if it is right.
  Option AddParsed(const std::string& name,
                   std::function<std::optional<std::string>(const std::string&)> parse,
                   const std::string& description) const;
  Option AddFlag(const std::string& name, bool& value, const std::string& description) const;

  Option Get(const std::string& name) const;
  // Whether it was given, on the command line or by the environment.
  bool Given(const std::string& name) const;

  // One of the subcommands has to be named.
  void RequireCommand() const;
  // So many of the options have to be given.
  void RequireOptions(int least, int most) const;

  // What the command does.
  void Runs(Invocation& invocation, std::function<int()> run) const;

  CLI::App& app() const { return *app_; }

 private:
  CLI::App* app_;
};

// Help that leads with the examples of the footer.
void UseHelpFormat(CLI::App& app);

}  // namespace weft::deploy
