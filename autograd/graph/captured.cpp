#include "autograd/graph/captured.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/walks.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t most_constant_elements = 64;  // larger ones are inputs: a structure is not to hold large arrays

// Which nodes have to stay inside of a function: those that depend on its arguments, and those that have an effect or may throw.
class Inside {
 public:
  Inside(const Tensors& roots, const Tensors& arguments, std::uint64_t begin)
      : order_(nodes_since(arguments, roots)), inside_(order_.nodes.size()) {
    for (const Tensor& argument : arguments) {
      if (const std::uint32_t number = order_.numbers.find(&argument.node()); number != NodeNumbers::none) {
        inside_[number] = true;
      }
    }
    for (std::size_t i = 0; i < order_.nodes.size(); ++i) {
      const Node& node = *order_.nodes[i];
      const AnyOperation& operation = node.operation();
      const bool stays =
          node.sequence() >= begin && (!operation.effect().empty() || !operation.is_total(node.inputs()));
      inside_[i] = inside_[i] || stays ||
                   std::any_of(node.inputs().begin(), node.inputs().end(),
                               [&](const Tensor& input) { return contains(input.node()); });
    }
  }

  bool contains(const Node& node) const {
    const std::uint32_t number = order_.numbers.find(&node);
    return number != NodeNumbers::none && inside_[number];
  }

 private:
  TopologicalOrder order_;
  std::vector<bool> inside_;
};

// A tensor that the function used and did not compute.
bool is_older(const Tensor& tensor, std::uint64_t begin) {
  const Node& node = tensor.node();
  if (variable_of(node) != nullptr || node.sequence() < begin) {
    return true;
  }
  return node.inputs().empty() && node.has_value(tensor.output_index()) && tensor.size() > most_constant_elements;
}

}  // namespace

Captured find_captured(const Tensors& roots, const Tensors& arguments, std::uint64_t begin, Invariants invariants) {
  Captured captured;
  const Inside inside(invariants == Invariants::outside ? roots : Tensors(), arguments, begin);
  NodeNumbers known;  // arguments, and what the call made
  for (const Tensor& argument : arguments) {
    known.insert(&argument.node());
  }
  std::set<std::pair<const Node*, std::size_t>> found;
  std::vector<const Node*> open;
  const auto visit = [&](const Tensor& tensor) {
    static_cast<void>(tensor.shape());  // throws when the handle is empty
    const Node& node = tensor.node();
    if (known.find(&node) != NodeNumbers::none) {
      return;
    }
    const bool is_invariant = invariants == Invariants::outside && !node.inputs().empty() && !inside.contains(node);
    if (is_older(tensor, begin) || is_invariant) {
      if (found.emplace(&node, tensor.output_index()).second) {
        captured.tensors.push_back(tensor);
      }
    } else {
      known.insert(&node);
      captured.found_nodes = true;
      open.push_back(&node);
    }
  };
  std::for_each(roots.begin(), roots.end(), visit);
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    std::for_each(node->inputs().begin(), node->inputs().end(), visit);
  }
  return captured;
}

}  // namespace xgrad::detail
