#include "nn/packed.hpp"

#include <cstring>

#include "autograd/runtime/error.hpp"

namespace xgrad::nn::detail {

void Packer::append(const void* data, std::size_t size) { bytes_.append(static_cast<const char*>(data), size); }

void Packer::integer(std::int64_t value) { append(&value, sizeof value); }
void Packer::number(double value) { append(&value, sizeof value); }

void Packer::text(std::string_view value) {
  integer(static_cast<std::int64_t>(value.size()));
  bytes_.append(value);
}

void Packer::array(const Array& value) {
  integer(static_cast<std::int64_t>(value.dtype()));
  integer(static_cast<std::int64_t>(value.shape().ndim()));
  for (const std::int64_t size : value.shape()) {
    integer(size);
  }
  append(value.data(), value.bytes());
}

void Packer::state(const State& value) {
  integer(static_cast<std::int64_t>(value.size()));
  for (const auto& [name, each] : value) {
    text(name);
    array(each);
  }
}

void Packer::saved(const Saved& value) {
  state(value.arrays());
  integer(static_cast<std::int64_t>(value.integers().size()));
  for (const auto& [name, each] : value.integers()) {
    text(name);
    integer(each);
  }
  integer(static_cast<std::int64_t>(value.numbers().size()));
  for (const auto& [name, each] : value.numbers()) {
    text(name);
    number(each);
  }
  integer(static_cast<std::int64_t>(value.texts().size()));
  for (const auto& [name, each] : value.texts()) {
    text(name);
    text(each);
  }
}

std::string_view Unpacker::take(std::size_t size) {
  if (rest_.size() < size) {
    raise<ValueError>("ranks",
                      "a message of another rank is too short; start the same program, of the same version, on all");
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::int64_t Unpacker::integer() {
  std::int64_t value = 0;
  std::memcpy(&value, take(sizeof value).data(), sizeof value);
  return value;
}

double Unpacker::number() {
  double value = 0;
  std::memcpy(&value, take(sizeof value).data(), sizeof value);
  return value;
}

std::string Unpacker::text() { return std::string(take(static_cast<std::size_t>(integer()))); }

Array Unpacker::array() {
  const auto dtype = static_cast<DType>(integer());
  Shape shape;
  for (std::int64_t left = integer(); left > 0; --left) {
    shape.push_back(integer());
  }
  Array value(shape, dtype);
  const std::string_view elements = take(value.bytes());
  if (!elements.empty()) {
    std::memcpy(value.data(), elements.data(), elements.size());
  }
  return value;
}

State Unpacker::state() {
  State value;
  for (std::int64_t left = integer(); left > 0; --left) {
    std::string name = text();
    value.insert_or_assign(std::move(name), array());
  }
  return value;
}

Saved Unpacker::saved() {
  Saved value;
  for (const auto& [name, each] : state()) {
    value.put(name, each);
  }
  for (std::int64_t left = integer(); left > 0; --left) {
    const std::string name = text();
    value.put(name, integer());
  }
  for (std::int64_t left = integer(); left > 0; --left) {
    const std::string name = text();
    value.put(name, number());
  }
  for (std::int64_t left = integer(); left > 0; --left) {
    const std::string name = text();
    value.put(name, text());
  }
  return value;
}

}  // namespace xgrad::nn::detail
