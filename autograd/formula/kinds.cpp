#include "autograd/formula/kinds.hpp"

#include <cmath>
#include <numeric>

#include "autograd/formula/primitives.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

namespace {

enum class ValueKind : std::uint8_t { unknown, number, truth };

/// What one use says about a value counts for all that must be of the same kind: both branches of a selection and what it
/// gives.
class KindInference {
 public:
  explicit KindInference(const Program& program)
      : program_(program), same_as_(program.value_count()), kinds_(program.value_count(), ValueKind::unknown) {
    std::iota(same_as_.begin(), same_as_.end(), 0U);
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
      visit(program.steps[i], static_cast<std::uint32_t>(program.first_step() + i));
    }
  }

  bool is_truth(std::uint32_t value) { return kinds_[find(value)] == ValueKind::truth; }

 private:
  void visit(const Program::Step& step, std::uint32_t result) {
    const Primitive& row = primitive(step.code);
    const auto operands = operands_of(step);
    switch (row.kind) {
      case PrimitiveKind::arithmetic:
      case PrimitiveKind::floating: require_all(operands, result, ValueKind::number, row); break;
      case PrimitiveKind::logical: require_all(operands, result, ValueKind::truth, row); break;
      case PrimitiveKind::comparison:
        for (const std::uint32_t operand : operands) {  // truth values can be compared, too
          if (!is_constant(operand) && kinds_[find(operand)] == ValueKind::unknown) {
            require(operand, ValueKind::number, row);
          }
        }
        require(result, ValueKind::truth, row);
        break;
      case PrimitiveKind::selection:
        require(operands[0], ValueKind::truth, row);
        unite(operands[1], result, row);
        unite(operands[2], result, row);
        break;
    }
  }

  void require_all(std::span<const std::uint32_t> operands, std::uint32_t result, ValueKind kind,
                   const Primitive& row) {
    for (const std::uint32_t operand : operands) {
      require(operand, kind, row);
    }
    require(result, kind, row);
  }

  // Constants may serve as either kind, so they take no part.
  bool is_constant(std::uint32_t value) const { return !program_.is_input(value) && !program_.is_step(value); }

  std::uint32_t find(std::uint32_t value) {
    while (same_as_[value] != value) {
      value = same_as_[value] = same_as_[same_as_[value]];
    }
    return value;
  }

  void unite(std::uint32_t a, std::uint32_t b, const Primitive& row) {
    if (is_constant(a)) {
      return;
    }
    a = find(a);
    b = find(b);
    if (kinds_[a] == ValueKind::unknown) {
      std::swap(a, b);
    }
    require(b, kinds_[a], row);
    same_as_[b] = a;
  }

  void require(std::uint32_t value, ValueKind wanted, const Primitive& row) {
    if (is_constant(value) || wanted == ValueKind::unknown) {
      return;
    }
    ValueKind& kind = kinds_[find(value)];
    if (kind == ValueKind::unknown) {
      kind = wanted;
    } else if (kind != wanted) {
      raise<ValueError>("formula",
                        wanted == ValueKind::truth
                            ? phrase("{} takes a truth value, got a number; compare first, as in x != 0", row.name)
                            : phrase("{} takes numbers, got a truth value; use where(condition, 1, 0)", row.name));
    }
  }

  const Program& program_;
  std::vector<std::uint32_t> same_as_;  // union-find
  std::vector<ValueKind> kinds_;
};

}  // namespace

std::vector<bool> find_truth_values(const Program& program) {
  KindInference inference(program);
  std::vector<bool> truth(program.value_count());
  for (std::uint32_t value = 0; value < truth.size(); ++value) {
    truth[value] = inference.is_truth(value);
  }
  return truth;
}

FormulaKinds infer_kinds(const Program& program) {
  const std::vector<bool> truth = find_truth_values(program);
  FormulaKinds kinds;
  kinds.floating_only = program.floating_only;
  kinds.condition_inputs.assign(truth.begin(), truth.begin() + static_cast<std::ptrdiff_t>(program.input_count));
  for (const std::uint32_t result : program.results) {
    kinds.boolean_results.push_back(truth[result]);
  }
  for (const Program::Step& step : program.steps) {
    const PrimitiveKind kind = primitive(step.code).kind;
    kinds.floating_only = kinds.floating_only || kind == PrimitiveKind::floating;
    kinds.arithmetic = kinds.arithmetic || kind == PrimitiveKind::arithmetic || kind == PrimitiveKind::floating;
    kinds.divides = kinds.divides || step.code == kernels::Opcode::divide || step.code == kernels::Opcode::remainder ||
                    step.code == kernels::Opcode::fmod;
  }
  for (const double constant : program.constants) {
    kinds.floating_only = kinds.floating_only || constant != std::trunc(constant) || std::isinf(constant);
  }
  return kinds;
}

}  // namespace xgrad::detail
