#include "random_graphs.hpp"

#include "random_ops.hpp"
#include "tests/testing.hpp"

namespace xgrad::testing {

namespace {

/// Draws operations, derivatives and assignments.
class Builder : private RandomOps {
 public:
  Builder(unsigned seed, DType dtype, const GraphArguments& arguments, const std::vector<Variable>& variables,
          const RandomGraph::Settle& settle)
      : RandomOps(seed, dtype, arguments), variables_(variables), settle_(settle) {
    floats_.insert(floats_.end(), variables.begin(), variables.end());
    others_ = {arguments[2]};
  }

  Tensors build() {
    const std::size_t steps = pick(4) == 0 ? pick(3) : 6 + pick(14);  // in short graphs, phases are few
    for (std::size_t i = 0; i < steps; ++i) {
      add_one();
    }
    if (steps > 2 && pick(4) != 0) {
      add_gradients();
    }
    if (pick(4) != 0) {
      assign_some(pick(2) == 0 ? whole_content : pick(updates_count));  // not read again: may be written in place
    }
    return results();
  }

 private:
  void add_one() {
    switch (pick(14)) {
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
      case 0:
        assign_some(pick(updates_count));
        floats_.push_back(variables_[pick(variables_.size())]);
        return;
      case 1: return add_factors();
      case 2: return keep(checkpointed());
      // Numbers that are rounded to float32 in a float64 graph are exact, or every way to compute would differ.
      default:
        return dtype_ == DType::float64 ? keep(cast(cast(arguments_[pick(2)], DType::float32), dtype_) * number())
                                        : keep(cast(sin(cast(any(), DType::float64)), dtype_));
    }
  }

  void keep(const Tensor& x) {
    if (x.shape().ndim() <= 4 && x.size() <= 40000) {
      floats_.push_back(x);
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

  static constexpr std::size_t whole_content = 4;
  static constexpr std::size_t updates_count = 6;

  // New contents: of one variable, of two at once, exchanged, or the same for both.
  void assign_some(std::size_t kind) {
    const auto next = [&](const Variable& v) { return v * 0.9 + tanh(mean(with_elements(0)) + v) * 0.1; };
    std::vector<Assignment> updates;
    switch (kind) {
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
      case whole_content: {  // each row of the product needs all of the old content
        const Variable& variable = variables_[pick(variables_.size())];
        const Tensor w = variable;
        const Tensor rows = matmul(matmul(w, transpose(variables_[1])), w) / static_cast<double>(w.size());
        updates = {{variable, tanh(rows) * 0.5 + w}};
        break;
      }
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

  const std::vector<Variable>& variables_;
  const RandomGraph::Settle& settle_;
  Tensors others_;
};

}  // namespace

RandomGraph::RandomGraph(unsigned seed, Size size) : seed_(seed), size_(size) {
  std::mt19937 engine(seed);
  dtype_ = engine() % 4 == 0 ? DType::float32 : DType::float64;
  x_shape_ = random_shape(engine);
  y_shape_ = random_shape(engine);
  variable_shape_ = size == Size::large ? Shape{96, 70} : Shape{static_cast<std::int64_t>(engine() % 3) + 1, 3};
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
