#include "autograd/ops/debug.hpp"

#include <iostream>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/debug_text.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad::debug {

namespace {

/// Prints its inputs and gives the first one on.
struct Print {
  static constexpr std::string_view name = "print";
  static constexpr std::string_view effect = "print";
  static constexpr bool alias = true;
  std::string format;
  static constexpr auto attributes = fields("format", &Print::format);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views) const { std::cout << text_of(format, in) + "\n" << std::flush; }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    Tensors gradients(node.inputs().size());
    gradients[0] = ct[0];
    return gradients;
  }
  Tensors jvp(const Node&, const Tangents& t) const { return {t[0]}; }
  Tensors vmap(const Node& node, const BatchedInputs& in) const { return {apply_op(*this, first_batched(node, in))}; }
};

}  // namespace

Tensor print_all(const Format& format, std::span<const Operand> operands) {
  const SourceScope scope(format.where);
  return located(format.where, [&] {
    require_fitting("print", format, operands);
    Tensors inputs;
    for (const Operand& operand : operands) {
      inputs.push_back(operand.tensor());
    }
    if (!inputs.empty()) {
      return apply_op(Print{format.text}, inputs, format.where);
    }
    apply_op(Print{format.text}, {Tensor(0)}, format.where);  // an operation needs something to give on
    return Tensor();
  });
}

}  // namespace xgrad::debug
