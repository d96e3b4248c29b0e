#include "autograd/graph/node_text.hpp"

#include "autograd/graph/attributes.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/graph/visitors.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

bool is_number(const Node& node) {
  return node.inputs().empty() && node.spec(0).shape.empty() && is_constant(node) && node.has_value(0);
}

namespace {

std::string number_text(const Node& node) { return phrase("{:.6g}", node.output(0).item()); }

}  // namespace

std::string operand_text(const Tensor& tensor, const NodeNumbers& numbers) {
  const Node& node = tensor.node();
  if (is_number(node)) {
    return number_text(node);
  }
  const std::string text = phrase("%{}", numbers.find(&node));
  return node.output_count() == 1 ? text : phrase("{}.{}", text, tensor.output_index());
}

std::string call_text(const Node& node, const NodeNumbers& numbers) {
  const VariableRead* variable = variable_of(node);
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

std::vector<NamedProgram> shown_programs(const AnyOperation& operation) {
  std::vector<NamedProgram> programs = programs_of(operation);
  std::erase_if(programs, [](const NamedProgram& each) { return each.name.empty(); });
  return programs;
}

}  // namespace xgrad::detail
