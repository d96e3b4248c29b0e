#include "random_graphs.hpp"

#include <algorithm>
#include <utility>

#include "tests/autograd/testing.hpp"

namespace xgrad::testing {

namespace {

Tensor random_numbers(const Shape& shape, DType dtype, unsigned seed) {
  return cast(random_tensor(shape, -1.5, 1.5, seed), dtype).detach();
}

/// Draws operations, each of tensors that are there already.
class Builder {
 public:
  Builder(unsigned seed, DType dtype, const GraphArguments& arguments, const std::vector<Variable>& variables,
          const RandomGraph::Settle& settle)
      : engine_(seed), dtype_(dtype), arguments_(arguments), variables_(variables), settle_(settle) {
    floats_ = {arguments[0], arguments[1]};
    floats_.insert(floats_.end(), variables.begin(), variables.end());
    others_ = {arguments[2]};
  }

  Tensors build() {
    const std::size_t steps = 6 + pick(14);
    for (std::size_t i = 0; i < steps; ++i) {
      add_one();
    }
    if (pick(4) != 0) {
      add_gradients();
    }
    if (pick(3) == 0) {
      assign_some();
    }
    return results();
  }

 private:
  std::size_t pick(std::size_t count) { return engine_() % count; }
  double number() { return static_cast<double>(pick(200)) / 100 - 0.9937; }
  const Tensor& any() { return floats_[pick(floats_.size())]; }
  /// One that has elements along all axes, and \p ndim axes or more.
  Tensor with_elements(std::size_t ndim) {
    for (int trial = 0; trial < 10; ++trial) {
      const Tensor& candidate = any();
      if (candidate.size() > 0 && candidate.shape().ndim() >= ndim) {
        return candidate;
      }
    }
    return constant(ndim == 0 ? Shape() : ndim == 1 ? Shape{3} : Shape{2, 3});
  }
  Tensor constant(const Shape& shape) {
    switch (pick(4)) {
      case 0: return full(shape, number(), dtype_);
      case 1: return zeros(shape, dtype_) + number();
      default: return random_numbers(shape, dtype_, static_cast<unsigned>(pick(1000)));
    }
  }
  std::int64_t any_axis(const Tensor& x) { return static_cast<std::int64_t>(pick(x.shape().ndim())); }

  void add_one() {
    switch (pick(13)) {
      case 0: return keep(unary(any()));
      case 1: return keep(unary(unary(any())));
      case 2:
      case 3: return keep(binary());
      case 4: return keep(selection());
      case 5: return keep(reduction());
      case 6:
      case 7: return keep(product());
      case 8: return keep(layout(any()));
      case 9: return keep(along_an_axis());
      case 10: return keep(indexed());
      case 11: return add_integers();
      default: break;
    }
    switch (pick(4)) {
      case 0: return assign_some();
      case 1: return add_factors();
      case 2: return keep(checkpointed());
      default: return keep(cast(cast(tanh(any()), DType::float32), dtype_) * (dtype_ == DType::float64 ? 0.0 : 1.0));
    }
  }

  void keep(const Tensor& x) {
    if (x.shape().ndim() <= 4 && x.size() <= 40000) {
      floats_.push_back(x);
    }
  }

