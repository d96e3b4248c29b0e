#include "autograd/transforms/grad.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad {

namespace {

// `float32(3,) made by exp at main.cpp:12`
std::string describe(const Tensor& tensor) {
  const Node& node = tensor.node();
  std::string text = to_string(node.spec(tensor.output_index()));
  const VariableRead* variable = detail::variable_of(node);
  text += variable != nullptr && !variable->variable.empty() ? fmt::format(" variable '{}'", variable->variable)
                                                             : fmt::format(" made by {}", node.name());
  if (node.location().line() != 0) {
    text += fmt::format(" at {}:{}", node.location().file_name(), node.location().line());
  }
  return text;
}

bool stops_gradient(const Node& node) { return node.operation().traits().stops_gradient; }

// Sums over the axes along which the operation had broadcast its input.
Tensor unbroadcast(const Tensor& cotangent, const Shape& shape) {
  if (cotangent.shape() == shape) {
    return cotangent;
  }
  Shape repeated;
  const std::size_t offset = cotangent.ndim() - shape.ndim();
  for (std::size_t i = 0; i < cotangent.ndim(); ++i) {
    if (i < offset || (shape[i - offset] == 1 && cotangent.shape()[i] != 1)) {
      repeated.push_back(static_cast<std::int64_t>(i));
    }
  }
  return reshape(sum(cotangent, Axes(repeated)), shape);
}

// The rule of a node; what it builds belongs to the place of the node in the user's source.
Tensors call_vjp(const Node& node, const Cotangents& ct) {
  if (!node.operation().traits().has_vjp) {
    raise<GradientError>(node.name(),
                         "it has no vjp rule, so no gradient flows through it; give it one, or pass its inputs "
                         "through stop_gradient");
  }
  Tensors gradients = node.operation().vjp(node, ct);
  if (gradients.size() != node.inputs().size()) {
    raise<GradientError>(node.name(), fmt::format("its vjp rule gave {} tensors for {} inputs; give one per input, "
                                                  "undefined where there is none",
                                                  gradients.size(), node.inputs().size()));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Tensor& input = node.input(i);
    if (!gradients[i].defined() ||
        (gradients[i].dtype() == input.dtype() && broadcasts_to(input.shape(), gradients[i].shape()))) {
      continue;
    }
    const Spec given{gradients[i].shape(), gradients[i].dtype()};
    raise<GradientError>(
        node.name(), fmt::format("its vjp rule gave {} for input {}, which is {}; a gradient has the dtype and shape "
                                 "of its input (or a shape that the input broadcasts to)",
                                 to_string(given), i, to_string(Spec{input.shape(), input.dtype()})));
  }
  return gradients;
}

// The nodes behind an output that inputs of a transformation can reach, and which of them they do reach: the only ones
// through which derivatives have to flow.
struct Between {
  TopologicalOrder order;
  std::vector<bool> reached;

  Between(const Tensors& inputs, const Tensor& output)
      : order(nodes_since(inputs, std::span(&output, 1))), reached(order.nodes.size()) {
    for (const Tensor& input : inputs) {
      if (const std::uint32_t number = order.numbers.find(&input.node()); number != NodeNumbers::none) {
        reached[number] = true;
      }
    }
    for (std::size_t i = 0; i < order.nodes.size(); ++i) {
      for (const Tensor& input : order.nodes[i]->inputs()) {
        reached[i] = reached[i] || (carries(input) && !stops_gradient(*order.nodes[i]));
      }
    }
  }

  // Whether a derivative flows through this tensor.
  bool carries(const Tensor& tensor) const {
    const std::uint32_t number = order.numbers.find(&tensor.node());
    return number != NodeNumbers::none && reached[number] && is_floating(tensor.dtype());
  }
};

// The derivatives (cotangents or tangents) that have arrived at the outputs of nodes so far, added up. Undefined: zero.
class DerivativeSums {
 public:
  explicit DerivativeSums(const TopologicalOrder& order) : order_(&order), sums_(order.nodes.size()) {}

  // Tensors that are not part of the order do not matter.
  void add(const Tensor& tensor, const Tensor& derivative) {
    const std::uint32_t number = order_->numbers.find(&tensor.node());
    if (number == NodeNumbers::none || !derivative.defined() || !is_floating(tensor.dtype())) {
      return;
    }
    sums_[number].resize(tensor.node().output_count());
    Tensor& sum = sums_[number][tensor.output_index()];
    sum = sum.defined() ? sum + derivative : derivative;
  }

  Tensor of(const Tensor& tensor) const {
    const std::uint32_t number = order_->numbers.find(&tensor.node());
    return number == NodeNumbers::none || sums_[number].empty() ? Tensor() : sums_[number][tensor.output_index()];
  }

  // Of all outputs of a node; empty when nothing has arrived.
  const Tensors& of_node(std::size_t number) const { return sums_[number]; }
  void forget(std::size_t number) { sums_[number].clear(); }

