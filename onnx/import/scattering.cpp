#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/arithmetic_type.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators that put elements in places that indices name.

namespace xgrad::onnx::loading {

namespace {

/// What updates do, by ONNX's names.
struct ScatterReduction {
  std::string_view name;
  Scatter how;
};

constexpr std::array reductions = {
    ScatterReduction{"none", Scatter::replace}, ScatterReduction{"add", Scatter::add},
    ScatterReduction{"mul", Scatter::multiply}, ScatterReduction{"max", Scatter::maximum},
    ScatterReduction{"min", Scatter::minimum},
};

/// scatter(x, updates, how), for the tensor and the updates of a call.
template <class F>
Tensors scattered(const Call& call, const F& scatter) {
  const std::string name = call.text("reduction", "none");
  const auto* found = std::find_if(reductions.begin(), reductions.end(),
                                   [&](const ScatterReduction& reduction) { return reduction.name == name; });
  if (found == reductions.end()) {
    call.refuse(phrase("the reduction is none, add, mul, max or min, not '{}'", name));
  }
  const Tensor& x = call[0];
  const Tensor& updates = call[2];
  if (updates.dtype() != x.dtype()) {
    call.refuse("the updates are of another type than the tensor");
  }
  const Scatter how = found->how;
  if (how == Scatter::add || how == Scatter::multiply) {
    return {with_arithmetic([&](const Tensor& a, const Tensor& b) { return scatter(a, b, how); }, x, updates)};
  }
  return {scatter(x, updates, how)};
}

Tensors scatter_elements(const Call& call) {
  const Tensor indices = cast(call[1], DType::int64);
  if (call[2].shape() != indices.shape()) {
    call.refuse(
        phrase("updates of shape {} for indices of shape {}", to_string(call[2].shape()), to_string(indices.shape())));
  }
  const std::int64_t axis = checked_axis(call, call.integer("axis", 0), call[0].ndim());
  return scattered(call, [&](const Tensor& x, const Tensor& updates, Scatter how) {
    return scatter(x, indices, updates, axis, how);
  });
}

Tensors scatter_nd_of(const Call& call) {
  const Tensor indices = cast(call[1], DType::int64);
  return scattered(
      call, [&](const Tensor& x, const Tensor& updates, Scatter how) { return scatter_nd(x, indices, updates, how); });
}

constexpr std::array scattering_table = {
    Operator{"Scatter", {3, 3}, scatter_elements, 9, 10},
    Operator{"ScatterElements", {3, 3}, scatter_elements, 11},
    Operator{"ScatterND", {3, 3}, scatter_nd_of, 11},
};

}  // namespace

std::span<const Operator> scattering_operators() { return scattering_table; }

}  // namespace xgrad::onnx::loading
