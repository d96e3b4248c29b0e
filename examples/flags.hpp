#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// \file
/// The command line of the programs. CLI11, which takes seconds to compile, is behind it, in one file.

namespace CLI {
class Option;
}

/// One option, to say more about it.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}

  /// Takes numbers from \p least to \p most only; of a list, each of them.
  Flag& range(int least, int most);
  /// The same for numbers with a fraction: finite ones.
  Flag& range(double least, double most);
  /// Takes finite numbers above 0 only.
  Flag& positive();
  /// Takes these words only.
  Flag& one_of(const std::vector<std::string>& words);
  /// Cannot be given together with \p other.
  Flag& excludes(const Flag& other);
  /// Can only be given together with \p other.
  Flag& needs(const Flag& other);

 private:
  CLI::Option* option_;
};

/// The options of a program, which set variables:
///
///     Flags flags("Trains a classifier.");
///     flags.add("--epochs", epochs, "Passes over the training images").range(1, 1000);
///     if (const auto code = flags.parse(argc, argv)) {
///       return *code;
///     }
///
/// `--help` shows what a variable holds before parsing, unless it is empty or the text ends in a bracket that says
/// better what happens without the option. A name without dashes is an argument that is told by its place.
class Flags {
 public:
  explicit Flags(const std::string& description);
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;
  ~Flags();

  Flag add(const std::string& name, bool& value, const std::string& text);  ///< takes no value: true when given
  Flag add(const std::string& name, int& value, const std::string& text);
  Flag add(const std::string& name, std::int64_t& value, const std::string& text);
  Flag add(const std::string& name, std::uint64_t& value, const std::string& text);
  Flag add(const std::string& name, double& value, const std::string& text);
  Flag add(const std::string& name, std::string& value, const std::string& text);
  Flag add(const std::string& name, std::vector<int>& values, const std::string& text);  ///< with commas between

  /// Sets the variables. What is wrong is said in one line on stderr.
  /// \return the code to end the program with: 0 after `--help`, 2 for arguments that are wrong; nothing to go on.
  std::optional<int> parse(int argc, const char* const* argv);

 private:
  class App;
  std::unique_ptr<App> app_;
};
