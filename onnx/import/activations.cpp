#include <array>
#include <limits>

#include "autograd/ops/ops.hpp"
#include "onnx/import/arithmetic_type.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Activations.

namespace xgrad::onnx::loading {

namespace {

Tensors relu_of(const Call& call) {
  return {with_arithmetic([](const Tensor& x) { return relu(x); }, call[0])};
}

Tensors sigmoid_of(const Call& call) { return {sigmoid(call[0])}; }

Tensors leaky_relu_of(const Call& call) { return {leaky_relu(call[0], call.number("alpha", 0.01))}; }

Tensors elu_of(const Call& call) { return {elu(call[0], call.number("alpha", 1))}; }

Tensors selu_of(const Call& call) {
  return {
      selu(call[0], call.number("alpha", 1.67326319217681884765625), call.number("gamma", 1.05070102214813232421875))};
}

Tensors celu_of(const Call& call) { return {celu(call[0], call.number("alpha", 1))}; }

Tensors hard_sigmoid_of(const Call& call) {
  return {hard_sigmoid(call[0], call.number("alpha", 0.2), call.number("beta", 0.5))};
}

Tensors hard_swish_of(const Call& call) { return {hard_swish(call[0])}; }

Tensors gelu_of(const Call& call) {
  const std::string approximate = call.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    call.refuse("the approximation is 'none' or 'tanh'");
  }
  return {gelu(call[0], approximate == "tanh")};
}

Tensors mish_of(const Call& call) { return {mish(call[0])}; }

Tensors softplus_of(const Call& call) { return {softplus(call[0])}; }

Tensors softsign_of(const Call& call) { return {softsign(call[0])}; }

Tensors thresholded_relu_of(const Call& call) { return {thresholded_relu(call[0], call.number("alpha", 1))}; }

Tensors shrink_of(const Call& call) {
  const double bias = call.number("bias", 0);
  const double lambd = call.number("lambd", 0.5);
  return {with_floating([=](const Tensor& x) { return shrink(x, lambd, bias); }, call[0])};
}

Tensors prelu_of(const Call& call) {
  return {with_arithmetic([](const Tensor& x, const Tensor& slope) { return prelu(x, slope); }, call[0], call[1])};
}

/// Limits that are attributes.
Tensors clip_by_attributes(const Call& call) {
  constexpr double largest = std::numeric_limits<double>::infinity();
  return {clip(call[0], call.number("min", -largest), call.number("max", largest))};
}

/// Limits that are tensors of one element: where they cross, the upper one counts.
Tensors clip_by_inputs(const Call& call) {
  const auto raised = [](const Tensor& x, const Tensor& low) {
    return map([](Scalar a, Scalar b) { return where(a < b, b, a); }, x, low);
  };
  const auto lowered = [](const Tensor& x, const Tensor& high) {
    return map([](Scalar a, Scalar b) { return where(a > b, b, a); }, x, high);
  };
  Tensor result = call[0];
  result = call.has(1) ? with_arithmetic(raised, result, call[1]) : result;
  return {call.has(2) ? with_arithmetic(lowered, result, call[2]) : result};
}

constexpr std::array activations_table = {
    Operator{"Celu", {1, 1}, celu_of, 12},
    Operator{"Clip", {1, 1}, clip_by_attributes, 6, 10},
    Operator{"Clip", {1, 3}, clip_by_inputs, 11},
    Operator{"Elu", {1, 1}, elu_of, 6},
    Operator{"Gelu", {1, 1}, gelu_of, 20},
    Operator{"HardSigmoid", {1, 1}, hard_sigmoid_of, 6},
    Operator{"HardSwish", {1, 1}, hard_swish_of, 14},
    Operator{"LeakyRelu", {1, 1}, leaky_relu_of, 6},
    Operator{"Mish", {1, 1}, mish_of, 18},
    Operator{"PRelu", {2, 2}, prelu_of},
    Operator{"Relu", {1, 1}, relu_of, 6},
    Operator{"Selu", {1, 1}, selu_of, 6},
    Operator{"Shrink", {1, 1}, shrink_of, 9},
    Operator{"Sigmoid", {1, 1}, sigmoid_of, 6},
    Operator{"Softplus", {1, 1}, softplus_of, 1},
    Operator{"Softsign", {1, 1}, softsign_of, 1},
    Operator{"ThresholdedRelu", {1, 1}, thresholded_relu_of, 10},
};

}  // namespace

std::span<const Operator> activation_operators() { return activations_table; }

}  // namespace xgrad::onnx::loading
