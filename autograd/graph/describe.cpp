#include "autograd/graph/describe.hpp"

#include <fmt/format.h>

#include "autograd/graph/variable_cell.hpp"

namespace xgrad {

std::string detail::describe(const Tensor& tensor) {
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

}  // namespace xgrad
