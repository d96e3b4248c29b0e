#include "random_ops.hpp"

#include <algorithm>

#include "tests/testing.hpp"

namespace xgrad::testing {

Tensor random_numbers(const Shape& shape, DType dtype, unsigned seed) {
  return cast(random_tensor(shape, -1.5, 1.5, seed), dtype).detach();
}

std::size_t RandomOps::pick(std::size_t count) { return engine_() % count; }

double RandomOps::number() { return static_cast<double>(pick(200)) / 100 - 0.9937; }

const Tensor& RandomOps::any() { return floats_[pick(floats_.size())]; }

Tensor RandomOps::with_elements(std::size_t ndim) {
  for (int trial = 0; trial < 10; ++trial) {
    const Tensor& candidate = any();
    if (candidate.size() > 0 && candidate.shape().ndim() >= ndim) {
      return candidate;
    }
  }
  return constant(ndim == 0 ? Shape() : ndim == 1 ? Shape{3} : Shape{2, 3});
}

Tensor RandomOps::constant(const Shape& shape) {
  switch (pick(4)) {
    case 0: return full(shape, number(), dtype_);
    case 1: return zeros(shape, dtype_) + number();
    default: return random_numbers(shape, dtype_, static_cast<unsigned>(pick(1000)));
  }
}

std::int64_t RandomOps::any_axis(const Tensor& x) { return static_cast<std::int64_t>(pick(x.shape().ndim())); }

Tensor RandomOps::unary(const Tensor& x) {
  switch (pick(16)) {
    case 0: return tanh(x);
    case 1: return sin(x) + number();
    case 2: return sigmoid(x);
    case 3: return softplus(x) * 0.5;
    case 4: return relu(x);
    case 5: return exp(-square(x));
    case 6: return log1p(square(x));
    case 7: return sqrt(1.25 + square(x));
    case 8: return 1.0 / (1.5 + abs(x));
    case 9: return gelu(x);
    case 10: return clip(x, -0.713, 0.617);
    case 11: return map([](Scalar a) { return a * tanh(a) + 0.25; }, x);
    case 12: return exp(tanh(x));
    case 13: return stop_gradient(x) * 0.5 + x;
    case 14: return elu(x) - 0.3;
    default: return number() - x;
  }
}

Tensor RandomOps::partner(const Tensor& x) {
  for (int trial = 0; trial < 4; ++trial) {
    const Tensor& other = any();
    const auto fits = [&](std::size_t i) {
      const std::int64_t a = x.shape()[x.shape().ndim() - 1 - i];
      const std::int64_t b = other.shape()[other.shape().ndim() - 1 - i];
      return a == b || a == 1 || b == 1;
    };
    bool broadcasts = true;
    for (std::size_t i = 0; i < std::min(x.shape().ndim(), other.shape().ndim()); ++i) {
      broadcasts = broadcasts && fits(i);
    }
    if (broadcasts) {
      return other;
    }
  }
  Shape shape = x.shape();
  if (!shape.empty() && pick(2) == 0) {
    shape[pick(shape.ndim())] = 1;
  }
  return pick(2) == 0 ? constant(shape) : constant(x.shape());
}

Tensor RandomOps::binary() {
  const Tensor a = any();
  const Tensor b = partner(a);
  switch (pick(10)) {
    case 0: return a + 0.917 * b;
    case 1: return a - 0.831 * b;
    case 2: return a * tanh(b);
    case 3: return a / (1.25 + square(b));
    case 4: return maximum(a, b + 0.01);
    case 5: return minimum(a * 0.5, b);
    case 6: return hypot(a, 1.0 + abs(b));
    case 7: return logaddexp(a, b);
    case 8: return b + a;
    default: return atan2(a, 2.0 + sigmoid(b));
  }
}

Tensor RandomOps::condition(const Shape& shape) {
  const Tensor exact = random_numbers(shape, dtype_, static_cast<unsigned>(pick(1000)));
  switch (pick(5)) {
    case 0: return exact < number();
    case 1: return logical_and(exact > -0.5, exact <= 0.75);
    case 2: return !(exact >= number());
    case 3: return arguments_[0] < mean(exact) * 0.0 + 0.123456;
    default: return logical_and(isfinite(exact), logical_or(exact != 0.5, exact == 0.5));
  }
}

Tensor RandomOps::selection() {
  const Tensor a = any();
  const Tensor test = condition(a.shape());
  if (test.shape() != a.shape()) {
    return where(test, sum(a) * 0.1, number());
  }
  const Tensor chosen = pick(2) == 0 ? where(test, a, tanh(a) * 0.5) : where(test, a, number());
  return pick(3) == 0 ? chosen * cast(test, dtype_) : chosen;
}

Tensor RandomOps::reduction() {
  const Tensor x = with_elements(0);
  Shape axes;
  for (std::size_t axis = 0; axis < x.shape().ndim(); ++axis) {
    if (pick(2) == 0) {
      axes.push_back(static_cast<std::int64_t>(axis));
    }
  }
  const bool keepdims = pick(2) == 0;
  const Axes over = axes.empty() ? Axes() : Axes(axes);
  switch (pick(8)) {
    case 0: return amax(x, over, keepdims);
    case 1: return logsumexp(x, over, keepdims);
    case 2: return norm(x, over, keepdims) * 0.3;
    case 3: return variance(x, over, keepdims);
    case 4: return mean(x, over, keepdims);
    case 5: return prod(tanh(x) * 0.5 + 1.0, over, keepdims) * 0.1;
    default: return sum(x, over, keepdims) * 0.1;
  }
}

Tensor RandomOps::as_matrix(const Tensor& x) {
  const std::int64_t columns = x.shape()[x.shape().ndim() - 1];
  return reshape(x, {x.size() / columns, columns});
}

Tensor RandomOps::product() {
  const Tensor a = as_matrix(with_elements(1));
  const std::int64_t m = a.shape()[0];
  const std::int64_t k = a.shape()[1];
  const std::int64_t n =
      m * k > 1000 ? 64 + static_cast<std::int64_t>(pick(70)) : 1 + static_cast<std::int64_t>(pick(5));
  const double scale = 1.0 / static_cast<double>(k + m);
  const Tensor b = unary(a);
  switch (pick(9)) {
    case 0: return matmul(a, constant({k, n})) * scale;
    case 1: return matmul(a, transpose(constant({n, k}))) * scale;
    case 2: return matmul(transpose(a), constant({m, n})) * scale;
    case 3: return matmul(transpose(a), transpose(constant({n, m}))) * scale;
    case 4: return matmul(a, transpose(b)) * scale;
    case 5: return sum_with_product(matmul(a, constant({k, n})));
    case 6: return matmul(swapaxes(stack({a, b}), 1, 2), stack({b, a})) * scale;
    case 7: return matmul(stack({a, b}), constant({k, n})) * scale;
    default: return matmul(a, tanh(constant({k}))) * scale;
  }
}

Tensor RandomOps::sum_with_product(const Tensor& product) {
  if (pick(2) == 0) {
    floats_.push_back(reshape(product, {product.size()}));
  }
  const Tensor other = constant(product.shape());
  return pick(3) == 0 ? cast(cast(product, DType::float64) + cast(other, DType::float64), dtype_) : product + other;
}

Tensor RandomOps::layout(const Tensor& x) {
  const std::size_t ndim = x.shape().ndim();
  if (ndim == 0) {
    return pick(2) == 0 ? reshape(x, {1, 1}) : broadcast_to(x, {2, 3});
  }
  const std::int64_t axis = any_axis(x);
  const std::int64_t size = x.shape()[static_cast<std::size_t>(axis)];
  switch (pick(11)) {
    case 0: return reshape(x, {x.size()});
    case 1: return reshape(x, {1, x.size(), 1}) * 0.5;
    case 2: return transpose(x);
    case 3: return swapaxes(x, 0, axis) + number();
    case 4: return flip(x, axis);
    case 5: return roll(x, 1, axis);
    case 6: return concatenate({x, unary(x), x}, axis);
    case 7: return expand_dims(x, axis);
    case 8: return size > 1 ? slice_of(x, axis, size) : size == 1 ? squeeze(x, axis) : flip(x);
    case 9: return size > 0 && size % 2 == 0 ? split(x, 2, axis)[1] : stack({x, x * 0.5}, axis);
    default: return broadcast_to(expand_dims(x, 0), with_axis(x.shape(), 2));
  }
}

Shape RandomOps::with_axis(const Shape& shape, std::int64_t size) {
  Shape result{size};
  for (const std::int64_t each : shape) {
    result.push_back(each);
  }
  return result;
}

Tensor RandomOps::slice_of(const Tensor& x, std::int64_t axis, std::int64_t size) {
  Shape begin = x.shape();
  Shape end = x.shape();
  Shape strides = x.shape();
  std::fill(begin.begin(), begin.end(), 0);
  std::fill(strides.begin(), strides.end(), 1);
  begin[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(pick(2));
  strides[static_cast<std::size_t>(axis)] = 1 + static_cast<std::int64_t>(pick(2));
  end[static_cast<std::size_t>(axis)] = size - static_cast<std::int64_t>(pick(static_cast<std::size_t>(size - 1)));
  return slice(x, begin, end, strides);
}

Tensor RandomOps::along_an_axis() {
  const Tensor x = with_elements(1);
  const std::int64_t axis = any_axis(x);
  switch (pick(6)) {
    case 0: return softmax(x, axis);
    case 1: return log_softmax(x, axis) * 0.2;
    case 2: return cumsum(x, axis) * 0.1;
    case 3: return cumprod(tanh(x), axis);
    case 4: return sort(x, axis);
    default: return x - logsumexp(x, axis, true);
  }
}

Tensor RandomOps::indexed() {
  const Tensor x = with_elements(1);
  const std::int64_t axis = any_axis(x);
  const Tensor indices = remainder(arguments_[2], x.shape()[static_cast<std::size_t>(axis)]);
  switch (pick(4)) {
    case 0: return take(x, indices, axis);
    case 1:
      return matmul(one_hot(indices, x.shape()[static_cast<std::size_t>(axis)], dtype_),
                    reshape(swapaxes(x, 0, axis), {x.shape()[static_cast<std::size_t>(axis)], -1}));
    case 2: return scatter_add(x, indices, take(x, indices, axis) * 0.5, axis);
    default: return tril(as_matrix(x)) + triu(as_matrix(x), 1) * 0.5;
  }
}

}  // namespace xgrad::testing
