#include "autograd/plan/plan.hpp"

#include <fmt/format.h>

#include "autograd/graph.hpp"
#include "autograd/operation.hpp"
#include "autograd/plan/traced_step.hpp"
#include "autograd/variable_cell.hpp"

namespace xgrad {

using detail::CellAccess;

namespace {

void require_inputs(const Tensors& traced, std::span<const Array> given) {
  if (given.size() != traced.size()) {
    raise<ValueError>("plan", fmt::format("{} arguments for a function traced with {}; give one for each", given.size(),
                                          traced.size()));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string message = fmt::format(
        "argument {} is {}, the plan is for {}; ask for the plan of these arguments", i,
        to_string(Spec{given[i].shape(), given[i].dtype()}), to_string(Spec{traced[i].shape(), traced[i].dtype()}));
    if (given[i].shape() != traced[i].shape()) {
      raise<ShapeError>("plan", message);
    }
    if (given[i].dtype() != traced[i].dtype()) {
      raise<DTypeError>("plan", message);
    }
  }
}

}  // namespace

Plan::Plan(TracedStep step) : step_(std::make_shared<const TracedStep>(std::move(step))) {}

std::vector<Array> Plan::run(std::span<const Array> inputs) const {
  require_inputs(step_->inputs, inputs);
  Tensors leaves = step_->inputs;
  Tensors contents(inputs.begin(), inputs.end());
  Tensors results = step_->outputs;
  for (const TracedStep::Cell& cell : step_->cells) {
    leaves.push_back(cell.before);
    contents.push_back(CellAccess::leaf(cell.variable));
    if (cell.after.defined()) {
      results.push_back(cell.after);
    }
  }
  const Tensors computed = substitute(results, leaves, contents);
  evaluate(computed);
  std::vector<Array> outputs;
  for (std::size_t i = 0; i < step_->outputs.size(); ++i) {
    outputs.push_back(computed[i].array());
  }
  std::size_t next = step_->outputs.size();
  for (const TracedStep::Cell& cell : step_->cells) {
    if (cell.after.defined()) {
      CellAccess::commit(cell.variable, computed[next++].array(), cell.after.node().location());
    }
  }
  return outputs;
}

}  // namespace xgrad
