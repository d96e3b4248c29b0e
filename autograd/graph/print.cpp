#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/array/print_elements.hpp"
#include "autograd/graph/describe.hpp"
#include "autograd/graph/node_text.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/print.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Tensors and graphs as text.

namespace xgrad {

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) {
    return out << "undefined tensor";
  }
  const detail::Scope* scope = tensor.node().scope();
  if (!tensor.node().has_value(tensor.output_index()) && scope != nullptr && scope->without_elements() != nullptr) {
    raise<ValueError>("print",
                      phrase("{} belongs to a function that is being traced or mapped and has no elements yet; "
                             "to see them whenever the function runs, write debug::print(\"{{}}\", tensor)",
                             detail::describe(tensor)));
  }
  detail::print_elements(out, tensor.array());
  return out;
}

std::string repr(const Tensor& tensor) {
  std::ostringstream text;
  if (!tensor.defined()) {
    text << tensor;
  } else if (tensor.size() == 0) {
    text << "tensor({}, shape=" << tensor.shape() << ", dtype=" << tensor.dtype() << ')';
  } else {
    text << "tensor(" << tensor << ", shape=" << tensor.shape() << ", dtype=" << tensor.dtype() << ')';
  }
  return text.str();
}

using detail::call_text;
using detail::is_number;
using detail::operand_text;

namespace {

std::string list_text(std::span<const Tensor> tensors, const NodeNumbers& numbers) {
  std::string text;
  for (const Tensor& tensor : tensors) {
    text += (text.empty() ? "" : ", ") + operand_text(tensor, numbers);
  }
  return text;
}

// What nobody but derivatives reads of what a node's program gives.
std::size_t hidden_outputs(const Node& node) {
  return node.output_count() - node.operation().shown_outputs(node.output_count());
}

std::string graph_text(std::span<const Tensor> roots, std::span<const Tensor> returned, const std::string& indent);

// The programs of a node, a little to the right of it.
std::string programs_text(const Node& node, const std::string& indent) {
  std::string text;
  for (const auto& [name, program] : detail::shown_programs(node.operation())) {
    Tensors roots = program->effects();
    roots.insert(roots.end(), program->outputs().begin(), program->outputs().end());
    const std::span<const Tensor> outputs(program->outputs());
    text += phrase("{}  {}:\n", indent, name);
    text += graph_text(roots, outputs.first(outputs.size() - std::min(outputs.size(), hidden_outputs(node))),
                       indent + "    ");
  }
  return text;
}

std::string graph_text(std::span<const Tensor> roots, std::span<const Tensor> returned, const std::string& indent) {
  const TopologicalOrder order = topological_order(roots);
  const NodeNumbers numbers = detail::shown_numbers(order);
  std::string text;
  for (const Node* node : order.nodes) {
    if (is_number(*node)) {
      continue;
    }
    const std::string line =
        indent + phrase("%{} = {} : {}", numbers.find(node), call_text(*node, numbers), detail::specs_text(*node));
    const std::string source = detail::source_text(*node);
    text += source.empty() ? line + "\n" : phrase("{:<72}  # {}\n", line, source);
    text += programs_text(*node, indent);
  }
  return text + indent + "return " + list_text(returned, numbers) + "\n";
}

}  // namespace

std::string print_graph(std::span<const Tensor> outputs) { return graph_text(outputs, outputs, ""); }

std::string print_graph(const Tensor& output) { return print_graph(std::span(&output, 1)); }

}  // namespace xgrad
