#pragma once

#include <cstdint>
#include <source_location>
#include <utility>

#include "autograd/graph/tensor.hpp"

/// \file
/// Random tensors. There is no hidden state: the same key, shape and dtype always give the same numbers, on every
/// machine and for any number of threads. New numbers come from new keys; and where a function is traced once and run
/// often, as compile() does, from a key that depends on a tensor, such as the number of the step.

/// Random tensors from explicit keys.
namespace xgrad::random {

/// Where a stream of random numbers starts. Keys are made from a seed, and from other keys by fold.
///
/// A key may depend on tensors. What is drawn with it then takes them as inputs: a compiled step that folds in a counter,
/// which it increments, draws other numbers at every call; and vmap over the counter gives every sample its own.
///
///     const Variable steps(Tensor(std::int64_t{0}), "steps");
///     auto step = compile([&](const Tensor& x) {
///       const Tensor y = model(x, nn::Training(key.fold(steps)));
///       steps.assign(steps + 1);
///       ...
class Key {
 public:
  /// Every seed starts a stream of its own.
  explicit Key(std::uint64_t seed) : state_(seed) {}

  /// A key whose numbers are independent of this one's, for each \p data: `key.fold(layer).fold(step)`.
  Key fold(std::uint64_t data) const;

  /// The key that `fold(n)` gives, n being the element of \p counter when the numbers are drawn: bitwise the same
  /// numbers.
  /// \param counter one element of an integer dtype, such as a Variable or an argument of a compiled function; C++
  ///        numbers take the other fold.
  /// \throws DTypeError when \p counter is not of an integer dtype. \throws ShapeError when it has not one element.
  Key fold(const Operand& counter) const;

  /// All that the numbers depend on. Of a key that depends on a tensor it is computed.
  /// \throws ValueError in a traced function when the key depends on a traced tensor.
  std::uint64_t state() const;

  /// The bits of state() as a tensor: int64, shape ().
  Tensor tensor() const;

 private:
  explicit Key(Tensor tensor) : state_(0), tensor_(std::move(tensor)) {}

  std::uint64_t state_;
  Tensor tensor_;  // in place of state_, when the key depends on a tensor
};

/// Uniform numbers in [low, high).
/// \throws ValueError when low is above high, or their distance is not finite.
/// \throws DTypeError for a dtype that is not floating.
Tensor uniform(Key key, const Shape& shape, double low = 0, double high = 1, DType dtype = DType::float32,
               std::source_location where = std::source_location::current());

/// Normal numbers of the given mean and standard deviation.
/// \throws ValueError for a negative standard deviation, or NaN.
/// \throws DTypeError for a dtype that is not floating.
Tensor normal(Key key, const Shape& shape, double mean = 0, double stddev = 1, DType dtype = DType::float32,
              std::source_location where = std::source_location::current());

/// boolean: true with probability \p p. \throws ValueError when \p p is not in [0, 1].
Tensor bernoulli(Key key, double p, const Shape& shape, std::source_location where = std::source_location::current());

/// The numbers 0 to n - 1 in random order, int64. \throws ShapeError when \p n is negative.
Tensor permutation(Key key, std::int64_t n, std::source_location where = std::source_location::current());

}  // namespace xgrad::random
