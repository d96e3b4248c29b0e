#include "autograd/ops/map.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "autograd/formula/code.hpp"
#include "autograd/formula/kinds.hpp"
#include "autograd/formula/parts.hpp"
#include "autograd/formula/pieces.hpp"
#include "autograd/formula/primitives.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/permanent_map.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

namespace {

// The dtype of the operands that are values rather than conditions. They all have the same, but for booleans of which it is
// not known that they are conditions, and for bfloat16 beside derivatives of it.
DType value_dtype(const detail::FormulaKinds& kinds, auto&& dtype_of_input) {
  std::optional<DType> dtype;
  bool all_boolean = true;
  for (std::size_t i = 0; i < kinds.condition_inputs.size(); ++i) {
    if (!kinds.condition_inputs[i]) {
      const DType own = dtype_of_input(i);
      dtype = !dtype || *dtype == DType::boolean ? own : promoted(*dtype, own).value_or(*dtype);
    }
  }
  for (const bool boolean : kinds.boolean_results) {
    all_boolean = all_boolean && boolean;
  }
  return dtype.value_or(all_boolean ? DType::boolean : DType::float32);
}

// The dtype in which two different ones meet.
DType promote(std::string_view op, DType a, DType b) {
  if (const std::optional<DType> common = promoted(a, b)) {
    return *common;
  }
  const bool has_truths = a == DType::boolean || b == DType::boolean;
  raise<DTypeError>(op, phrase("{} meets {}; cast {}, as in cast(x, DType::float32)", to_string(a), to_string(b),
                               has_truths ? "the boolean tensor first" : "one of them"));
}

void check_storage(const Formula& formula, DType dtype) {
  if (formula.kinds().arithmetic && is_storage(dtype)) {
    raise<DTypeError>(formula.name(), phrase("it takes numbers to compute with, got {}, which is for storage; cast it "
                                             "first, as in cast(x, DType::float32)",
                                             to_string(dtype)));
  }
}

// Whether numbers of the type that a dtype is compared and selected in can be \p constant, which is rounded in float32 and
// float64 alone: bfloat16 would be compared with one number, and the other one selected.
bool holds(DType dtype, double constant) {
  if (is_real(dtype) && is_storage(dtype)) {
    return std::isnan(constant) || dispatch(dtype, [constant](auto zero) {
             return static_cast<double>(static_cast<decltype(zero)>(constant)) == constant;
           });
  }
  return is_floating(dtype) || fits(constant, number_dtype(dtype));
}

// A constant that the dtype cannot hold would be another number.
void check_constants(const Formula& formula, DType dtype) {
  for (const double constant : formula.program().constants) {
    if (!holds(dtype, constant)) {
      raise<DTypeError>(formula.name(), phrase("{} cannot hold the constant {}; cast the tensor first, as in {}",
                                               to_string(is_real(dtype) ? dtype : number_dtype(dtype)), constant,
                                               is_real(dtype) ? "cast(x, DType::float32)"
                                                              : "cast(x, DType::int64) or cast(x, DType::float64)"));
    }
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
  if (kinds.floating_only && !is_real(dtype)) {  // of bfloat16 it is a constant: arithmetic has been refused
    raise<DTypeError>(formula.name(), phrase("it takes floating tensors, got {}; cast it first, as in "
                                             "cast(x, DType::float32)",
                                             to_string(dtype)));
  }
  check_constants(formula, dtype);
  return dtype;
}

}  // namespace

// Only division and remainder of integers can fail.
// A few additions take as long as reading a number that another kernel wrote some time ago.
bool Map::cheap() const {
  constexpr int most = 8;
  int cost = 0;
  for (const Program::Step& step : formula.program().steps) {
    cost += detail::primitive(step.code).cost;
  }
  return cost <= most;
}

bool Map::total(Inputs in) const {
  return !formula.kinds().divides ||
         is_floating(value_dtype(formula.kinds(), [&](std::size_t i) { return in[i].dtype(); }));
}

detail::FixedVector<Spec, 1> Map::infer(Inputs in) const {
  const detail::FormulaKinds& kinds = formula.kinds();
  Shape shape = in.empty() ? Shape() : in[0].shape();
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i == 0) {
      shape = in[i].shape();
    } else if (in[i].shape() != shape) {
      shape = broadcast_shapes(formula.name(), shape, in[i].shape());
    }
    if (kinds.condition_inputs[i] && in[i].dtype() != DType::boolean) {
      raise<DTypeError>(formula.name(), phrase("operand {} is a condition, so it must be boolean, not {}; compare "
                                               "first, as in x != 0",
                                               i, to_string(in[i].dtype())));
    }
  }
  const DType dtype = value_dtype(kinds, [&](std::size_t i) { return in[i].dtype(); });
  return detail::FixedVector<Spec, 1>(kinds.boolean_results.size(), [&](std::size_t k) {
    return Spec{shape, kinds.boolean_results[k] ? DType::boolean : dtype};
  });
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
  const detail::FixedVector<kernels::MapOutput, 1> outputs(out.size(), [&](std::size_t k) {
    return kernels::MapOutput{out[k].data, out[k].dtype(), code.result_registers[k]};
  });
  kernels::MapCall call;
  call.code = code.code.data();
  call.code_size = code.code.size();
  call.constants = program.constants.data();
  call.constant_count = program.constants.size();
  call.register_count = code.register_count;
  call.compute = compute_dtype(formula, in);
  call.inputs = inputs.span().data();
  call.input_count = in.size();
  call.outputs = outputs.span().data();
  call.output_count = out.size();
  call.shape = out[0].shape();
  call.cost = code.cost;
  kernels::map(formula.name().c_str(), call);
}

