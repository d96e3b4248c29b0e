#include "autograd/runtime/error.hpp"

namespace xgrad {

Error::Error(const std::string& message) : std::runtime_error(message), text_(message) {}

const char* Error::what() const noexcept { return text_.c_str(); }

void Error::locate(const std::source_location& where) {
  if (located_ || where.line() == 0) {
    return;
  }
  located_ = true;
  text_.append("\n  at ").append(where.file_name()).append(":").append(std::to_string(where.line()));
}

void Error::add_note(std::string_view note) { text_.append("\n  ").append(note); }

}  // namespace xgrad
