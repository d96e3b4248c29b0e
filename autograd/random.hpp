#pragma once

#include <cstdint>
#include <source_location>

#include "autograd/tensor.hpp"

/// \file
/// Random tensors. There is no hidden state: the same key, shape and dtype always give the same numbers, on every
/// machine and for any number of threads. New numbers come from new keys.

/// Random tensors from explicit keys.
namespace xgrad::random {

/// Where a stream of random numbers starts. Keys are made from a seed, and from other keys by fold.
class Key {
 public:
  /// Every seed starts a stream of its own.
  explicit Key(std::uint64_t seed) : state_(seed) {}

  /// A key whose numbers are independent of this one's, for each \p data: `key.fold(layer).fold(step)`.
  Key fold(std::uint64_t data) const;

  std::uint64_t state() const { return state_; }  ///< all that the numbers depend on

 private:
  std::uint64_t state_;
};

/// Uniform numbers in [low, high).
/// \throws ValueError when low is above high.
/// \throws DTypeError for a dtype that is not floating.
Tensor uniform(Key key, const Shape& shape, double low = 0, double high = 1, DType dtype = DType::float32,
               std::source_location where = std::source_location::current());

/// Normal numbers of the given mean and standard deviation. \throws DTypeError for a dtype that is not floating.
Tensor normal(Key key, const Shape& shape, double mean = 0, double stddev = 1, DType dtype = DType::float32,
              std::source_location where = std::source_location::current());

/// boolean: true with probability \p p. \throws ValueError when \p p is not in [0, 1].
Tensor bernoulli(Key key, double p, const Shape& shape, std::source_location where = std::source_location::current());

/// The numbers 0 to n - 1 in random order, int64. \throws ShapeError when \p n is negative.
Tensor permutation(Key key, std::int64_t n, std::source_location where = std::source_location::current());

}  // namespace xgrad::random
