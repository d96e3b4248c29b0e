#pragma once

#include <functional>

#include "autograd/graph/tensor.hpp"

/// \file
/// For LBFGS's own use: the line search.

namespace xgrad::nn::detail {

/// A function of a step along a direction, at one step.
struct LinePoint {
  double step;      ///< t
  double value;     ///< φ(t) = f(w + t d)
  double slope;     ///< φ'(t) = ∇f(w + t d)ᵀ d
  Tensor gradient;  ///< ∇f(w + t d)
};

/// A step that meets the strong Wolfe conditions; when it is not found in 25 trials, or not within \p width, the best.
/// \param start at step 0, where the slope is negative.
/// \param width two steps that are closer are one.
LinePoint search_strong_wolfe(const std::function<LinePoint(double step)>& evaluate, const LinePoint& start,
                              double first_step, double width);

}  // namespace xgrad::nn::detail
