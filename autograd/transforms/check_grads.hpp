#pragma once

#include <cstdint>
#include <functional>
#include <source_location>

#include "autograd/graph/tensor.hpp"

/// \file
/// A numeric check of derivatives, for any function and for ops of users' own.

namespace xgrad {

/// How check_grads checks.
struct CheckGradsOptions {
  int order = 2;            ///< derivatives up to this order
  double tolerance = 1e-6;  ///< largest difference allowed, relative to the size of the derivative
  double step = 1e-4;       ///< step of the differences, relative to the size of the input
  std::uint64_t seed = 0;   ///< of the random directions
  bool forward = true;      ///< also check forward mode, where all operations have a jvp rule
};

/// Compares the gradients of \p f at \p inputs with finite differences in random directions, up to the given order, and
/// forward mode with reverse mode.
///
/// With random cotangent c and direction d, the number ⟨c, f(x)⟩ has the directional derivative ⟨∇⟨c, f⟩, d⟩ by the
/// chain rule and [8 (s(h) - s(-h)) - (s(2h) - s(-2h))] / 12h by differences, where s(t) = ⟨c, f(x + t d)⟩. In forward
/// mode it is ⟨c, jvp(d)⟩, which must agree with reverse mode up to rounding. The second order checks the gradient in
/// the same way: reverse over reverse and forward over reverse.
/// \param f a differentiable function of tensors; called many times.
/// \param inputs float64 tensors, away from kinks.
/// \throws DTypeError when an input is not float64.
/// \throws GradientError when a derivative is wrong, with order, input, direction, the values and the likely culprit.
void check_grads(const std::function<Tensor(const Tensors&)>& f, const Tensors& inputs,
                 const CheckGradsOptions& options = {}, std::source_location where = std::source_location::current());

/// What check_op knows about an op.
struct CheckOpOptions {
  /// What the op should compute, written in another way; not compared when absent.
  std::function<Tensor(const Tensors&)> reference = {};
  bool elementwise = false;      ///< also check broadcasting and empty inputs
  bool vmap = true;              ///< also check vmap against one call per sample
  CheckGradsOptions grads = {};  ///< how derivatives are checked
};

/// The whole battery for an op: its values against a reference, its derivatives (check_grads), vmap, and, for
/// elementwise ops, broadcasting and empty inputs.
/// \param op takes as many tensors as there are inputs.
/// \throws ValueError naming the check that failed.
/// \throws GradientError as check_grads does.
void check_op(const std::function<Tensor(const Tensors&)>& op, const Tensors& inputs,
              const CheckOpOptions& options = {}, std::source_location where = std::source_location::current());

}  // namespace xgrad
