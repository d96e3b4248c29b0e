#include "autograd/transforms/checks.hpp"

#include <algorithm>

#include "autograd/graph/describe.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

void require_floating(std::string_view op, const Tensors& inputs) {
  for (const Tensor& input : inputs) {
    if (!is_floating(input.dtype())) {
      raise<DTypeError>(
          op, phrase("the input, {}, is not floating; cast it to float32 or float64 before using it", describe(input)));
    }
  }
}

void require_alike(std::string_view op, std::string_view derivative, const Tensors& derivatives, std::string_view role,
                   const Tensors& tensors) {
  if (derivatives.size() != tensors.size()) {
    raise<ValueError>(
        op, phrase("{} {}s for {} {}s; give one for each", derivatives.size(), derivative, tensors.size(), role));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!derivatives[i].defined()) {
      continue;  // zero
    }
    const Spec given{derivatives[i].shape(), derivatives[i].dtype()};
    const Spec expected{tensors[i].shape(), derivative_dtype(tensors[i].dtype())};
    if (given == expected) {
      continue;
    }
    const DType own = tensors[i].dtype();
    const std::string rule = expected.dtype == own
                                 ? "they must be alike"
                                 : phrase("derivatives of {} are {}", to_string(own), to_string(expected.dtype));
    const std::string message =
        phrase("{} {} is {}, its {} {}; {}", derivative, i, to_string(given), role, describe(tensors[i]), rule);
    if (given.shape != expected.shape) {
      raise<ShapeError>(op, message);
    }
    raise<DTypeError>(op, message);
  }
}

const TopologicalOrder& Unconnected::history() {
  if (!history_) {
    history_ = topological_order(outputs_);
  }
  return *history_;
}

bool Unconnected::is_stale(const Tensor& input) {
  const VariableRead* variable = variable_of(input.node());
  return variable != nullptr && std::any_of(history().nodes.begin(), history().nodes.end(), [&](const Node* node) {
           const VariableRead* read = variable_of(*node);
           return read != nullptr && read->same_cell(*variable) && node != &input.node();
         });
}

std::string_view Unconnected::reason(const Tensor& input) {
  if (history().numbers.find(&input.node()) != NodeNumbers::none) {
    return "every way between them goes through an operation whose derivative is zero everywhere, such as floor, sign, "
           "a comparison or stop_gradient; use others, or ask for zeros with Unreached::zeros";
  }
  if (is_stale(input)) {
    return "the variable has been assigned since the output was computed: take the gradient before assigning";
  }
  if (std::any_of(history().nodes.begin(), history().nodes.end(),
                  [](const Node* node) { return is_compiled_result(*node); })) {
    return "results of a compiled function have no history: call grad inside compile, as in compile(grad(f)), or "
           "differentiate the compiled function, as in grad(step)(x)";
  }
  return "check which tensor was used, or ask for zeros with Unreached::zeros";
}

void Unconnected::raise_for(const Tensor& input) {
  const std::string others = outputs_.size() > 1 ? phrase(" (and {} more)", outputs_.size() - 1) : "";
  raise<GradientError>("grad", phrase("the output, {}{}, does not depend on the input, {}; {}", describe(outputs_[0]),
                                      others, describe(input), reason(input)));
}

}  // namespace xgrad::detail
