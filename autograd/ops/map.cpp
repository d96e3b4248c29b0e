#include "autograd/ops/map.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "autograd/formula/code.hpp"
#include "autograd/formula/derivatives.hpp"
#include "autograd/formula/kinds.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad {

namespace {

// boolean and uint8 are compared and selected as int32.
DType number_dtype(DType dtype) { return dtype == DType::boolean || dtype == DType::uint8 ? DType::int32 : dtype; }

// The dtype of the operands that are values rather than conditions; they all have the same.
DType value_dtype(const detail::FormulaKinds& kinds, auto&& dtype_of_input) {
  for (std::size_t i = 0; i < kinds.condition_inputs.size(); ++i) {
    if (!kinds.condition_inputs[i]) {
      return dtype_of_input(i);
    }
  }
  return kinds.boolean_results[0] ? DType::boolean : DType::float32;
}

// The dtype in which two different ones meet.
DType promote(std::string_view op, DType a, DType b) {
  if (a == b) {
    return a;
  }
  if (is_floating(a) && is_floating(b)) {
    raise<DTypeError>(op, "float32 meets float64; cast one of them, as in cast(x, DType::float32)");
  }
  if (a == DType::boolean || b == DType::boolean) {
    raise<DTypeError>(op, fmt::format("{} meets {}; cast the boolean tensor first, as in cast(x, DType::float32)",
                                      to_string(a), to_string(b)));
  }
  return std::max(a, b);
}

void check_storage(const Formula& formula, DType dtype) {
  if (formula.kinds().arithmetic && (dtype == DType::boolean || dtype == DType::uint8)) {
    raise<DTypeError>(formula.name(),
                      fmt::format("it takes numbers to compute with, got {}, which is for storage; cast it "
                                  "first, as in cast(x, DType::float32)",
                                  to_string(dtype)));
  }
}

// The dtype that the values of a call have in common; C++ numbers adapt to the tensors they meet.
DType common_dtype(const Formula& formula, std::initializer_list<Operand> operands, Inputs tensors) {
  const detail::FormulaKinds& kinds = formula.kinds();
  std::optional<DType> common;
  DType of_numbers = DType::int64;
  std::size_t i = 0;
  for (const Operand& operand : operands) {
    const Tensor& tensor = tensors[i];
    if (kinds.condition_inputs[i++]) {
      continue;
    }
    if (operand.weak()) {
      of_numbers = operand.weak_floating() ? DType::float32 : of_numbers;
      continue;
    }
    const DType dtype = tensor.dtype();
    check_storage(formula, dtype);
    common = common ? promote(formula.name(), *common, dtype) : dtype;
  }
  const DType dtype = common.value_or(of_numbers);
  if (kinds.floating_only && !is_floating(dtype)) {
    raise<DTypeError>(formula.name(), fmt::format("it takes floating tensors, got {}; cast it first, as in "
                                                  "cast(x, DType::float32)",
                                                  to_string(dtype)));
  }
  return dtype;
}

}  // namespace

// Only division and remainder of integers can fail.
bool Map::total(Inputs in) const {
  return !formula.kinds().divides ||
         is_floating(value_dtype(formula.kinds(), [&](std::size_t i) { return in[i].dtype(); }));
}

Spec Map::infer(Inputs in) const {
  const detail::FormulaKinds& kinds = formula.kinds();
  Spec out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    out.shape = broadcast_shapes(formula.name(), out.shape, in[i].shape());
    if (kinds.condition_inputs[i] && in[i].dtype() != DType::boolean) {
      raise<DTypeError>(formula.name(), fmt::format("operand {} is a condition, so it must be boolean, not {}; compare "
                                                    "first, as in x != 0",
                                                    i, to_string(in[i].dtype())));
    }
  }
  const DType dtype = value_dtype(kinds, [&](std::size_t i) { return in[i].dtype(); });
  out.dtype = kinds.boolean_results[0] ? DType::boolean : dtype;
  return out;
}

DType compute_dtype(const Formula& formula, ConstViews in) {
  return number_dtype(value_dtype(formula.kinds(), [&](std::size_t i) { return in[i].dtype(); }));
}

void Map::eval(ConstViews in, Views out) const {
  const Program& program = formula.program();
  const detail::MapCode& code = formula.code();
  const detail::FixedVector<kernels::MapInput, 4> inputs(in.size(), [&](std::size_t i) {
    return kernels::MapInput{in[i].data, in[i].dtype(), broadcast_strides(in[i].shape(), out[0].shape())};
  });
  const kernels::MapOutput output{out[0].data, out[0].dtype(), code.result_registers[0]};
  kernels::MapCall call;
  call.code = code.code.data();
  call.code_size = code.code.size();
  call.constants = program.constants.data();
  call.constant_count = program.constants.size();
  call.register_count = code.register_count;
  call.compute = compute_dtype(formula, in);
  call.inputs = inputs.span().data();
  call.input_count = in.size();
  call.outputs = &output;
  call.output_count = 1;
  call.shape = out[0].shape();
  call.cost = code.cost;
  kernels::map(formula.name().c_str(), call);
}