 private:
  const TopologicalOrder* order_;
  std::vector<Tensors> sums_;
};

// The chain rule in reverse: from the output to the inputs, every node turns the sum of the cotangents of its outputs
// into cotangents of its inputs.
Tensors reverse_mode(const Tensor& output, const Tensors& inputs, const Tensor& cotangent) {
  const Between between(inputs, output);
  const TopologicalOrder& order = between.order;
  std::vector<bool> is_input(order.nodes.size());
  for (const Tensor& input : inputs) {
    if (const std::uint32_t number = order.numbers.find(&input.node()); number != NodeNumbers::none) {
      is_input[number] = true;
    }
  }
  DerivativeSums sums(order);
  if (between.carries(output)) {
    sums.add(output, cotangent);
  }
  for (std::size_t i = order.nodes.size(); i-- > 0;) {
    const Node& node = *order.nodes[i];
    if (!between.reached[i] || sums.of_node(i).empty() || stops_gradient(node)) {
      continue;
    }
    std::vector<bool> wanted;
    for (const Tensor& input : node.inputs()) {
      wanted.push_back(between.carries(input));
    }
    if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
      continue;
    }
    const SourceScope scope(node.location());  // what is built here belongs to the place of the node
    const Tensors gradients =
        located(node.location(), [&] { return call_vjp(node, Cotangents(sums.of_node(i), wanted)); });
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      if (wanted[k] && gradients[k].defined()) {
        sums.add(node.input(k), unbroadcast(gradients[k], node.input(k).shape()));
      }
    }
    if (!is_input[i]) {
      sums.forget(i);
    }
  }
  Tensors gradients;
  for (const Tensor& input : inputs) {
    gradients.push_back(sums.of(input));
  }
  return gradients;
}

// The inputs of a linear operation's jvp: tangents in place of floating inputs, zeros where there is none.
Tensors linear_inputs(const Node& node, const Tangents& t) {
  Tensors inputs;
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    const Tensor& input = node.input(i);
    inputs.push_back(!is_floating(input.dtype()) ? input : t[i].defined() ? t[i] : zeros_like(input));
  }
  return inputs;
}

// The forward rule of a node, its results in the shapes of the outputs.
Tensors call_jvp(const Node& node, const Tangents& t) {
  const OperationTraits& traits = node.operation().traits();
  if (!traits.can_jvp()) {
    raise<GradientError>(node.name(),
                         "it has no jvp rule, so it cannot be differentiated in forward mode; give it one, or "
                         "use reverse mode");
  }
  Tensors tangents = traits.has_jvp ? node.operation().jvp(node, t) : apply_again(node, linear_inputs(node, t));
  if (tangents.size() != node.output_count()) {
    raise<GradientError>(node.name(), fmt::format("its jvp rule gave {} tensors for {} outputs; give one per output, "
                                                  "undefined where the tangent is zero",
                                                  tangents.size(), node.output_count()));
  }
  for (std::size_t i = 0; i < tangents.size(); ++i) {
    const Spec& expected = node.spec(i);
    if (!tangents[i].defined()) {
      continue;
    }
    if (tangents[i].dtype() != expected.dtype || !broadcasts_to(tangents[i].shape(), expected.shape)) {
      const Spec given{tangents[i].shape(), tangents[i].dtype()};
      raise<GradientError>(node.name(),
                           fmt::format("its jvp rule gave {} for output {}, which is {}; a tangent has the "
                                       "dtype and shape of its output (or a shape that broadcasts to it)",
                                       to_string(given), i, to_string(expected)));
    }
    tangents[i] = broadcast_to(tangents[i], expected.shape);
  }
  return tangents;
}

// The chain rule forwards: from the inputs to the output, every node turns the tangents of its inputs into those of its
// outputs.
Tensor forward_mode(const Tensor& output, const Tensors& inputs, const Tensors& given) {
  const Between between(inputs, output);
  DerivativeSums sums(between.order);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    sums.add(inputs[i], given[i]);
  }
  for (std::size_t i = 0; i < between.order.nodes.size(); ++i) {
    const Node& node = *between.order.nodes[i];
    if (!between.reached[i] || stops_gradient(node)) {
      continue;
    }
    Tensors in;
    bool any = false;
    for (const Tensor& input : node.inputs()) {
      in.push_back(sums.of(input));
      any = any || in.back().defined();
    }
    if (any) {
      const SourceScope scope(node.location());
      const Tensors out = located(node.location(), [&] { return call_jvp(node, Tangents(in)); });
      for (std::size_t k = 0; k < out.size(); ++k) {
        sums.add(node.output(k), out[k]);
      }
    }
  }
  return sums.of(output);
}

// Whether the graph of the output has read the variable of this leaf at another time.
bool assigned_since(const Tensor& output, const Tensor& leaf) {
  const VariableRead* variable = detail::variable_of(leaf.node());
  if (variable == nullptr) {
    return false;
  }
  for (const Node* node : topological_order(std::span(&output, 1)).nodes) {
    const VariableRead* read = detail::variable_of(*node);
    if (read != nullptr && read->same_cell(*variable) && node != &leaf.node()) {
      return true;
    }
  }
  return false;
}

