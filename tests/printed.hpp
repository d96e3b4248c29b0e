#pragma once

#include <iostream>
#include <sstream>
#include <string>

/// \file
/// What the code under test prints.

namespace xgrad::testing {

/// Takes what goes to std::cout while it lives.
class Printed {
 public:
  Printed() : before_(std::cout.rdbuf(text_.rdbuf())) {}
  Printed(const Printed&) = delete;
  Printed& operator=(const Printed&) = delete;
  ~Printed() { std::cout.rdbuf(before_); }
  /// Since the last call.
  std::string take() {
    std::string text = text_.str();
    text_.str("");
    return text;
  }

 private:
  std::ostringstream text_;
  std::streambuf* before_;
};

}  // namespace xgrad::testing
