#include <array>
#include <cstddef>
#include <cstdint>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/grad.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Steps of optimisers, and gradients: ONNX's operators of training. Inputs are the learning rate r, the number of steps t
/// so far, and of each of several tensors x its gradient and the optimiser's moments, kind after kind.

namespace xgrad::onnx::loading {

namespace {

/// Of one tensor: its new content and moments.
using Update = Tensors (*)(const Call& call, const Tensors& state);

/// Outputs, kind after kind as well.
template <Update update, std::size_t kinds>
Tensors update_all(const Call& call) {
  const std::size_t given = call.input_count() - 2;
  if (given == 0 || given % kinds != 0) {
    call.refuse(phrase("{} tensors beside the rate and the step, no multiple of {}", given, kinds));
  }
  const std::size_t count = given / kinds;
  Tensors results((kinds - 1) * count);
  for (std::size_t i = 0; i < count; ++i) {
    Tensors state;
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      state.push_back(call[2 + kind * count + i]);
    }
    const Tensors updated = update(call, state);
    for (std::size_t kind = 0; kind < updated.size(); ++kind) {
      results[kind * count + i] = updated[kind];
    }
  }
  return results;
}

/// The gradient, of the penalty norm_coefficient / 2 · |x|² as well.
Tensor regularized(const Call& call, const Tensor& x, const Tensor& gradient) {
  return call.number("norm_coefficient", 0) * x + gradient;
}

Tensor steps_in(const Call& call, DType dtype) { return reshape(cast(call[1], dtype), {}); }

Tensor rate_in(const Call& call, DType dtype) { return reshape(cast(call[0], dtype), {}); }

/// x ← x - r / (1 + t · decay) · g / (√h + epsilon) with h ← h + g² (Duchi et al., 2011).
Tensors adagrad(const Call& call, const Tensors& state) {
  const Tensor& x = state[0];
  const Tensor rate = rate_in(call, x.dtype()) / (1 + steps_in(call, x.dtype()) * call.number("decay_factor", 0));
  const Tensor g = regularized(call, x, state[1]);
  const Tensor h = state[2] + square(g);
  return {x - rate * g / (sqrt(h) + call.number("epsilon", 1e-6)), h};
}

/// Kingma and Ba, 2014, with the corrections for the first steps in the rate.
Tensors adam(const Call& call, const Tensors& state) {
  const Tensor& x = state[0];
  const double alpha = call.number("alpha", 0.9);
  const double beta = call.number("beta", 0.999);
  const Tensor t = steps_in(call, x.dtype());
  const Tensor rate = rate_in(call, x.dtype());
  const Tensor corrected = where(t > 0, rate * sqrt(1 - pow(beta, t)) / (1 - pow(alpha, t)), rate);
  const Tensor g = regularized(call, x, state[1]);
  const Tensor v = alpha * state[2] + (1 - alpha) * g;
  const Tensor h = beta * state[3] + (1 - beta) * square(g);
  const Tensor next = x - corrected * v / (sqrt(h) + call.number("epsilon", 1e-6));
  return {(1 - call.number("norm_coefficient_post", 0)) * next, v, h};
}

/// v ← alpha v + beta g, where beta is 1 in the first step; x ← x - r v, or as Nesterov, 1983.
Tensors momentum(const Call& call, const Tensors& state) {
  const Tensor& x = state[0];
  const double alpha = call.number("alpha", 0);
  const Tensor beta = where(steps_in(call, x.dtype()) > 0, call.number("beta", 1), full({}, 1.0, x.dtype()));
  const Tensor g = regularized(call, x, state[1]);
  const Tensor v = alpha * state[2] + beta * g;
  const std::string mode = call.text("mode", "standard");
  if (mode != "standard" && mode != "nesterov") {
    call.refuse(phrase("the mode is standard or nesterov, not '{}'", mode));
  }
  return {x - rate_in(call, x.dtype()) * (mode == "nesterov" ? g + alpha * v : v), v};
}

/// The gradient of y with respect to the inputs that are no constants; y is the last input, by its name.
Tensors gradient(const Call& call) {
  const std::size_t count = call.texts("xs").size();
  const std::size_t constants = call.texts("zs").size();
  if (count == 0 || call.input_count() != count + constants + 1) {
    call.refuse(phrase("{} inputs, where the attributes name {}", call.input_count() - 1, count + constants));
  }
  Tensors with_respect_to;
  for (std::size_t i = 0; i < count; ++i) {
    with_respect_to.push_back(call[i]);
  }
  return grad(sum(call[count + constants]), with_respect_to);
}

constexpr std::array training_table = {
    Operator{"Adagrad",
             {3, any_number},
             update_all<adagrad, 3>,
             1,
             any_opset,
             nullptr,
             Operator::Known::if_inputs_are,
             training_domain},
    Operator{"Adam",
             {3, any_number},
             update_all<adam, 4>,
             1,
             any_opset,
             nullptr,
             Operator::Known::if_inputs_are,
             training_domain},
    Operator{
        "Gradient", {1, any_number}, gradient, 1, any_opset, nullptr, Operator::Known::never, training_domain, "y"},
    Operator{"Momentum",
             {3, any_number},
             update_all<momentum, 3>,
             1,
             any_opset,
             nullptr,
             Operator::Known::if_inputs_are,
             training_domain},
};

}  // namespace

std::span<const Operator> training_operators() { return training_table; }

}  // namespace xgrad::onnx::loading
