#include "autograd/graph/describe.hpp"

#include "autograd/graph/variable_cell.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

std::string detail::describe(const Tensor& tensor) {
  const Node& node = tensor.node();
  std::string text = to_string(node.spec(tensor.output_index()));
  const VariableRead* variable = detail::variable_of(node);
  text += variable != nullptr && !variable->variable.empty() ? phrase(" variable '{}'", variable->variable)
                                                             : phrase(" made by {}", node.name());
  if (node.location().line() != 0) {
    text += phrase(" at {}:{}", node.location().file_name(), node.location().line());
  }
  return text;
}

}  // namespace xgrad
