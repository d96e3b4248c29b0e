#pragma once

#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

/// \file
/// The exceptions that xgrad throws, and the one helper that words them.
///
/// Every message reads `[op] what is wrong, the actual values, the next step`, followed by the place in the user's
/// source where the faulty call stands, when it is known.

namespace xgrad {

/// Base of all exceptions thrown by xgrad.
class Error : public std::runtime_error {
 public:
  /// \param message `[op] what is wrong, the actual values, the next step`.
  explicit Error(const std::string& message);

  /// The message and, once known, `at file:line` on a line of its own; then the notes, a line each.
  const char* what() const noexcept override;

  /// Adds the place of the user's call; the first place given stays.
  void locate(const std::source_location& where);

  /// Adds a line that says in what the error occurred, the innermost first: `in layer 2 (Dense)`.
  void add_note(std::string_view note);

 private:
  std::string text_;
  bool located_ = false;
};

/// Shapes that do not fit each other or the op.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Element types that an op does not take, or that do not fit each other.
class DTypeError : public Error {
 public:
  using Error::Error;
};

/// An argument outside its domain: an axis, an index, a label, a probability.
class ValueError : public Error {
 public:
  using Error::Error;
};

/// Memory that the system does not give, for the elements of an array. (Where other memory runs out, the exception is
/// std::bad_alloc.)
class MemoryError : public Error {
 public:
  using Error::Error;
};

/// A derivative that does not exist or was asked for in a way that has no answer.
class GradientError : public Error {
 public:
  using Error::Error;
};

/// A file that is missing, truncated or not what it should be.
class FileError : public Error {
 public:
  using Error::Error;
};

/// Throws \p E with the message `[op] message`.
/// \param op the name of the op or function the user called.
template <class E>
[[noreturn]] void raise(std::string_view op, std::string_view message) {
  std::string text;
  text.reserve(op.size() + message.size() + 3);
  text.append("[").append(op).append("] ").append(message);
  throw E(text);
}

/// f(); errors that it throws name \p where, unless they name a place already. For rooms without a graph: those with one
/// have located().
template <class F>
decltype(auto) located_at(const std::source_location& where, F&& f) {
  try {
    return f();
  } catch (Error& error) {
    error.locate(where);
    throw;
  }
}

}  // namespace xgrad
