#include "autograd/provenance/explain.hpp"

#include <optional>
#include <span>

#include "autograd/graph/effects.hpp"
#include "autograd/provenance/story.hpp"

namespace xgrad::debug {

std::string explain_not_finite(const Tensor& tensor) {
  const Array elements = tensor.array();
  if (provenance::first_not_finite(elements) < 0) {
    return "";
  }
  // A copy, whose elements are not known: what it is computed from is part of the graph again.
  const Node& node = tensor.node();
  const bool has_history = !node.inputs().empty();
  const Tensor root = has_history
                          ? Tensor(detail::make_silent_node(node.operation_ref(), node.inputs(), node.location()),
                                   tensor.output_index())
                          : tensor;
  const Description graph(std::span(&root, 1));
  const Description::Value output = graph.value_of(root);
  const std::optional<provenance::Story> story =
      provenance::story_of_output({graph, std::span(&output, 1), {}, {}}, output);
  std::string text;
  if (story) {
    for (const std::string& line : story->lines) {
      text += (text.empty() ? "" : "\n") + line;
    }
  }
  return text;
}

}  // namespace xgrad::debug
