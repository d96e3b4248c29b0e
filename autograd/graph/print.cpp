#include <ostream>
#include <string>

#include "autograd/array/print_elements.hpp"
#include "autograd/graph/describe.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/print.hpp"
#include "autograd/graph/recognize.hpp"
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

std::string print_graph(std::span<const Tensor> outputs) {
  const TopologicalOrder order = topological_order(outputs);
  const NodeNumbers numbers = shown_numbers(order);
  std::string text;
  for (const Node* node : order.nodes) {
    if (is_number(*node)) {
      continue;
    }
    const std::string line = phrase("%{} = {} : {}", numbers.find(node), call_text(*node, numbers), specs_text(*node));
    const std::string source = source_text(*node);
    text += source.empty() ? line + "\n" : phrase("{:<72}  # {}\n", line, source);
  }
  std::string results;
  for (const Tensor& output : outputs) {
    results += (results.empty() ? "" : ", ") + operand_text(output, numbers);
  }
  return text + "return " + results + "\n";
}

std::string print_graph(const Tensor& output) { return print_graph(std::span(&output, 1)); }

std::string to_dot(std::span<const Tensor> outputs) {
  const TopologicalOrder order = topological_order(outputs);
  const NodeNumbers numbers = shown_numbers(order);
  std::string text = "digraph xgrad {\n  node [shape=box, fontname=\"monospace\"];\n";
  for (const Node* node : order.nodes) {
    if (is_number(*node)) {
      continue;
    }
    const std::uint32_t number = numbers.find(node);
    text += phrase("  n{} [label=\"{}\\n{}\"{}];\n", number, escaped(call_text(*node, numbers)),
                   escaped(specs_text(*node)), node->inputs().empty() ? ", style=rounded" : "");
    for (const Tensor& input : node->inputs()) {
      if (!is_number(input.node())) {
        text += phrase("  n{} -> n{};\n", numbers.find(&input.node()), number);
      }
    }
  }
  return text + "}\n";
}

std::string to_dot(const Tensor& output) { return to_dot(std::span(&output, 1)); }

}  // namespace xgrad
