#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/slice.hpp"
#include "autograd/formula/formula.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/ops/permanent_map.hpp"
#include "autograd/ops/whole_numbers.hpp"

/// \file
/// The table of contents: every public op, one documented line each.
///
/// Ops take tensors, variables, xtensor arrays and C++ numbers. They follow NumPy: operands broadcast, negative axes
/// count from the end, `axes` left out means all axes, `keepdims` leaves reduced axes with size 1; a tensor without axes may
/// be reduced along axis 0 or -1, too. All ops throw
/// ShapeError for shapes that do not fit, DTypeError for element types they do not take, ValueError for axes and
/// indices out of range. Ties and kinks get the derivatives that PyTorch gives them.
///
/// Operators between an xtensor array and a tensor are in xtensor_operands.hpp.

namespace xgrad {

/// The place of a call in the user's source; filled in by itself.
using Source = std::source_location;

/// \name Elementwise, one operand
/// \{
Tensor negative(const Operand& x);                                  ///< -x
Tensor abs(const Operand& x);                                       ///< |x|; derivative 0 at 0
Tensor sign(const Operand& x);                                      ///< -1, 0 or 1; derivative 0
Tensor exp(const Operand& x);                                       ///< eˣ
Tensor expm1(const Operand& x);                                     ///< eˣ - 1, exact near 0
Tensor log(const Operand& x);                                       ///< natural logarithm
Tensor log1p(const Operand& x);                                     ///< log(1 + x), exact near 0
Tensor exp2(const Operand& x);                                      ///< 2ˣ
Tensor log10(const Operand& x);                                     ///< logarithm to base 10
Tensor log2(const Operand& x);                                      ///< logarithm to base 2
Tensor sqrt(const Operand& x);                                      ///< √x; derivative inf at 0
Tensor rsqrt(const Operand& x);                                     ///< 1 / √x
Tensor square(const Operand& x);                                    ///< x²
Tensor cbrt(const Operand& x);                                      ///< cube root
Tensor reciprocal(const Operand& x);                                ///< 1 / x
Tensor sin(const Operand& x);                                       ///< sine, x in radians
Tensor cos(const Operand& x);                                       ///< cosine, x in radians
Tensor tan(const Operand& x);                                       ///< tangent, x in radians
Tensor asin(const Operand& x);                                      ///< inverse sine, in [-π/2, π/2]
Tensor acos(const Operand& x);                                      ///< inverse cosine, in [0, π]
Tensor atan(const Operand& x);                                      ///< inverse tangent, in [-π/2, π/2]
Tensor sinh(const Operand& x);                                      ///< hyperbolic sine
Tensor cosh(const Operand& x);                                      ///< hyperbolic cosine
Tensor tanh(const Operand& x);                                      ///< hyperbolic tangent
Tensor asinh(const Operand& x);                                     ///< inverse hyperbolic sine
Tensor acosh(const Operand& x);                                     ///< inverse hyperbolic cosine, x ≥ 1
Tensor atanh(const Operand& x);                                     ///< inverse hyperbolic tangent, |x| ≤ 1
Tensor erf(const Operand& x);                                       ///< error function 2/√π ∫₀ˣ exp(-t²) dt
Tensor erfc(const Operand& x);                                      ///< 1 - erf(x), to the last digits of its tail
Tensor sigmoid(const Operand& x);                                   ///< 1 / (1 + e⁻ˣ)
Tensor logit(const Operand& x);                                     ///< log(x / (1 - x)), the inverse of sigmoid
Tensor log_sigmoid(const Operand& x);                               ///< log sigmoid(x), stable for large |x|
Tensor softplus(const Operand& x);                                  ///< log(1 + eˣ), stable for large |x|
Tensor relu(const Operand& x);                                      ///< max(x, 0); derivative 0 at 0
Tensor leaky_relu(const Operand& x, double negative_slope = 0.01);  ///< x for x > 0, else negative_slope · x
/// x for x > 0, else slope · x (He et al., 2015); the slope is a tensor that broadcasts, and has a derivative.
Tensor prelu(const Operand& x, const Operand& slope);
Tensor elu(const Operand& x, double alpha = 1);  ///< x for x > 0, else alpha · (eˣ - 1) (Clevert et al., 2015)
Tensor selu(const Operand& x);  ///< scaled elu that keeps mean 0 and variance 1 (Klambauer et al., 2017)
/// gamma · (x for x > 0, else alpha · (eˣ - 1)), with constants of one's own
Tensor selu(const Operand& x, double alpha, double gamma = 1);
/// x for x > 0, else alpha · (e^(x / alpha) - 1), which is smooth at 0 (Barron, 2017). \throws ValueError for alpha = 0.
Tensor celu(const Operand& x, double alpha = 1);
Tensor gelu(const Operand& x, bool tanh_approximation = false);  ///< x · Φ(x) (Hendrycks and Gimpel, 2016)
Tensor silu(const Operand& x);                                   ///< x · sigmoid(x)
Tensor mish(const Operand& x);                                   ///< x · tanh(softplus(x)) (Misra, 2019)
Tensor softsign(const Operand& x);                               ///< x / (1 + |x|) (Bergstra et al., 2009)
/// alpha · x + beta limited to [0, 1]; derivative 0 at the limits. PyTorch's by default; ONNX has 0.2 for alpha.
Tensor hard_sigmoid(const Operand& x, double alpha = 1.0 / 6, double beta = 0.5);
Tensor hard_swish(const Operand& x);  ///< x · hard_sigmoid(x) (Howard et al., 2019); derivatives 0 at -3 and 1 at 3
Tensor thresholded_relu(const Operand& x, double alpha = 1);  ///< x for x > alpha, else 0 (Konda et al., 2014)
/// x - bias for x > lambda, x + bias for x < -lambda, else 0: hard shrinkage, and with bias = lambda soft shrinkage.
/// \throws ValueError for a lambda that is negative or NaN.
Tensor shrink(const Operand& x, double lambda = 0.5, double bias = 0);
Tensor clip(const Operand& x, double min, double max);  ///< x limited to [min, max]; derivative 1 at the limits
Tensor floor(const Operand& x);                         ///< largest integer ≤ x; derivative 0
Tensor ceil(const Operand& x);                          ///< smallest integer ≥ x; derivative 0
Tensor round(const Operand& x);                         ///< nearest integer, halves to even; derivative 0
Tensor trunc(const Operand& x);                         ///< integer part; derivative 0
/// x with numbers in place of what is none; by default 0, and the largest and smallest numbers of the dtype. Derivative 0
/// there.
Tensor nan_to_num(const Operand& x, double nan = 0, std::optional<double> positive_infinity = std::nullopt,
                  std::optional<double> negative_infinity = std::nullopt);
Tensor isnan(const Operand& x);        ///< boolean: is not a number
Tensor isinf(const Operand& x);        ///< boolean: is inf or -inf
Tensor isfinite(const Operand& x);     ///< boolean: is neither infinite nor NaN
Tensor logical_not(const Operand& x);  ///< boolean: not x
/// x in another dtype. Floating to integer truncates, and gives the nearest number there is for what is too large or too
/// small, 0 for NaN; integers to smaller ones keep the last bits; to boolean: x ≠ 0. To bfloat16: the nearest number, of all
/// types by one rounding. Derivatives go through casts between floating types, bfloat16 included, as if nothing were rounded.
Tensor cast(const Operand& x, DType dtype);
Tensor stop_gradient(const Operand& x);  ///< x, through which no gradient flows
/// \}

/// \name Elementwise, several operands
/// \{
Tensor add(const Operand& a, const Operand& b);        ///< a + b
Tensor subtract(const Operand& a, const Operand& b);   ///< a - b
Tensor multiply(const Operand& a, const Operand& b);   ///< a · b
Tensor divide(const Operand& a, const Operand& b);     ///< a / b; of integers: truncated, by zero throws ValueError
Tensor pow(const Operand& a, const Operand& b);        ///< aᵇ, of integers only for b ≥ 0; 0⁰ = 1
Tensor maximum(const Operand& a, const Operand& b);    ///< the larger one; at a tie each gets half the derivative
Tensor minimum(const Operand& a, const Operand& b);    ///< the smaller one; at a tie each gets half the derivative
Tensor atan2(const Operand& a, const Operand& b);      ///< angle of the point (b, a) in (-π, π]
Tensor hypot(const Operand& a, const Operand& b);      ///< √(a² + b²)
Tensor remainder(const Operand& a, const Operand& b);  ///< a - b · floor(a / b): the sign of b
Tensor fmod(const Operand& a, const Operand& b);       ///< a - b · trunc(a / b), as in C: the sign of a
/// ⌊a / b⌋, which goes with remainder: a = b · floor_divide(a, b) + remainder(a, b); derivative 0.
Tensor floor_divide(const Operand& a, const Operand& b);
Tensor logaddexp(const Operand& a, const Operand& b);                        ///< log(eᵃ + eᵇ), stable
Tensor xlogy(const Operand& a, const Operand& b);                            ///< a log b; 0 where a is, if b is not NaN
Tensor copysign(const Operand& a, const Operand& b);                         ///< |a| with the sign of b, also of -0
Tensor less(const Operand& a, const Operand& b);                             ///< boolean: a < b
Tensor less_equal(const Operand& a, const Operand& b);                       ///< boolean: a ≤ b
Tensor greater(const Operand& a, const Operand& b);                          ///< boolean: a > b
Tensor greater_equal(const Operand& a, const Operand& b);                    ///< boolean: a ≥ b
Tensor equal(const Operand& a, const Operand& b);                            ///< boolean: a = b
Tensor not_equal(const Operand& a, const Operand& b);                        ///< boolean: a ≠ b
Tensor logical_and(const Operand& a, const Operand& b);                      ///< boolean: a and b
Tensor logical_or(const Operand& a, const Operand& b);                       ///< boolean: a or b
Tensor where(const Operand& condition, const Operand& a, const Operand& b);  ///< a where condition, else b
/// \}

/// \name Elementwise, of statistics
/// \{
Tensor erfinv(const Operand& x);   ///< the inverse of erf, infinite at ±1 and NaN beyond
Tensor lgamma(const Operand& x);   ///< log |Γ(x)|, infinite at 0, -1, -2, ...
Tensor digamma(const Operand& x);  ///< ψ(x), the derivative of log Γ; -inf at 0, NaN at -1, -2, ...
/// ψ⁽ⁿ⁾(x), the n-th derivative of digamma. At 0, -1, -2, ... it is inf for an odd n; for an even one -inf at 0 and NaN at
/// the others.
/// \throws ValueError for an order outside [0, 1000].
Tensor polygamma(std::int64_t order, const Operand& x);
/// \}

/// \name Reductions
/// \{
/// sum; of boolean, uint8 and int32 it is int64, of bfloat16 there is none
Tensor sum(const Operand& x, const Axes& axes = {}, bool keepdims = false);
Tensor mean(const Operand& x, const Axes& axes = {}, bool keepdims = false);  ///< arithmetic mean
Tensor amax(const Operand& x, const Axes& axes = {}, bool keepdims = false);  ///< maximum; ties share the derivative
Tensor amin(const Operand& x, const Axes& axes = {}, bool keepdims = false);  ///< minimum; ties share the derivative
Tensor prod(const Operand& x, const Axes& axes = {}, bool keepdims = false);  ///< product; right where elements are 0
Tensor variance(const Operand& x, const Axes& axes = {}, bool keepdims = false);  ///< mean of (x - mean)², over N
Tensor stddev(const Operand& x, const Axes& axes = {}, bool keepdims = false);    ///< √variance; derivative 0 where 0
Tensor norm(const Operand& x, const Axes& axes = {}, bool keepdims = false);  ///< √Σ x²; derivative 0 where it is 0
/// Σ (x - mean)² / (N - correction): with 1 the unbiased estimate from a sample, NumPy's `ddof` (Bessel). NaN or infinite
/// where N is not larger.
Tensor variance(const Operand& x, const Axes& axes, bool keepdims, double correction);
Tensor stddev(const Operand& x, const Axes& axes, bool keepdims,
              double correction);  ///< its root; derivative 0 where 0
/// What the share \p q of the elements does not exceed: between two of them linearly, as NumPy does by default (method 7 of
/// Hyndman and Fan, 1996). NaN where one of the elements is. \throws ValueError for q outside [0, 1].
/// \throws ShapeError for axes without elements.
Tensor quantile(const Operand& x, double q, const Axes& axes = {}, bool keepdims = false);
/// quantile(x, 0.5): of an even number of elements the mean of the two in the middle, as in NumPy.
Tensor median(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// Covariances (v, v) of v variables in the rows of x, an observation per column, over N - correction; of a vector its
/// variance. \throws ShapeError for more axes.
Tensor cov(const Operand& x, double correction = 1);
/// Pearson's correlations (v, v), in [-1, 1]; NaN for a variable that is constant.
Tensor corrcoef(const Operand& x);
Tensor logsumexp(const Operand& x, const Axes& axes = {}, bool keepdims = false);  ///< log Σ eˣ, stable
Tensor softmax(const Operand& x, std::int64_t axis = -1);                       ///< eˣ / Σ eˣ along an axis, stable
Tensor log_softmax(const Operand& x, std::int64_t axis = -1);                   ///< log softmax(x), stable
Tensor argmax(const Operand& x, const Axes& axis = {}, bool keepdims = false);  ///< int64: where the first maximum is
Tensor argmin(const Operand& x, const Axes& axis = {}, bool keepdims = false);  ///< int64: where the first minimum is
Tensor all(const Operand& x, const Axes& axes = {}, bool keepdims = false);     ///< boolean: are all true
Tensor any(const Operand& x, const Axes& axes = {}, bool keepdims = false);     ///< boolean: is one true
/// \}

/// \name Along an axis
/// \{
Tensor cumsum(const Operand& x, std::int64_t axis);  ///< sums of the elements so far
/// Sums of the elements in front of each (\p exclusive), and from the end (\p reverse).
Tensor cumsum(const Operand& x, std::int64_t axis, bool exclusive, bool reverse = false);
Tensor cumprod(const Operand& x, std::int64_t axis);  ///< products of the elements so far

/// The largest or smallest elements so far, and where they were.
struct CumulativeExtreme {
  Tensor values;   ///< of the shape of x; NaN from the first NaN on
  Tensor indices;  ///< int64: their positions along the axis; of equal ones the last
};
CumulativeExtreme cummax(const Operand& x, std::int64_t axis);  ///< largest so far; the derivative goes to `indices`
CumulativeExtreme cummin(const Operand& x, std::int64_t axis);  ///< smallest so far; the derivative goes to `indices`
Tensor sort(const Operand& x, std::int64_t axis = -1, bool descending = false);  ///< in order, NaN last
/// int64: the positions of the elements in order; equal ones stay in theirs.
Tensor argsort(const Operand& x, std::int64_t axis = -1, bool descending = false);

/// Some elements along an axis, and where they were.
struct TopK {
  Tensor values;   ///< the elements, largest (or smallest) first
  Tensor indices;  ///< int64: their positions along the axis
};
TopK topk(const Operand& x, std::int64_t k, std::int64_t axis = -1, bool largest = true);  ///< k largest, in order
/// \}

/// \name Layout
/// \{
Tensor reshape(const Operand& x, const Shape& shape);  ///< same elements, other shape; one size may be -1
Tensor transpose(const Operand& x);                    ///< axes in reverse order
Tensor transpose(const Operand& x, const Ints& axes);  ///< axis i of the result is axis axes[i] of x
Tensor swapaxes(const Operand& x, std::int64_t axis1, std::int64_t axis2);  ///< two axes exchanged
Tensor broadcast_to(const Operand& x, const Shape& shape);  ///< x repeated along new axes and axes of size 1
Tensor expand_dims(const Operand& x, std::int64_t axis);    ///< a new axis of size 1 at position axis
Tensor squeeze(const Operand& x, const Axes& axes = {});  ///< without the given axes of size 1, or without all of them
/// The parts one after the other along an axis; the other sizes are equal.
Tensor concatenate(const Tensors& parts, std::int64_t axis = 0, Source where = Source::current());
/// The parts, of one shape, side by side on a new axis.
Tensor stack(const Tensors& parts, std::int64_t axis = 0, Source where = Source::current());
Tensors split(const Operand& x, std::int64_t parts, std::int64_t axis = 0);  ///< cut into equal parts
/// cut before the given positions
Tensors split_at(const Operand& x, const std::vector<std::int64_t>& positions, std::int64_t axis = 0);
/// Differences of neighbours x[i + 1] - x[i] along an axis, \p n times over. \throws ValueError for a negative n.
Tensor diff(const Operand& x, std::int64_t n = 1, std::int64_t axis = -1);
/// Coordinates on a grid of all combinations, one tensor per vector in \p axes, indexed in their order (`ij`).
/// \throws ShapeError for what is no vector.
Tensors meshgrid(const Tensors& axes, Source where = Source::current());
Tensor flip(const Operand& x, const Axes& axes = {});  ///< elements in reverse order along axes
/// x moved by shift positions along an axis; what leaves at one end comes in at the other.
Tensor roll(const Operand& x, std::int64_t shift, std::int64_t axis);
Tensor pad(const Operand& x, const Ints& before, const Ints& after, double value = 0);  ///< widened by a value
/// widened by a whole number; those beyond 2^53 stay exact in int64
template <std::integral Integer>
Tensor pad(const Operand& x, const Ints& before, const Ints& after, Integer value) {
  return detail::is_int64(value) ? detail::pad_with_integer(x, before, after, static_cast<std::int64_t>(value))
                                 : pad(x, before, after, static_cast<double>(value));
}
/// What an axis is widened by, besides a value; here of 1 2 3 by two on each side. All take more than the axis has.
enum class PadMode : std::uint8_t {
  reflect,  ///< 3 2 | 1 2 3 | 2 1: mirrored at the elements of the ends
  edge,     ///< 1 1 | 1 2 3 | 3 3: the elements of the ends repeated
  wrap,     ///< 2 3 | 1 2 3 | 1 2: periodic
};
/// widened by its own elements. \throws ShapeError for an axis to be widened that has none.
Tensor pad(const Operand& x, const Ints& before, const Ints& after, PadMode mode);
Tensor tile(const Operand& x, const Ints& reps);  ///< the whole tensor repeated, reps times per axis
Tensor repeat(const Operand& x, std::int64_t repeats, std::int64_t axis);  ///< each slice of an axis repeated
/// \}

/// \name Selection
/// \{
Tensor slice(const Operand& x, std::span<const Slice> slices);  ///< what `x[{...}]` selects, one selector per axis
/// The positions begin:end:stride of each axis.
Tensor slice(const Operand& x, const Ints& begin, const Ints& end, const Ints& strides);
Tensor take(const Operand& x, const Operand& indices, std::int64_t axis = 0);         ///< x at positions of an axis
Tensor take_along_axis(const Operand& x, const Operand& indices, std::int64_t axis);  ///< x[.., indices[.., j, ..], ..]
/// x with updates added at positions of an axis; updates have the shape that `take` gives for these indices.
Tensor scatter_add(const Operand& x, const Operand& indices, const Operand& updates, std::int64_t axis = 0);
/// What updates do where they go.
enum class Scatter : std::uint8_t {
  replace,   ///< take the place of what is there; of several the last one
  add,       ///< are added; numbers
  multiply,  ///< are multiplied with it; numbers. Derivatives are right where factors are 0
  maximum,   ///< the largest of all stays; equal ones share the derivative
  minimum,   ///< the smallest of all stays; equal ones share the derivative
};
/// x with updates at single places, as PyTorch's scatter: along axis 1, updates[i, j, ..] goes to x[i, indices[i, j, ..], ..].
/// Indices have as many axes as x, and are no longer than x along the others; updates broadcast to their shape.
Tensor scatter(const Operand& x, const Operand& indices, const Operand& updates, std::int64_t axis,
               Scatter how = Scatter::replace);
/// x with updates of slices: the last axis of indices (.., k) names an element of the first k axes of x. updates broadcast
/// to what gather_nd gives for these indices.
Tensor scatter_nd(const Operand& x, const Operand& indices, const Operand& updates, Scatter how = Scatter::replace);
Tensor gather_nd(const Operand& x, const Operand& indices);  ///< the slices x[indices[.., 0], .., indices[.., k - 1]]
/// int64: how many of ascending numbers are less than each value, or (\p right) not larger: where it can be inserted. One row
/// (n,) for all values, or rows (.., n) for values (.., m). NaN is the largest.
Tensor searchsorted(const Operand& sorted, const Operand& values, bool right = false);
/// int64 (length,): how often each of 0, 1, .. occurs. \throws ValueError for a number that is negative, or `length` or more.
Tensor bincount(const Operand& x, std::int64_t length);
/// (length,): the sum of the weights of each of 0, 1, .., in their dtype; those of float32 are added in double precision.
/// \p weights have the shape of x; their derivative is that of a sum. \throws ShapeError when they have not, DTypeError for
/// what is for storage, ValueError as above.
Tensor bincount(const Operand& x, const Operand& weights, std::int64_t length);
Tensor tril(const Operand& x, std::int64_t k = 0);  ///< 0 above the k-th diagonal of the last two axes
Tensor triu(const Operand& x, std::int64_t k = 0);  ///< 0 below the k-th diagonal of the last two axes
/// The elements x[i, i + offset] of two axes, on a new last axis.
Tensor diagonal(const Operand& x, std::int64_t offset = 0, std::int64_t axis1 = 0, std::int64_t axis2 = 1);
/// Matrices on two axes of the result, the last ones by default, with the elements of the last axis of x on the diagonal
/// \p offset, and 0 elsewhere: what `diagonal` takes x from.
Tensor diag_embed(const Operand& x, std::int64_t offset = 0, std::int64_t axis1 = -2, std::int64_t axis2 = -1);
Tensor one_hot(const Operand& indices, std::int64_t classes, DType dtype = DType::float32);  ///< 1 at index, else 0
/// \}

/// \name Linear algebra
/// \{
Tensor matmul(const Operand& a, const Operand& b);  ///< matrix product (.., m, k) × (.., k, n); 1-D: vectors
Tensor kron(const Operand& a, const Operand& b);    ///< Kronecker's product, of up to four axes
/// The vector product of vectors of three components along an axis. \throws ShapeError for another size.
Tensor cross(const Operand& a, const Operand& b, std::int64_t axis = -1);
Tensor outer(const Operand& a, const Operand& b);  ///< all products a[i] b[j] of the elements in row-major order
/// Sum of products over pairs of axes, axes_a[i] with axes_b[i]; what is left of a, then of b.
Tensor tensordot(const Operand& a, const Operand& b, const Axes& axes_a, const Axes& axes_b);
/// tensordot over the last axes of a with as many first ones of b.
Tensor tensordot(const Operand& a, const Operand& b, std::int64_t axes = 2);
/// Sum of products over named axes, as in `einsum("bij,bjk->bik", {x, y})`. Indices that the result lacks are summed
/// over, one that an operand repeats takes its diagonal; without an arrow the result has the indices that occur once,
/// in alphabetical order. An ellipsis stands for axes that broadcast. Several operands are multiplied in pairs,
/// smallest products first.
Tensor einsum(std::string_view subscripts, const Tensors& tensors, Source where = Source::current());
Tensor trace(const Operand& x);  ///< sum of the diagonal of the first two axes
/// \}

/// \name Making tensors
/// \{

/// value everywhere
Tensor full(const Shape& shape, double value, DType dtype = DType::float32, Source where = Source::current());
/// value everywhere; whole numbers beyond 2^53 stay exact in int64
template <std::integral Integer>
Tensor full(const Shape& shape, Integer value, DType dtype = DType::float32, Source where = Source::current()) {
  return detail::is_int64(value) ? detail::full_of_integer(shape, static_cast<std::int64_t>(value), dtype, where)
                                 : full(shape, static_cast<double>(value), dtype, where);
}
Tensor zeros(const Shape& shape, DType dtype = DType::float32, Source where = Source::current());  ///< 0 everywhere
Tensor ones(const Shape& shape, DType dtype = DType::float32, Source where = Source::current());   ///< 1 everywhere
Tensor full_like(const Operand& x, double value);  ///< value, in shape and dtype of x
/// value, in shape and dtype of x; whole numbers beyond 2^53 stay exact in int64
template <std::integral Integer>
Tensor full_like(const Operand& x, Integer value) {
  return detail::is_int64(value) ? detail::full_like_of_integer(x, static_cast<std::int64_t>(value))
                                 : full_like(x, static_cast<double>(value));
}
Tensor zeros_like(const Operand& x);  ///< 0, in shape and dtype of x
Tensor ones_like(const Operand& x);   ///< 1, in shape and dtype of x
/// 0, 1, 2, ... before stop
Tensor arange(double stop, DType dtype = DType::float32, Source where = Source::current());
/// start, start + step, start + 2 step, ... before stop
Tensor arange(double start, double stop, double step = 1, DType dtype = DType::float32,
              Source where = Source::current());
/// \p count numbers, evenly spaced, from \p start to \p stop, both included.
Tensor linspace(double start, double stop, std::int64_t count = 50, DType dtype = DType::float32,
                Source where = Source::current());
/// 1 on the diagonal of a matrix, 0 elsewhere; square unless \p columns is given.
Tensor eye(std::int64_t rows, std::int64_t columns = -1, DType dtype = DType::float32,
           Source where = Source::current());
/// 1 on the diagonal of a square matrix, 0 elsewhere.
Tensor eye(std::int64_t rows, DType dtype, Source where = Source::current());
/// \}

/// \name Comparison of whole tensors
/// \{

/// Whether |a - b| ≤ absolute + relative · |b| for all elements; infinities are close to themselves, NaN only to NaN
/// when \p equal_nan is set.
bool allclose(const Operand& a, const Operand& b, double relative = 1e-5, double absolute = 1e-8,
              bool equal_nan = false);
/// \}

/// \name A formula on whole tensors
/// \{

/// formula(operands...) for every element, with broadcasting. \throws ValueError for too many or too few operands.
Tensor map(const Formula& formula, std::initializer_list<Operand> operands);

/// f(operands...) for every element, where \p f is a callable on Scalars:
/// `map([](Scalar x) { return x * tanh(x); }, x)`.
template <class F, class... Rest>
  requires(!std::same_as<std::remove_cvref_t<F>, Formula>)
Tensor map(const F& f, const Operand& first, const Rest&... rest) {
  const SourceScope scope(first);
  return located(first.where(), [&] {
    if constexpr (std::is_empty_v<F>) {
      static const AnyOperation* const once = detail::permanent_map(Formula(f));  // without state it is one formula
      return detail::apply_map(*once, {first, rest...});
    } else {
      return map(Formula(f), {first, rest...});
    }
  });
}
/// \}

/// \name Operators
/// \{

/// What the op named after the operator computes: `a + b` is add(a, b), `a == b` is equal(a, b), elementwise.
inline Tensor operator-(const Operand& x) { return negative(x); }
inline Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
inline Tensor operator-(const Operand& a, const Operand& b) { return subtract(a, b); }
inline Tensor operator*(const Operand& a, const Operand& b) { return multiply(a, b); }
inline Tensor operator/(const Operand& a, const Operand& b) { return divide(a, b); }
inline Tensor operator<(const Operand& a, const Operand& b) { return less(a, b); }
inline Tensor operator<=(const Operand& a, const Operand& b) { return less_equal(a, b); }
inline Tensor operator>(const Operand& a, const Operand& b) { return greater(a, b); }
inline Tensor operator>=(const Operand& a, const Operand& b) { return greater_equal(a, b); }
inline Tensor operator==(const Operand& a, const Operand& b) { return equal(a, b); }
inline Tensor operator!=(const Operand& a, const Operand& b) { return not_equal(a, b); }
inline Tensor operator!(const Operand& x) { return logical_not(x); }
/// \}

}  // namespace xgrad
