#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "autograd/kernels/elementary.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/elements.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators that make tensors: constants, and what follows from shapes.

namespace xgrad::onnx::loading {

namespace {

std::string constant_objection(const GraphNode& node) {
  for (const char* text : {"value_string", "value_strings"}) {
    if (node.attributes.contains(std::string_view(text))) {
      return "of texts";
    }
  }
  return node.attributes.contains(std::string_view("sparse_value")) ? "of a sparse tensor" : "";
}

Tensor floats(const std::vector<double>& values) { return Tensor(std::vector<float>(values.begin(), values.end())); }

Tensors constant(const Call& call) {
  if (call.says("value_float")) {
    return {Tensor(static_cast<float>(call.number("value_float", 0)))};
  }
  if (call.says("value_floats")) {
    return {floats(call.numbers("value_floats"))};
  }
  if (call.says("value_int")) {
    return {Tensor(call.integer("value_int", 0))};
  }
  if (call.says("value_ints")) {
    return {Tensor(call.integers("value_ints"))};
  }
  return {Tensor(call.array("value"))};
}

Tensors constant_of_shape(const Call& call) {
  const std::vector<std::int64_t> list = call.integers(0);
  const Shape shape(list.begin(), list.end());
  require_sizes(call.node().type, shape);
  if (!call.says("value")) {
    return {zeros(shape)};
  }
  const Array& value = call.array("value");
  if (value.size() != 1) {
    call.refuse(phrase("the value has {} elements, not 1", value.size()));
  }
  return {broadcast_to(Tensor(value.reshaped({})), shape)};
}

/// start, start + delta, ... before limit, in the type of all three.
Tensors range_of(const Call& call) {
  const DType dtype = call[0].dtype();
  return dispatch(dtype, [&](auto zero) -> Tensors {
    using T = decltype(zero);
    const auto element = [&](std::size_t i) {
      const Array array = call.elements(i);
      if (array.size() != 1) {
        call.refuse(phrase("input {} has {} elements, not 1", i, array.size()));
      }
      return *array.data<T>();
    };
    const T start = element(0), limit = element(1), delta = element(2);
    if (delta == T{}) {
      call.refuse("the distance is 0");
    }
    const double steps =
        std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
    constexpr double most = 1e15;  // no memory has more, and doubles count up to there
    if (!(steps < most)) {
      call.refuse("the number of elements is too large, or none");
    }
    Array result({steps > 0 ? static_cast<std::int64_t>(steps) : 0}, dtype);
    for (std::int64_t i = 0; i < result.size(); ++i) {
      result.data<T>()[i] = static_cast<T>(start + static_cast<T>(i) * delta);
    }
    return {Tensor(result)};
  });
}

/// Positions start to end of a list of \p size, as slices of Python are cut.
std::int64_t cut_position(std::int64_t position, std::int64_t size) {
  const std::int64_t from_front = position < 0 ? position + size : position;
  return std::clamp<std::int64_t>(from_front, 0, size);
}

Tensors shape_of(const Call& call) {
  const Shape& shape = call[0].shape();
  const auto ndim = static_cast<std::int64_t>(shape.ndim());
  const std::int64_t start = cut_position(call.integer("start", 0), ndim);
  const std::int64_t end = cut_position(call.integer("end", ndim), ndim);
  return {Tensor(std::vector<std::int64_t>(shape.begin() + start, shape.begin() + std::max(start, end)))};
}

Tensors size_of_input(const Call& call) { return {Tensor(call[0].size())}; }

/// The dtype that an attribute names, or another.
DType dtype_or(const Call& call, DType otherwise) {
  const std::int64_t number = call.integer("dtype", 0);
  if (number == 0) {
    return otherwise;
  }
  const auto dtype = number > 0 && number < 1000 ? dtype_of(static_cast<std::int32_t>(number)) : std::nullopt;
  if (!dtype) {
    call.refuse(phrase("there is no element type {}", number));
  }
  return *dtype;
}

Tensors eye_like(const Call& call) {
  const Tensor& x = call[0];
  if (x.ndim() != 2) {
    call.refuse(phrase("it takes a matrix, got shape {}", to_string(x.shape())));
  }
  const DType dtype = dtype_or(call, x.dtype());
  const std::int64_t k = call.integer("k", 0);
  const auto numbers = [](std::int64_t count) { return arange(0, static_cast<double>(count), 1, DType::int64); };
  const Tensor rows = reshape(numbers(x.shape(0)), {x.shape(0), 1});
  return {cast(equal(numbers(x.shape(1)), rows + k), dtype)};
}

/// The raised cosine windows w[i] = a0 - a1 cos(2πi/n) + a2 cos(4πi/n), n less one where they are symmetric.
Tensors window(const Call& call, double a0, double a1, double a2) {
  const std::int64_t size = call.integer(0);
  const DType dtype = dtype_or(call, DType::float32);
  const bool periodic = call.integer("periodic", 1) != 0;
  const double period = static_cast<double>(periodic ? size : size - 1);
  constexpr double pi = 3.14159265358979323846;
  Array result({size}, DType::float64);
  for (std::int64_t i = 0; i < size; ++i) {
    const double angle = 2 * pi * static_cast<double>(i) / period;
    result.data<double>()[i] = a0 - a1 * kernels::elementary(kernels::Opcode::cos, angle) +
                               a2 * kernels::elementary(kernels::Opcode::cos, 2 * angle);
  }
  return {cast(Tensor(result), dtype)};
}

Tensors hann_window(const Call& call) { return window(call, 0.5, 0.5, 0); }

Tensors hamming_window(const Call& call) { return window(call, 25.0 / 46, 21.0 / 46, 0); }

Tensors blackman_window(const Call& call) { return window(call, 0.42, 0.5, 0.08); }

constexpr std::array creation_table = {
    Operator{"BlackmanWindow", {1, 1}, blackman_window, 17},
    Operator{"Constant", {0, 0}, constant, 1, any_opset, constant_objection},
    Operator{"ConstantOfShape", {1, 1}, constant_of_shape, 9},
    Operator{"EyeLike", {1, 1}, eye_like, 9, any_opset, nullptr, Operator::Known::always},
    Operator{"HammingWindow", {1, 1}, hamming_window, 17},
    Operator{"HannWindow", {1, 1}, hann_window, 17},
    Operator{"Range", {3, 3}, range_of, 11},
    Operator{"Shape", {1, 1}, shape_of, 1, any_opset, nullptr, Operator::Known::always},
    Operator{"Size", {1, 1}, size_of_input, 1, any_opset, nullptr, Operator::Known::always},
};

}  // namespace

std::span<const Operator> creation_operators() { return creation_table; }

}  // namespace xgrad::onnx::loading