namespace {

// A formula that only passes an operand on needs no node.
Tensor apply_formula(const Formula& formula, const Tensors& operands) {
  const Program& program = formula.program();
  if (program.steps.empty() && program.is_input(program.results[0]) && operands.size() == 1) {
    return operands[program.results[0]];
  }
  return apply_op(Map{formula}, operands);
}

// factor * d output / d input i; undefined where it is zero everywhere.
Tensor partial_product(const Node& node, const Formula& formula, std::size_t i, const Tensor& factor) {
  const std::optional<Partial> partial = formula.partial(i);
  if (!partial) {
    return Tensor();
  }
  const std::size_t count = node.inputs().size();
  Tensors operands;
  for (const std::uint32_t argument : partial->arguments) {
    operands.push_back(argument < count ? node.input(argument) : argument == count ? node.output(0) : factor);
  }
  return apply_formula(partial->formula, operands);
}

// Whether the factor is itself a formula of what the node reads or gives, as in derivatives of derivatives.
bool is_formula_of_same_values(const Node& node, const Tensor& factor) {
  const Inputs inputs = factor.node().inputs();
  const auto is_shared = [&](const Tensor& x) {
    return x.same_as(node.output(0)) ||
           std::any_of(node.inputs().begin(), node.inputs().end(), [&](const Tensor& own) { return own.same_as(x); });
  };
  return factor.node().as<Map>() != nullptr && std::any_of(inputs.begin(), inputs.end(), is_shared);
}

// The formula of a product of derivatives and of the formula that gave its last operand, as one: repeated derivatives
// stay one node each.
Tensor joined(const Tensor& product) {
  const Inputs outer = product.node().inputs();
  const Tensor factor = outer.back();
  const Inputs inner = factor.node().inputs();
  Tensors operands;
  const auto position = [&](const Tensor& x) {
    const auto found = std::find_if(operands.begin(), operands.end(), [&](const Tensor& y) { return y.same_as(x); });
    const auto number = static_cast<std::uint32_t>(found - operands.begin());
    if (found == operands.end()) {
      operands.push_back(x);
    }
    return number;
  };
  std::vector<std::uint32_t> inner_positions;
  std::vector<std::uint32_t> outer_positions;
  std::transform(inner.begin(), inner.end(), std::back_inserter(inner_positions), position);
  std::transform(outer.begin(), outer.end() - 1, std::back_inserter(outer_positions), position);
  Program program = detail::composed(product.node().as<Map>()->formula.program(), outer_positions,
                                     factor.node().as<Map>()->formula.program(), inner_positions, operands.size());
  constexpr std::size_t longest = 128;  // a part of the graph that is read twice is not to be repeated without end
  return program.steps.size() > longest ? product : apply_formula(Formula(std::move(program)), operands);
}

}  // namespace

Tensors Map::vjp(const Node& node, const Cotangents& ct) const {
  Tensors gradients(node.inputs().size());
  std::size_t made = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (ct.wanted(i)) {
      gradients[i] = partial_product(node, formula, i, ct[0]);
      made += gradients[i].defined();
    }
  }
  for (Tensor& gradient : gradients) {
    if (made == 1 && gradient.defined() && is_formula_of_same_values(node, ct[0]) && !gradient.same_as(ct[0]) &&
        gradient.node().as<Map>() != nullptr && gradient.node().inputs().back().same_as(ct[0])) {
      gradient = joined(gradient);
    }
  }
  return gradients;
}

Tensors Map::jvp(const Node& node, const Tangents& t) const {
  Tensor sum;
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    const Tensor term = t[i].defined() ? partial_product(node, formula, i, t[i]) : Tensor();
    sum = !term.defined() ? sum : sum.defined() ? sum + term : term;
  }
  return {sum};
}

Tensors align_samples(const Node& node, const BatchedInputs& in, std::size_t ndim) {
  Tensors aligned = in.tensors;
  for (std::size_t i = 0; i < aligned.size(); ++i) {
    if (in.batched[i]) {
      Shape shape = aligned[i].shape();
      for (std::size_t missing = node.input(i).ndim(); missing < ndim; ++missing) {
        shape.insert(1, 1);
      }
      aligned[i] = reshape(aligned[i], shape);
    }
  }
  return aligned;
}

Tensors Map::vmap(const Node& node, const BatchedInputs& in) const {
  return {apply_op(Map{formula}, align_samples(node, in, node.spec(0).shape.ndim()))};
}

namespace {

void require_count(const Formula& formula, std::size_t given) {
  const std::size_t expected = formula.program().input_count;
  if (given != expected) {
    raise<ValueError>(formula.name(),
                      fmt::format("the formula takes {} operands, got {}; give one for each Scalar", expected, given));
  }
}

// The operands as tensors of one dtype; conditions are boolean.
Tensors common_operands(const Formula& formula, std::initializer_list<Operand> operands) {
  Tensors inputs;
  inputs.reserve(operands.size());
  for (const Operand& operand : operands) {
    inputs.push_back(operand.weak() ? Tensor() : operand.tensor());
  }
  const DType dtype = common_dtype(formula, operands, inputs);
  std::size_t i = 0;
  for (const Operand& operand : operands) {
    const bool condition = formula.kinds().condition_inputs[i];
    const DType wanted = condition ? DType::boolean : dtype;
    Tensor& input = inputs[i++];
    if (operand.weak()) {
      input = operand.tensor(wanted, formula.name());
    } else if (input.dtype() != wanted && !condition) {
      input = cast(input, wanted);
    }
  }
  return inputs;
}

}  // namespace

Tensor map(const Formula& formula, std::initializer_list<Operand> operands) {
  const std::source_location where = operands.size() == 0 ? std::source_location() : operands.begin()->where();
  located(where, [&] { require_count(formula, operands.size()); });
  const SourceScope scope(where);
  const Tensors inputs = located(where, [&] { return common_operands(formula, operands); });
  return apply_op(Map{formula}, inputs, where);
}

}  // namespace xgrad