// Whether the graph of the output ends at results of a compiled function.
bool has_compiled_results(const Tensor& output) {
  const TopologicalOrder order = topological_order(std::span(&output, 1));
  return std::any_of(order.nodes.begin(), order.nodes.end(),
                     [](const Node* node) { return detail::is_compiled_result(*node); });
}

// Whether there is a way from the input to the output.
bool is_connected(const Tensor& output, const Tensor& input) {
  const TopologicalOrder order = topological_order(std::span(&output, 1));
  return order.numbers.find(&input.node()) != NodeNumbers::none;
}

std::string_view why_unreached(const Tensor& output, const Tensor& input, bool stale) {
  if (is_connected(output, input)) {
    return "every way between them goes through an operation whose derivative is zero everywhere, such as floor, sign, "
           "a comparison or stop_gradient; use others, or ask for zeros with Unreached::zeros";
  }
  if (stale) {
    return "the variable has been assigned since the output was computed: take the gradient before assigning";
  }
  if (has_compiled_results(output)) {
    return "results of a compiled function have no history: call grad inside compile, as in compile(grad(f)), or "
           "differentiate the compiled function, as in grad(step)(x)";
  }
  return "check which tensor was used, or ask for zeros with Unreached::zeros";
}

// What the gradient is where the output does not depend on the input.
Tensor unreached_gradient(const Tensor& output, const Tensor& input, Unreached unreached) {
  const bool stale = assigned_since(output, input);
  if (unreached == Unreached::zeros && !stale) {
    return zeros_like(input);
  }
  raise<GradientError>("grad", fmt::format("the output, {}, does not depend on the input, {}; {}", describe(output),
                                           describe(input), why_unreached(output, input, stale)));
}

void require_floating(std::string_view op, const Tensors& inputs) {
  for (const Tensor& input : inputs) {
    if (!is_floating(input.dtype())) {
      raise<DTypeError>(op, fmt::format("the input, {}, is not floating; cast it to float32 or float64 before using it",
                                        describe(input)));
    }
  }
}

}  // namespace

const Tensor& detail::numbered_argument(std::string_view op, const Tensors& arguments, std::size_t number,
                                        const std::source_location& where) {
  return located(where, [&]() -> const Tensor& {
    if (number >= arguments.size()) {
      raise<ValueError>(op, fmt::format("there is no argument number {}, the function was called with {}; numbers "
                                        "begin at 0",
                                        number, arguments.size()));
    }
    return arguments[number];
  });
}

Tensors vjp(const Tensor& output, const Tensors& inputs, const Tensor& cotangent, Unreached unreached,
            std::source_location where) {
  return located(where, [&] {
    const Spec given{cotangent.shape(), cotangent.dtype()};
    const Spec expected{output.shape(), output.dtype()};
    if (given != expected) {
      const std::string message =
          fmt::format("the cotangent is {}, the output {}; they must be alike", to_string(given), to_string(expected));
      given.shape != expected.shape ? raise<ShapeError>("vjp", message) : raise<DTypeError>("vjp", message);
    }
    require_floating("grad", inputs);
    Tensors gradients = reverse_mode(output, inputs, cotangent);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!gradients[i].defined()) {
        gradients[i] = unreached_gradient(output, inputs[i], unreached);
      }
    }
    return gradients;
  });
}

Tensors grad(const Tensor& output, const Tensors& inputs, Unreached unreached, std::source_location where) {
  const Tensor seed = located(where, [&] {
    if (output.size() != 1) {
      raise<ShapeError>("grad", fmt::format("the output has shape {}, a gradient is of one number; reduce it, as in "
                                            "sum(y), or use vjp with a cotangent",
                                            to_string(output.shape())));
    }
    if (!is_floating(output.dtype())) {
      raise<DTypeError>("grad",
                        fmt::format("the output, {}, is not floating; cast what it is computed from to float32 or "
                                    "float64",
                                    describe(output)));
    }
    return ones(output.shape(), output.dtype(), where);
  });
  return vjp(output, inputs, seed, unreached, where);
}

Tensor grad(const Tensor& output, const Tensor& input, Unreached unreached, std::source_location where) {
  return grad(output, Tensors{input}, unreached, where).front();
}

Tensor jvp(const Tensor& output, const Tensors& inputs, const Tensors& tangents, std::source_location where) {
  return located(where, [&] {
    if (inputs.size() != tangents.size()) {
      raise<ValueError>("jvp",
                        fmt::format("{} tangents for {} inputs; give one for each", tangents.size(), inputs.size()));
    }
    require_floating("jvp", inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (tangents[i].shape() != inputs[i].shape() || tangents[i].dtype() != inputs[i].dtype()) {
        const Spec given{tangents[i].shape(), tangents[i].dtype()};
        const std::string message =
            fmt::format("tangent {} is {}, its input {}; they must be alike", i, to_string(given), describe(inputs[i]));
        tangents[i].shape() != inputs[i].shape() ? raise<ShapeError>("jvp", message)
                                                 : raise<DTypeError>("jvp", message);
      }
    }
    const Tensor tangent = forward_mode(output, inputs, tangents);
    return tangent.defined() ? tangent : zeros_like(output);
  });
}

}  // namespace xgrad