  Tensor unary(const Tensor& x) {
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

  // Something that broadcasts with x.
  Tensor partner(const Tensor& x) {
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

  Tensor binary() {
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

  // Conditions are exact: rounding must not decide.
  Tensor condition(const Shape& shape) {
    const Tensor exact = random_numbers(shape, dtype_, static_cast<unsigned>(pick(1000)));
    switch (pick(5)) {
      case 0: return exact < number();
      case 1: return logical_and(exact > -0.5, exact <= 0.75);
      case 2: return !(exact >= number());
      case 3: return arguments_[0] < mean(exact) * 0.0 + 0.123456;
      default: return logical_and(isfinite(exact), logical_or(exact != 0.5, exact == 0.5));
    }
  }

  Tensor selection() {
    const Tensor a = any();
    const Tensor test = condition(a.shape());
    if (test.shape() != a.shape()) {
      return where(test, sum(a) * 0.1, number());
    }
    const Tensor chosen = pick(2) == 0 ? where(test, a, tanh(a) * 0.5) : where(test, a, number());
    return pick(3) == 0 ? chosen * cast(test, dtype_) : chosen;
  }

  Tensor reduction() {
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

  Tensor as_matrix(const Tensor& x) {
    const std::int64_t columns = x.shape()[x.shape().ndim() - 1];
    return reshape(x, {x.size() / columns, columns});
  }

  Tensor product() {
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
      case 5: return constant({m, n}) + matmul(a, constant({k, n}));
      case 6: return matmul(swapaxes(stack({a, b}), 1, 2), stack({b, a})) * scale;
      case 7: return matmul(stack({a, b}), constant({k, n})) * scale;
      default: return matmul(a, tanh(constant({k}))) * scale;
    }
  }

  Tensor layout(const Tensor& x) {
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

  static Shape with_axis(const Shape& shape, std::int64_t size) {
    Shape result{size};
    for (const std::int64_t each : shape) {
      result.push_back(each);
    }
    return result;
  }

  Tensor slice_of(const Tensor& x, std::int64_t axis, std::int64_t size) {
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

  Tensor along_an_axis() {
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

  Tensor indexed() {
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

  void add_integers() {
    const Tensor labels = others_[pick(others_.size())];
    const Tensor integers = labels.dtype() == DType::boolean ? cast(labels, DType::int64) : labels;
    switch (pick(6)) {
      case 0: others_.push_back(integers * 3 + 1); break;
      case 1: others_.push_back(integers / 2 - remainder(integers, 3)); break;
      case 2: others_.push_back(sum(integers > 1)); break;
      case 3: others_.push_back(cast(cast(integers, DType::int32) + 2, DType::int64)); break;
      case 4: others_.push_back(condition({3})); break;
      default: keep(cast(integers, dtype_) * 0.1); break;
    }
  }

  void add_factors() {
    constexpr std::int64_t n = 3;
    const Tensor small = tanh(mean(with_elements(0))) * 0.2 * constant({n, n});
    const Tensor a = small + transpose(small) + eye(n, -1, dtype_) * arange(1, n + 1, 1, dtype_);
    if (pick(2) == 0) {
      const linalg::Eigh parts = linalg::eigh(a);
      keep(parts.values);
      keep(square(parts.vectors));
    } else {
      const linalg::Qr parts = linalg::qr(a + eye(n, -1, dtype_));
      keep(parts.r * 0.3);
      keep(matmul(parts.q, parts.r));
    }
  }

  Tensor checkpointed() {
    const Tensor captured = with_elements(0);
    const auto f = [&](const Tensor& t) { return tanh(t * mean(captured)) + sin(t) * 0.5; };
    return checkpoint(f)(any());
  }

  // New contents: of one variable, of two at once, exchanged, or the same for both.
  void assign_some() {
    const auto next = [&](const Variable& v) { return v * 0.9 + tanh(mean(with_elements(0)) + v) * 0.1; };
    std::vector<Assignment> updates;
    switch (pick(5)) {
      case 0: updates = {{variables_[0], next(variables_[1])}}; break;
      case 1: updates = {{variables_[0], variables_[1]}, {variables_[1], variables_[0]}}; break;
      case 2: {
        const Tensor both = next(variables_[2]);
        updates = {{variables_[1], both}, {variables_[2], both}};
        floats_.push_back(reshape(both, {-1}));
        break;
      }
      case 3:
        updates = {{variables_[2], next(variables_[2])}, {variables_[0], next(variables_[0]) * variables_[2]}};
        break;
      default: updates = {{variables_[1], variables_[2] + 0.0}}; break;
    }
    if (settle_) {
      Tensors values;
      for (const Assignment& update : updates) {
        values.push_back(update.second);
      }
      settle_(values);
    }
    assign(updates);
    floats_.push_back(variables_[pick(variables_.size())]);
  }

  void add_gradients() {
    Tensor loss = mean(square(with_elements(0)));
    for (std::size_t i = floats_.size() / 2; i < floats_.size(); ++i) {
      if (floats_[i].size() > 0) {
        loss = loss + mean(tanh(floats_[i]));
      }
    }
    Tensors inputs = {arguments_[0], arguments_[1], variables_[0], variables_[1], variables_[2], with_elements(0)};
    for (std::size_t i = 2; i < inputs.size(); ++i) {
      loss = loss + 0.01 * mean(inputs[i]);
    }
    const Tensors gradients = grad(loss, inputs, Unreached::zeros);
    Tensor second = sum(gradients[0] * gradients[0]);
    for (const Tensor& gradient : gradients) {
      keep(gradient);
      second = second + sum(tanh(gradient));
    }
    if (pick(3) == 0) {
      keep(grad(second, arguments_[0], Unreached::zeros) * 0.1);
    }
    others_.push_back(loss);
  }

  Tensors results() {
    Tensors list = others_;
    for (std::size_t i = floats_.size() / 2; i < floats_.size(); ++i) {
      list.push_back(floats_[i]);
    }
    list.push_back(arguments_[pick(3)]);
    list.push_back(reshape(arguments_[0], {arguments_[0].size(), 1}));
    list.push_back(constant({2, 2}));
    list.push_back(list[pick(list.size())]);
    list.push_back(reshape(floats_.back(), {1, floats_.back().size()}));
    return list;
  }

  std::mt19937 engine_;
  DType dtype_;
  const GraphArguments& arguments_;
  const std::vector<Variable>& variables_;
  const RandomGraph::Settle& settle_;
  Tensors floats_;
  Tensors others_;
};

}  // namespace

RandomGraph::RandomGraph(unsigned seed, Size size) : seed_(seed), size_(size) {
  std::mt19937 engine(seed);
  dtype_ = engine() % 4 == 0 ? DType::float32 : DType::float64;
  x_shape_ = random_shape(engine);
  y_shape_ = random_shape(engine);
  variable_shape_ =
      size == Size::large && engine() % 2 == 0 ? Shape{96, 70} : Shape{static_cast<std::int64_t>(engine() % 3) + 1, 3};
}

Shape RandomGraph::random_shape(std::mt19937& engine) const {
  if (size_ == Size::large) {
    constexpr std::int64_t sizes[] = {64, 96, 130};
    const std::int64_t rows = sizes[engine() % 3];
    return {rows, sizes[engine() % 3]};
  }
  Shape shape;
  for (auto axes = engine() % 4; axes > 0; --axes) {
    shape.push_back(engine() % 12 == 0 ? 0 : 1 + static_cast<std::int64_t>(engine() % 5));
  }
  return shape;
}

GraphArguments RandomGraph::arguments() const {
  return {random_numbers(x_shape_, dtype_, seed_ + 1), random_numbers(y_shape_, dtype_, seed_ + 2),
          make_tensor({3, 0, 5, 2}, {4}, DType::int64)};
}

std::vector<Variable> RandomGraph::make_variables() const {
  std::vector<Variable> variables;
  for (const char* name : {"u", "v", "w"}) {
    variables.emplace_back(random_numbers(variable_shape_, dtype_, seed_ + static_cast<unsigned>(variables.size())),
                           name);
  }
  return variables;
}

Tensors RandomGraph::operator()(const GraphArguments& arguments, const std::vector<Variable>& variables,
                                const Settle& settle) const {
  return Builder(seed_, dtype_, arguments, variables, settle).build();
}

void evaluate_node_by_node(const Tensors& tensors) {
  const TopologicalOrder order = unknown_nodes(tensors);
  for (const Node* node : order.nodes) {
    evaluate(Tensors{node->output(0)});
  }
}

}  // namespace xgrad::testing
