#pragma once

#include <random>

#include "random_graphs.hpp"

/// \file
/// Operations drawn at random, with results of moderate size.

namespace xgrad::testing {

/// Reproducible numbers in [-1.5, 1.5).
Tensor random_numbers(const Shape& shape, DType dtype, unsigned seed);

/// Draws operations, each of tensors that are there already.
class RandomOps {
 protected:
  RandomOps(unsigned seed, DType dtype, const GraphArguments& arguments)
      : engine_(seed), dtype_(dtype), arguments_(arguments), floats_{arguments[0], arguments[1]} {}
  ~RandomOps() = default;

  std::size_t pick(std::size_t count);
  double number();  ///< in (-1, 1.01), and no multiple of 1/100
  const Tensor& any();
  /// One that has elements, and \p ndim axes or more.
  Tensor with_elements(std::size_t ndim);
  Tensor constant(const Shape& shape);
  Tensor unary(const Tensor& x);
  std::int64_t any_axis(const Tensor& x);
  /// Something that broadcasts with x.
  Tensor partner(const Tensor& x);
  Tensor binary();
  /// Conditions are exact: rounding must not decide.
  Tensor condition(const Shape& shape);
  Tensor selection();
  Tensor reduction();
  Tensor as_matrix(const Tensor& x);
  Tensor product();
  Tensor sum_with_product(const Tensor& product);
  Tensor layout(const Tensor& x);
  static Shape with_axis(const Shape& shape, std::int64_t size);
  Tensor slice_of(const Tensor& x, std::int64_t axis, std::int64_t size);
  Tensor along_an_axis();
  Tensor indexed();

  std::mt19937 engine_;
  DType dtype_;
  const GraphArguments& arguments_;
  Tensors floats_;
};

}  // namespace xgrad::testing