Tensors apply_pieces(const Formula& formula, const Tensors& operands) {
  Tensors values(operands);
  values.resize(formula.program().value_count());
  for (const detail::FormulaPiece& piece : formula.pieces()) {
    Tensors inputs;
    for (const std::uint32_t input : piece.inputs) {
      inputs.push_back(values[input]);
    }
    const Tensors outputs = apply_op_all(Map{piece.formula}, inputs);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      values[piece.outputs[k]] = outputs[k];
    }
  }
  return values;
}

Tensors apply_formula(const Formula& formula, const Tensors& operands) {
  const Program& program = formula.program();
  if (program.steps.size() <= detail::longest_program) {
    const bool passes_on = program.steps.empty() && operands.size() == 1 && program.results == std::vector{0U};
    return passes_on ? operands : apply_op_all(Map{formula}, operands);
  }
  const Tensors values = apply_pieces(formula, operands);
  Tensors results;
  for (const std::uint32_t result : program.results) {
    results.push_back(values[result]);
  }
  return results;
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
  return apply_op_all(Map{formula}, align_samples(node, in, node.spec(0).shape.ndim()));
}

namespace {

void require_count(const Formula& formula, std::size_t given) {
  const std::size_t expected = formula.program().input_count;
  if (given != expected) {
    raise<ValueError>(formula.name(),
                      phrase("the formula takes {} operands, got {}; give one for each Scalar", expected, given));
  }
}

using Operands = detail::FixedVector<Tensor, 3>;

// The operands as tensors of one dtype; conditions are boolean.
void take_operands(const Formula& formula, std::initializer_list<Operand> operands, Operands& inputs) {
  std::size_t i = 0;
  for (const Operand& operand : operands) {
    Tensor& input = inputs[i++];
    if (!operand.weak()) {
      input = operand.tensor();
    }
  }
  const DType dtype = common_dtype(formula, operands, inputs.span());
  const std::vector<bool>& conditions = formula.kinds().condition_inputs;
  i = 0;
  for (const Operand& operand : operands) {
    const bool condition = conditions[i];
    const DType wanted = condition ? DType::boolean : dtype;
    Tensor& input = inputs[i++];
    if (operand.weak()) {
      input = operand.tensor(wanted, formula.name());
    } else if (input.dtype() != wanted && !condition) {
      input = cast(input, wanted);
    }
  }
}

// As nodes of one operation, where it is there already.
Tensor apply(const Formula& formula, const AnyOperation* operation, std::initializer_list<Operand> operands) {
  const std::source_location where = operands.size() == 0 ? std::source_location() : operands.begin()->where();
  located(where, [&] { require_count(formula, operands.size()); });
  const SourceScope scope(where);
  Operands inputs(operands.size(), [](std::size_t) { return Tensor(); });
  located(where, [&] { take_operands(formula, operands, inputs); });
  if (formula.program().steps.size() <= detail::longest_program) {
    Ref<const AnyOperation> shared(operation);
    return Tensor(
        make_node_of(shared ? std::move(shared) : detail::make_operation(Map{formula}), inputs.span(), where));
  }
  return located(where, [&] {
    const Spec spec = Map{formula}.infer(inputs.span())[0];
    const Tensors tensors(inputs.span().begin(), inputs.span().end());
    return broadcast_to(apply_formula(formula, tensors).front(), spec.shape);
  });
}

}  // namespace

Tensor map(const Formula& formula, std::initializer_list<Operand> operands) {
  return apply(formula, nullptr, operands);
}

const AnyOperation* detail::permanent_map(const Formula& formula) { return make_permanent_operation(Map{formula}); }

Tensor detail::apply_map(const AnyOperation& operation, std::initializer_list<Operand> operands) {
  return apply(operation.as<Map>()->formula, &operation, operands);
}

}  // namespace xgrad
