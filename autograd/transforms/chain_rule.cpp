#include "autograd/transforms/chain_rule.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "autograd/graph/name_scope.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/transforms/rules.hpp"

namespace xgrad::detail {

namespace {

// The nodes behind the outputs that inputs of a transformation can reach, and which of them they do reach: the only ones
// through which derivatives have to flow.
struct Between {
  TopologicalOrder order;
  std::vector<bool> reached;

  Between(const Tensors& inputs, const Tensors& outputs)
      : order(nodes_since(inputs, outputs)), reached(order.nodes.size()) {
    for (const Tensor& input : inputs) {
      if (const std::uint32_t number = order.numbers.find(&input.node()); number != NodeNumbers::none) {
        reached[number] = true;
      }
    }
    for (std::size_t i = 0; i < order.nodes.size(); ++i) {
      for (const Tensor& input : order.nodes[i]->inputs()) {
        reached[i] = reached[i] || (carries(input) && !order.nodes[i]->operation().traits().stops_gradient);
      }
    }
  }

  // Whether a derivative flows through this tensor.
  bool carries(const Tensor& tensor) const {
    const std::uint32_t number = order.numbers.find(&tensor.node());
    return number != NodeNumbers::none && reached[number] && is_real(tensor.dtype());
  }
  // Whether a derivative flows through this node.
  bool passes(std::size_t number) const {
    return reached[number] && !order.nodes[number]->operation().traits().stops_gradient;
  }
};

// The derivatives (cotangents or tangents) that have arrived at the outputs of nodes so far, added up. Undefined: zero.
class DerivativeSums {
 public:
  explicit DerivativeSums(const TopologicalOrder& order) : order_(&order), sums_(order.nodes.size()) {}

  // Tensors that are not part of the order do not matter.
  void add(const Tensor& tensor, const Tensor& derivative) {
    const std::uint32_t number = order_->numbers.find(&tensor.node());
    if (number == NodeNumbers::none || !derivative.defined() || !is_real(tensor.dtype())) {
      return;
    }
    Node& sums = sums_[number];
    sums.totals.resize(tensor.node().output_count());
    if (derivative.node().operation().traits().has_sum) {
      sums.later.resize(tensor.node().output_count());
      sums.later[tensor.output_index()].push_back(derivative);
    } else {
      add_to(sums.totals[tensor.output_index()], derivative);
    }
  }

  // Of all outputs of a node; empty when nothing has arrived.
  const Tensors& of_node(std::size_t number) {
    Node& sums = sums_[number];
    for (std::size_t output = 0; output < sums.later.size(); ++output) {
      while (!sums.later[output].empty()) {
        add_later_ones(sums.later[output], sums.totals[output]);
      }
    }
    sums.later.clear();
    return sums.totals;
  }
  Tensor of(const Tensor& tensor) {
    const std::uint32_t number = order_->numbers.find(&tensor.node());
    const Tensors* totals = number == NodeNumbers::none ? nullptr : &of_node(number);
    return totals == nullptr || totals->empty() ? Tensor() : (*totals)[tensor.output_index()];
  }
  void forget(std::size_t number) { sums_[number].totals.clear(); }

 private:
  struct Node {
    Tensors totals;              // per output
    std::vector<Tensors> later;  // per output: what waits for others that it is added up with
  };

  static void add_to(Tensor& total, const Tensor& term) { total = total.defined() ? total + term : term; }

  // All terms by one type of operation, in one node.
  static void add_later_ones(Tensors& later, Tensor& total) {
    const Tensor first = later.front();
    const AnyOperation& operation = first.node().operation();
    Tensors terms;
    std::erase_if(later, [&](const Tensor& each) {
      const bool fits = each.node().operation().traits().type == operation.traits().type;
      if (fits) {
        terms.push_back(each);
      }
      return fits;
    });
    add_to(total, terms.size() == 1 ? terms[0] : operation.sum(terms));
  }

  const TopologicalOrder* order_;
  std::vector<Node> sums_;
};

// Sums over the axes along which the operation had broadcast its input.
Tensor unbroadcast(const Tensor& cotangent, const Shape& shape) {
  if (cotangent.shape() == shape) {
    return cotangent;
  }
  Ints repeated;
  const std::size_t offset = cotangent.ndim() - shape.ndim();
  for (std::size_t i = 0; i < cotangent.ndim(); ++i) {
    if (i < offset || (shape[i - offset] == 1 && cotangent.shape()[i] != 1)) {
      repeated.push_back(static_cast<std::int64_t>(i));
    }
  }
  return reshape(sum(cotangent, Axes(repeated)), shape);
}

}  // namespace

// From the outputs to the inputs, every node turns the sums of the cotangents of its outputs into cotangents of its inputs.
Tensors reverse_mode(const Tensors& outputs, const Tensors& inputs, const Tensors& cotangents) {
  const Between between(inputs, outputs);
  const TopologicalOrder& order = between.order;
  std::vector<bool> is_input(order.nodes.size());
  for (const Tensor& input : inputs) {
    if (const std::uint32_t number = order.numbers.find(&input.node()); number != NodeNumbers::none) {
      is_input[number] = true;
    }
  }
  DerivativeSums sums(order);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    sums.add(outputs[i], between.carries(outputs[i]) ? cotangents[i] : Tensor());
  }
  for (std::size_t i = order.nodes.size(); i-- > 0;) {
    if (!between.passes(i)) {
      continue;
    }
    const Node& node = *order.nodes[i];
    const SourceScope scope(node.location());  // what is built here belongs to the place of the node
    const LabelOf label(node, Part::backward);
    const Tensors& arrived = sums.of_node(i);
    std::vector<bool> wanted;
    for (const Tensor& input : node.inputs()) {
      wanted.push_back(between.carries(input));
    }
    if (arrived.empty() || std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
      continue;
    }
    const Tensors gradients = call_vjp(node, Cotangents(arrived, wanted));
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

// From the inputs to the outputs, every node turns the tangents of its inputs into those of its outputs.
Tensors forward_mode(const Tensors& outputs, const Tensors& inputs, const Tensors& tangents) {
  const Between between(inputs, outputs);
  DerivativeSums sums(between.order);
  const std::vector<std::vector<bool>> needed = outputs_in_use(between.order, outputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    sums.add(inputs[i], tangents[i]);
  }
  for (std::size_t i = 0; i < between.order.nodes.size(); ++i) {
    const Node& node = *between.order.nodes[i];
    if (!between.passes(i)) {
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
      const LabelOf label(node, Part::tangent);
      const Tensors out = call_jvp(node, Tangents(in, needed[i]));
      for (std::size_t k = 0; k < out.size(); ++k) {
        sums.add(node.output(k), out[k]);
      }
    }
  }
  Tensors results;
  for (const Tensor& output : outputs) {
    results.push_back(sums.of(output));
  }
  return results;
}

}  // namespace xgrad::detail
