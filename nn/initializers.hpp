#pragma once

#include <functional>
#include <source_location>

#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/ops/random.hpp"

/// \file
/// How weights begin. A weight of shape (in, out) has fan-in `in` and fan-out `out`.

namespace xgrad::nn {

/// Draws the initial value of a weight of a given shape and floating dtype.
using Initializer = std::function<Tensor(random::Key key, const Shape& shape, DType dtype)>;

namespace detail {

/// Draws a weight anew, unless somebody may have seen it. Errors name the line that made it.
void draw_if_fresh(Variable& weight, const Initializer& initializer, random::Key key);

}  // namespace detail

}  // namespace xgrad::nn

/// Initialisers. Those named after people take the shape (in, out) of a weight; the others take any shape.
/// \throws ShapeError, from those that look at fans, for a weight that is not a matrix.
namespace xgrad::nn::init {

/// \name Variance by the number of inputs and outputs
/// \{

/// Uniform in ±√(6 / (in + out)): keeps the variance of tanh layers (Glorot and Bengio, 2010).
Tensor glorot_uniform(random::Key key, const Shape& shape, DType dtype = DType::float32);
/// Normal of variance 2 / (in + out) (Glorot and Bengio, 2010).
Tensor glorot_normal(random::Key key, const Shape& shape, DType dtype = DType::float32);
/// Uniform in ±√(6 / in): keeps the variance of ReLU layers (He et al., 2015).
Tensor he_uniform(random::Key key, const Shape& shape, DType dtype = DType::float32);
/// Normal of variance 2 / in (He et al., 2015).
Tensor he_normal(random::Key key, const Shape& shape, DType dtype = DType::float32);
/// Uniform in ±√(3 / in): keeps the variance of linear layers (LeCun et al., Efficient BackProp, 1998).
Tensor lecun_uniform(random::Key key, const Shape& shape, DType dtype = DType::float32);
/// Normal of variance 1 / in (LeCun et al., 1998); for selu (Klambauer et al., 2017).
Tensor lecun_normal(random::Key key, const Shape& shape, DType dtype = DType::float32);
/// \}

/// \name The same everywhere
/// \{
Tensor zeros(random::Key key, const Shape& shape, DType dtype = DType::float32);  ///< 0; the key does not matter
Tensor ones(random::Key key, const Shape& shape, DType dtype = DType::float32);   ///< 1; the key does not matter
Initializer constant(double value);                                               ///< \p value; the key does not matter
/// \}

/// \name With parameters
/// \{

/// Uniform in [low, high): mean (low + high) / 2, variance (high - low)² / 12.
Initializer uniform(double low = 0, double high = 1);
/// Normal of the given mean and standard deviation.
Initializer normal(double mean = 0, double stddev = 1);
/// Normal of the given mean and standard deviation (before truncation), drawn again and again until it lies within
/// mean + stddev · [low, high]: by the inverse of its distribution function, at once. With ±2 the variance is
/// 0.774 · stddev².
/// \throws ValueError for a negative \p stddev, and when no number can lie between \p low and \p high.
Initializer truncated_normal(double mean = 0, double stddev = 1, double low = -2, double high = 2,
                             std::source_location where = std::source_location::current());
/// \p gain times a random matrix with orthonormal columns, or rows when there are fewer of them: Q of a normal matrix's
/// QR factorisation, with the signs that make it uniformly distributed (Saxe et al., 2014; Mezzadri, 2007). Its
/// elements have mean 0 and mean square gain² / max(in, out).
Initializer orthogonal(double gain = 1);
/// \}

}  // namespace xgrad::nn::init
