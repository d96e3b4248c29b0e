#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nn/saved.hpp"

/// \file
/// Internal: numbers, texts and arrays as bytes, for what ranks tell each other.

namespace xgrad::nn::detail {

/// Puts things one behind the other.
class Packer {
 public:
  void integer(std::int64_t value);
  void number(double value);
  void text(std::string_view value);
  void array(const Array& value);
  void state(const State& value);
  void saved(const Saved& value);

  const std::string& bytes() const { return bytes_; }

 private:
  void append(const void* data, std::size_t size);

  std::string bytes_;
};

/// Takes them out again, in the same order. All functions throw ValueError when there is not as much left.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  std::int64_t integer();
  double number();
  std::string text();
  Array array();
  State state();
  Saved saved();

 private:
  std::string_view take(std::size_t size);

  std::string_view rest_;
};

}  // namespace xgrad::nn::detail
