#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/transforms/grad.hpp"
#include "tests/golden/arrays.hpp"
#include "tests/golden/cases.hpp"
#include "tests/golden/operations.hpp"

namespace xgrad::golden {

namespace {

/// Relative to the largest magnitude of an array, or to the floor when that is smaller.
struct Accuracy {
  double tolerance;
  double floor;
};
// Inputs, cotangents and directions are of order 1. Where terms of that order cancel, rounding leaves a residue of some
// epsilons however small the result is; tolerance times floor, 500 epsilons of float64 and 10 of float32, covers it.
constexpr Accuracy float64_accuracy = {1e-9, 1e-4};
constexpr Accuracy float32_accuracy = {1e-5, 0.1};

/// One entry per input, undefined for inputs that are not floating.
using PerInput = Tensors;

struct OpCase {
  std::string op;
  nlohmann::json attributes;
  Tensors inputs;
  Tensor output;
  Tensor cotangent;
  PerInput vjp;
  PerInput tangents;
  Tensor jvp;
  PerInput directions;
  PerInput vjp2;
};

PerInput read_per_input(Entries& entries, const std::string& key, const Tensors& inputs) {
  PerInput result = read_arrays(entries.at(key), key);
  const auto belongs = [](const Tensor& x, const Tensor& input) {
    return is_floating(input.dtype()) ? x.defined() && x.dtype() == input.dtype() && x.shape() == input.shape()
                                      : !x.defined();
  };
  const bool fits = std::equal(result.begin(), result.end(), inputs.begin(), inputs.end(), belongs);
  if (!fits) {
    raise<FileError>(key, "should have an array like each floating input, and null for each other one");
  }
  return result;
}

OpCase read_op_case(Entries& entries) {
  OpCase result;
  result.op = entries.text("op");
  result.attributes = entries.at("attrs");
  result.inputs = read_arrays(entries.at("inputs"), "inputs");
  result.output = read_defined(entries, "output");
  if (!std::all_of(result.inputs.begin(), result.inputs.end(), [](const Tensor& x) { return x.defined(); })) {
    raise<FileError>("inputs", "one of them is null");
  }
  if (is_floating(result.output.dtype())) {  // others have no derivatives
    result.cotangent = read_defined(entries, "cotangent");
    result.vjp = read_per_input(entries, "vjp", result.inputs);
    result.tangents = read_per_input(entries, "tangents", result.inputs);
    result.jvp = read_defined(entries, "jvp");
    result.directions = read_per_input(entries, "directions", result.inputs);
    result.vjp2 = read_per_input(entries, "vjp2", result.inputs);
  }
  return result;
}

Tensors defined_only(const PerInput& tensors) {
  Tensors result;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(result), [](const Tensor& x) { return x.defined(); });
  return result;
}

Tensors floating_only(const Tensors& tensors) {
  Tensors result;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(result),
               [](const Tensor& x) { return is_floating(x.dtype()); });
  return result;
}

Tensor rounded(const Tensor& x, DType dtype) {
  return is_floating(x.dtype()) ? cast(cast(x, DType::float32), dtype).detach() : x;
}

/// The value, and for a floating one the vjp of each floating input.
Tensors value_and_vjp(const OpCase& c, const Tensors& inputs, const Tensor& cotangent) {
  Entries attributes(c.attributes, "attributes");
  Tensors result = {call_op(c.op, inputs, attributes)};
  if (cotangent.defined()) {
    const Tensors products = vjp(result[0], floating_only(inputs), cotangent, Unreached::zeros);
    result.insert(result.end(), products.begin(), products.end());
  }
  return result;
}

/// Σᵢ ⟨aᵢ, bᵢ⟩
Tensor inner_product(const Tensors& a, const Tensors& b) {
  Tensor result = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    result = result + sum(a[i] * b[i]);
  }
  return result;
}

/// The part of a case that belongs to each floating input, and its name.
using Parts = std::vector<std::pair<std::string, Tensor>>;

void add_per_input(Parts& parts, const std::string& name, const PerInput& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].defined()) {
      parts.emplace_back(fmt::format("{}[{}]", name, i), tensors[i]);
    }
  }
}

void compare_float64(Differences& differences, const OpCase& c) {
  Parts expected = {{"value", c.output}};
  Tensors actual = value_and_vjp(c, c.inputs, c.cotangent);
  if (c.cotangent.defined()) {
    add_per_input(expected, "vjp", c.vjp);
    const Tensors inputs = floating_only(c.inputs);
    const Tensor projection = inner_product(Tensors(actual.begin() + 1, actual.end()), defined_only(c.directions));
    const Tensors second = grad(projection, inputs, Unreached::zeros);
    add_per_input(expected, "vjp2", c.vjp2);
    actual.insert(actual.end(), second.begin(), second.end());
    expected.emplace_back("jvp", c.jvp);
    actual.push_back(jvp(actual[0], inputs, defined_only(c.tangents)));
  }
  const auto [tolerance, floor] = float64_accuracy;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    differences.compare(expected[i].first, actual[i], expected[i].second, tolerance, floor);
  }
}

/// The value and vjp of the case rounded to float32, computed in \p dtype.
Tensors rounded_value_and_vjp(const OpCase& c, DType dtype) {
  Tensors inputs = c.inputs;
  for (Tensor& input : inputs) {
    input = rounded(input, dtype);
  }
  return value_and_vjp(c, inputs, c.cotangent.defined() ? rounded(c.cotangent, dtype) : Tensor());
}

void compare_float32(Differences& differences, const OpCase& c) {
  Parts expected = {{"float32 value", c.output}};
  add_per_input(expected, "float32 vjp", c.vjp);
  const Tensors actual = rounded_value_and_vjp(c, DType::float32);
  const Tensors conditioned = rounded_value_and_vjp(c, DType::float64);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    // However it computes, float32 multiplies errors as this op multiplies those of its rounded inputs.
    const auto [tolerance, floor] = float32_accuracy;
    const double conditioning = relative_error(conditioned[i], expected[i].second, floor);
    differences.compare(expected[i].first, actual[i], expected[i].second, tolerance + 8 * conditioning, floor);
  }
}

}  // namespace

std::string compare_op(Entries& entries) {
  const OpCase c = read_op_case(entries);
  Differences differences;
  compare_float64(differences, c);
  compare_float32(differences, c);
  return differences.report();
}

}  // namespace xgrad::golden
