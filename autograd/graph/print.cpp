#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/array/print_elements.hpp"
#include "autograd/graph/describe.hpp"
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

namespace {

bool is_number(const Node& node) {
  return node.inputs().empty() && node.spec(0).shape.empty() && detail::is_constant(node) && node.has_value(0);
}

std::string number_text(const Node& node) { return phrase("{:.6g}", node.output(0).item()); }

std::string operand_text(const Tensor& tensor, const NodeNumbers& numbers) {
  const Node& node = tensor.node();
  if (is_number(node)) {
    return number_text(node);
  }
  const std::string text = phrase("%{}", numbers.find(&node));
  return node.output_count() == 1 ? text : phrase("{}.{}", text, tensor.output_index());
}

// `matmul(%1, %0) transpose_b=true`
std::string call_text(const Node& node, const NodeNumbers& numbers) {
  const VariableRead* variable = detail::variable_of(node);
  std::string text(variable == nullptr ? std::string(node.name()) : phrase("variable '{}'", variable->variable));
  if (!node.inputs().empty()) {
    std::string operands;
    for (const Tensor& input : node.inputs()) {
      operands += (operands.empty() ? "" : ", ") + operand_text(input, numbers);
    }
    text += phrase("({})", operands);
  }
  const AnyOperation& operation = node.operation();
  const bool title_says_it_all = operation.title() != operation.key();  // such as that of a named formula
  const std::string attributes = title_says_it_all ? "" : attributes_text(operation);
  return attributes.empty() ? text : phrase("{} {}", text, attributes);
}

std::string specs_text(const Node& node) {
  std::string text;
  for (std::size_t i = 0; i < node.operation().shown_outputs(node.output_count()); ++i) {
    text += (i == 0 ? "" : ", ") + to_string(node.spec(i));
  }
  return text;
}

// The nodes to be shown, numbered in the order in which they are computed; numbers stand in the calls that use them.
NodeNumbers shown_numbers(const TopologicalOrder& order) {
  NodeNumbers numbers;
  for (const Node* node : order.nodes) {
    if (!is_number(*node)) {
      numbers.insert(node);
    }
  }
  return numbers;
}

std::string source_text(const Node& node) {
  const std::string_view path = node.location().file_name();
  return node.location().line() == 0 ? ""
                                     : phrase("{}:{}", path.substr(path.find_last_of('/') + 1), node.location().line());
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  }
  return result;
}

}  // namespace

namespace {

// Those among the attributes of an operation that do not follow from others.
std::vector<NamedProgram> shown_programs(const AnyOperation& operation) {
  std::vector<NamedProgram> programs = programs_of(operation);
  std::erase_if(programs, [](const NamedProgram& each) { return each.name.empty(); });
  return programs;
}

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
  for (const auto& [name, program] : shown_programs(node.operation())) {
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
  const NodeNumbers numbers = shown_numbers(order);
  std::string text;
  for (const Node* node : order.nodes) {
    if (is_number(*node)) {
      continue;
    }
    const std::string line =
        indent + phrase("%{} = {} : {}", numbers.find(node), call_text(*node, numbers), specs_text(*node));
    const std::string source = source_text(*node);
    text += source.empty() ? line + "\n" : phrase("{:<72}  # {}\n", line, source);
    text += programs_text(*node, indent);
  }
  return text + indent + "return " + list_text(returned, numbers) + "\n";
}

}  // namespace

std::string print_graph(std::span<const Tensor> outputs) { return graph_text(outputs, outputs, ""); }

std::string print_graph(const Tensor& output) { return print_graph(std::span(&output, 1)); }

namespace {

// The nodes of a graph and its edges; the names of nodes begin with \p prefix. Programs of operations stand in boxes of their
// own, once.
std::string dot_lines(std::span<const Tensor> roots, const std::string& prefix) {
  const TopologicalOrder order = topological_order(roots);
  const NodeNumbers numbers = shown_numbers(order);
  std::string text;
  for (const Node* node : order.nodes) {
    if (is_number(*node)) {
      continue;
    }
    const std::string name = phrase("{}{}", prefix, numbers.find(node));
    text += phrase("  {} [label=\"{}\\n{}\"{}];\n", name, escaped(call_text(*node, numbers)),
                   escaped(specs_text(*node)), node->inputs().empty() ? ", style=rounded" : "");
    for (const Tensor& input : node->inputs()) {
      if (!is_number(input.node())) {
        text += phrase("  {}{} -> {};\n", prefix, numbers.find(&input.node()), name);
      }
    }
    for (const auto& [title, program] : shown_programs(node->operation())) {
      Tensors inside = program->effects();
      inside.insert(inside.end(), program->outputs().begin(), program->outputs().end());
      text += phrase("  subgraph cluster_{}_{} {{\n  label=\"{} of %{}\";\n", name, title, title, numbers.find(node)) +
              dot_lines(inside, phrase("{}_{}_", name, title)) + "  }\n";
    }
  }
  return text;
}

}  // namespace

std::string to_dot(std::span<const Tensor> outputs) {
  return "digraph xgrad {\n  node [shape=box, fontname=\"monospace\"];\n" + dot_lines(outputs, "n") + "}\n";
}

std::string to_dot(const Tensor& output) { return to_dot(std::span(&output, 1)); }

}  // namespace xgrad
