#include "flags.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>

class Flags::App : public CLI::App {
 public:
  using CLI::App::App;

  template <class T>
  CLI::Option* add(const std::string& name, T& value, const std::string& text) {
    CLI::Option* const option = add_option(name, value, text);
    return text.ends_with(']') ? option : option->capture_default_str();
  }
};

namespace {

// NaN and infinity pass CLI11's own checks of numbers.
std::string check_finite(const std::string& text) {
  return std::isfinite(std::strtod(text.c_str(), nullptr)) ? "" : "Value " + text + " is not finite";
}

}  // namespace

Flag& Flag::range(int least, int most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Flag& Flag::range(double least, double most) {
  option_->check(CLI::Range(least, most))->check(check_finite);
  return *this;
}

Flag& Flag::positive() {
  option_->check(CLI::PositiveNumber)->check(check_finite);
  return *this;
}

Flag& Flag::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Flag& Flag::excludes(const Flag& other) {
  option_->excludes(other.option_);
  return *this;
}

Flag& Flag::needs(const Flag& other) {
  option_->needs(other.option_);
  return *this;
}

Flags::Flags(const std::string& description) : app_(std::make_unique<App>(description)) {}
Flags::~Flags() = default;

Flag Flags::add(const std::string& name, bool& value, const std::string& text) {
  return Flag(app_->add_flag(name, value, text));
}
Flag Flags::add(const std::string& name, int& value, const std::string& text) {
  return Flag(app_->add(name, value, text));
}
Flag Flags::add(const std::string& name, std::int64_t& value, const std::string& text) {
  return Flag(app_->add(name, value, text));
}
Flag Flags::add(const std::string& name, std::uint64_t& value, const std::string& text) {
  return Flag(app_->add(name, value, text)->check(CLI::NonNegativeNumber));
}
Flag Flags::add(const std::string& name, double& value, const std::string& text) {
  return Flag(app_->add(name, value, text));
}
Flag Flags::add(const std::string& name, std::string& value, const std::string& text) {
  return Flag(app_->add(name, value, text));
}
Flag Flags::add(const std::string& name, std::vector<int>& values, const std::string& text) {
  return Flag(app_->add(name, values, text)->delimiter(','));
}

std::optional<int> Flags::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app_->exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s; --help lists the options\n", error.what());
    return 2;
  }
  return std::nullopt;
}
