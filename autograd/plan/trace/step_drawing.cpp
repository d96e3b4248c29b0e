#include "autograd/graph/drawn_graph.hpp"
#include "autograd/plan/trace/traced_step.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

std::string to_dot(const TracedStep& step, const DotOptions& options) {
  detail::Drawing drawing;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    drawing.inputs.push_back({phrase("argument {}", i), step.inputs[i]});
  }
  for (std::size_t i = 0; i < step.outputs.size(); ++i) {
    drawing.outputs.push_back({step.outputs.size() == 1 ? "result" : phrase("result {}", i), step.outputs[i]});
  }
  for (const TracedStep::Cell& cell : step.cells) {
    if (cell.after.defined()) {
      drawing.updates.push_back(
          {cell.variable.name().empty() ? "a variable" : cell.variable.name(), cell.after, cell.before});
    }
  }
  drawing.effects = step.effects;
  return detail::dot_of(drawing, options);
}

}  // namespace xgrad
