#pragma once

#include <array>
#include <functional>
#include <random>
#include <vector>

#include "autograd/autograd.hpp"

/// \file
/// Random functions of three arguments and three variables, for tests that compare ways of computing them.

namespace xgrad::testing {

/// What a random graph works on: x and y, floating, and labels.
using GraphArguments = std::array<Tensor, 3>;

/// A function that was drawn at random. The same seed gives the same function and the same arguments.
class RandomGraph {
 public:
  enum class Size : std::uint8_t {
    small,  ///< axes of 0 to 5 elements
    large,  ///< axes of 64 and more in x and y: steps are cut into pieces
  };
  /// Called with new contents before they are assigned to variables.
  using Settle = std::function<void(const Tensors& values)>;

  RandomGraph(unsigned seed, Size size);

  GraphArguments arguments() const;
  std::vector<Variable> make_variables() const;
  /// Everything that the function computes from the arguments and the variables; it assigns some of the latter.
  Tensors operator()(const GraphArguments& arguments, const std::vector<Variable>& variables,
                     const Settle& settle = {}) const;
  /// How far two ways to compute may differ, relative to the largest element of a result or 1.
  double tolerance() const { return dtype_ == DType::float64 ? 1e-10 : 1e-3; }

 private:
  Shape random_shape(std::mt19937& engine) const;

  unsigned seed_;
  Size size_;
  DType dtype_;
  Shape x_shape_;
  Shape y_shape_;
  Shape variable_shape_;
};

/// Evaluates every node by itself, inputs first: no plan has a part in it.
void evaluate_node_by_node(const Tensors& tensors);

}  // namespace xgrad::testing
