#include "onnx/formulas.hpp"

#include <algorithm>
#include <numbers>
#include <optional>
#include <utility>

#include "autograd/formula/program.hpp"
#include "autograd/ops/ops.hpp"
#include "onnx/primitives.hpp"

namespace xgrad::onnx {

namespace {

/// The dtype of the numbers in a call's steps.
DType compute_dtype(const Call& call) {
  for (std::size_t i = 0; i < call.output_count(); ++i) {
    if (call.output_dtype(i) != DType::boolean) {
      return number_dtype(call.output_dtype(i));
    }
  }
  // Only truth values come out: conditions, which are boolean, do not count beside numbers.
  DType dtype = DType::boolean;
  for (const Value& input : call.inputs()) {
    dtype = dtype == DType::boolean ? input.dtype : promoted(dtype, input.dtype).value_or(dtype);
  }
  return number_dtype(dtype);
}

/// A value of a program: as a number, as a truth value, or both once somebody has asked.
struct StepValue {
  std::optional<std::string> number;
  std::optional<std::string> truth;
  Sizes sizes;
};

class MapWriter {
 public:
  explicit MapWriter(const Call& call)
      : call_(call), program_(call.program("formula")), write_(call.graph(), compute_dtype(call)) {
    read_inputs();
    for (const Number& constant : call.constants("formula")) {
      values_.push_back({call.graph().number(constant, write_.dtype()), std::nullopt, {}});
    }
    for (const Program::Step& step : program_.steps) {
      values_.push_back(written(step));
    }
  }

  std::vector<std::string> results() {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < program_.results.size(); ++i) {
      StepValue& value = values_[program_.results[i]];
      const DType dtype = call_.graph().written(call_.output_dtype(i));
      std::string name = dtype == DType::boolean ? truth(value) : number(value);
      if (dtype != DType::boolean && dtype != write_.dtype()) {
        name = call_.graph().cast(name, dtype);
      }
      const Sizes sizes = call_.output_sizes(i);
      names.push_back(value.sizes == sizes ? name : call_.graph().expand(name, sizes));
    }
    return names;
  }

 private:
  void read_inputs() {
    for (const Value& input : call_.inputs()) {
      const DType dtype = call_.graph().written(input.dtype);
      StepValue value{std::nullopt, std::nullopt, input.sizes};
      if (dtype == DType::boolean) {
        value.truth = input.name;
      } else {
        value.number = dtype == write_.dtype() ? input.name : call_.graph().cast(input.name, write_.dtype());
      }
      values_.push_back(value);
    }
  }

  StepValue written(const Program::Step& step) {
    using Kind = PrimitiveRow::Kind;
    const PrimitiveRow& row = primitive_row(step.code);
    std::vector<std::string> operands;
    Sizes sizes;
    const auto numbers = detail::operands_of(step);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      StepValue& operand = values_[numbers[i]];
      const bool is_truth = row.kind == Kind::logical || (row.kind == Kind::selection && i == 0);
      operands.push_back(is_truth ? truth(operand) : number(operand));
      sizes = i == 0 ? operand.sizes : broadcast_sizes(sizes, operand.sizes);
    }
    const std::string name = row.compose == nullptr ? write_(row.op_type, operands) : row.compose(write_, operands);
    const bool gives_truth = row.kind == Kind::comparison || row.kind == Kind::logical;
    return gives_truth ? StepValue{std::nullopt, name, sizes} : StepValue{name, std::nullopt, sizes};
  }

  const std::string& number(StepValue& value) {
    if (!value.number) {
      value.number = call_.graph().cast(*value.truth, write_.dtype());
    }
    return *value.number;
  }
  const std::string& truth(StepValue& value) {
    if (!value.truth) {
      value.truth = call_.graph().cast(*value.number, DType::boolean);
    }
    return *value.truth;
  }

  const Call& call_;
  const Program& program_;
  Elementwise write_;  // in the dtype of the steps
  std::vector<StepValue> values_;
};

/// A formula of one input that has a form of its own.
struct FormulaForm {
  std::string_view name;
  std::string_view operators;
  Tensor (*op)(const Operand& x);
  std::string (*write)(const Elementwise& write, const std::string& x);
};

const std::vector<FormulaForm>& forms() {
  static const std::vector<FormulaForm> rows = {
      {"gelu", "Div, Erf, Add, Mul", [](const Operand& x) { return gelu(x); },
       [](const Elementwise& write, const std::string& x) {
         const std::string erf = write("Erf", {write("Div", {x, write.number(std::numbers::sqrt2)})});
         const std::string twice = write("Mul", {x, write("Add", {erf, write.number(1)})});
         return write("Mul", {twice, write.number(0.5)});
       }},
      {"mish", "Softplus, Tanh, Mul", [](const Operand& x) { return mish(x); },
       [](const Elementwise& write, const std::string& x) {
         return write("Mul", {x, write("Tanh", {write("Softplus", {x})})});
       }},
      {"softplus", "Softplus", [](const Operand& x) { return softplus(x); },
       [](const Elementwise& write, const std::string& x) { return write("Softplus", {x}); }},
  };
  return rows;
}

/// Keeps the formula that it is shown.
class FormulaOf final : public SelectiveVisitor {
 public:
  std::optional<Formula> found;

  void formula(std::string_view, const Formula& value) override { found = value; }
};

/// The program by which the form's op computes.
Program program_of(const FormulaForm& form) {
  FormulaOf visitor;
  form.op(zeros({})).node().operation().visit_attributes(visitor);
  return visitor.found.value().program();
}

const FormulaForm* find_form(const Program& program) {
  static const std::vector<Program> programs = [] {
    std::vector<Program> result;
    for (const FormulaForm& form : forms()) {
      result.push_back(program_of(form));
    }
    return result;
  }();
  const auto found = std::find(programs.begin(), programs.end(), program);
  return found == programs.end() ? nullptr : &forms()[static_cast<std::size_t>(found - programs.begin())];
}

}  // namespace

std::vector<std::string> write_map(const Call& call) {
  if (const FormulaForm* form = find_form(call.program("formula"))) {
    return {form->write(Elementwise(call.graph(), call.output_dtype()), call.input(0).name)};
  }
  return MapWriter(call).results();
}

std::vector<std::pair<std::string_view, std::string_view>> formula_forms() {
  std::vector<std::pair<std::string_view, std::string_view>> result;
  for (const FormulaForm& form : forms()) {
    result.emplace_back(form.name, form.operators);
  }
  return result;
}

}  // namespace xgrad::onnx
