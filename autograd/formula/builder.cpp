#include "autograd/formula/builder.hpp"

#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/formula/primitives.hpp"
#include "autograd/runtime/error.hpp"

namespace xgrad::detail {

using kernels::Opcode;

namespace {

// The builder that records on this thread.
thread_local FormulaBuilder* innermost = nullptr;

[[noreturn]] void raise_foreign() {
  raise<ValueError>("formula",
                    "values of two different formulas meet; use each Scalar only inside the call that was "
                    "given it");
}

constexpr double infinite = std::numeric_limits<double>::infinity();

// Adding 0 makes 0 of -0, adding -0 changes nothing.
bool is_zero(const std::optional<double>& constant, bool negative) {
  return constant == 0.0 && std::signbit(*constant) == negative;
}

std::uint64_t next_builder_number() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

FormulaBuilder::FormulaBuilder() : number_(next_builder_number()), outer_(std::exchange(innermost, this)) {}

FormulaBuilder::~FormulaBuilder() { innermost = outer_; }

FormulaBuilder* FormulaBuilder::of(Scalar a, Scalar b, Scalar c) {
  FormulaBuilder* builder = nullptr;
  for (const Scalar& x : {a, b, c}) {
    if (x.formula_ == 0) {
      continue;
    }
    if (innermost == nullptr || innermost->number_ != x.formula_) {
      raise_foreign();
    }
    builder = innermost;
  }
  return builder;
}

Scalar FormulaBuilder::add_input() { return value(recorder_.add_input()); }

ProgramRecorder::Value FormulaBuilder::id_of(Scalar x) {
  if (x.formula_ == 0) {
    return recorder_.constant(x.constant_);
  }
  if (x.formula_ != number_) {
    raise_foreign();
  }
  return x.id_;
}

std::optional<double> FormulaBuilder::constant_of(Scalar x) const {
  if (x.formula_ == 0) {
    return x.constant_;
  }
  return ProgramRecorder::is_constant(x.id_) ? std::optional(recorder_.number_of(x.id_)) : std::nullopt;
}

std::optional<Program::Step> FormulaBuilder::step_of(Scalar x) const {
  if (x.formula_ == 0 || !ProgramRecorder::is_step(x.id_)) {
    return std::nullopt;
  }
  return recorder_.step_at(ProgramRecorder::position_of(x.id_));
}

Scalar FormulaBuilder::emit(Opcode code, Scalar a, Scalar b, Scalar c) {
  if (const std::optional<Scalar> simpler = simplify(code, a, b, c)) {
    return *simpler;
  }
  const int count = primitive(code).operand_count;
  std::array<ProgramRecorder::Value, 3> operands{id_of(a)};
  operands[1] = count > 1 ? id_of(b) : 0;
  operands[2] = count > 2 ? id_of(c) : 0;
  return value(recorder_.step(code, operands));
}

bool FormulaBuilder::same(Scalar a, Scalar b) const {
  const auto ca = constant_of(a);
  const auto cb = constant_of(b);
  return ca && cb ? std::bit_cast<std::uint64_t>(*ca) == std::bit_cast<std::uint64_t>(*cb)
                  : a.formula_ != 0 && a.formula_ == b.formula_ && a.id_ == b.id_;
}

// A branch that asks for the same condition again has its answer.
std::optional<Scalar> FormulaBuilder::simplify_where(Scalar condition, Scalar a, Scalar b) {
  if (same(a, b)) {
    return a;
  }
  const auto taken = [&](Scalar branch, std::size_t answer) {
    const auto inner = step_of(branch);
    const bool asks_again = inner && inner->code == Opcode::where && inner->operands[0] == condition.id_;
    return asks_again ? value(inner->operands[answer]) : branch;
  };
  const Scalar yes = taken(a, 1);
  const Scalar no = taken(b, 2);
  const bool simpler = yes.id_ != a.id_ || no.id_ != b.id_;
  return simpler ? std::optional(emit(Opcode::where, condition, yes, no)) : std::nullopt;
}

std::optional<Scalar> FormulaBuilder::simplify(Opcode code, Scalar a, Scalar b, Scalar c) {
  const auto ca = constant_of(a);
  const auto cb = constant_of(b);
  if (code == Opcode::where) {
    return ca ? std::optional(*ca != 0 ? b : c) : simplify_where(a, b, c);
  }
  const Primitive& row = primitive(code);
  if (ca && (row.operand_count == 1 || cb)) {
    return row.evaluate(*ca, cb.value_or(0));
  }
  switch (code) {
    case Opcode::negative: {
      const auto inner = step_of(a);
      return inner && inner->code == Opcode::negative ? std::optional(value(inner->operands[0])) : std::nullopt;
    }
    case Opcode::add: return is_zero(ca, true) ? std::optional(b) : is_zero(cb, true) ? std::optional(a) : std::nullopt;
    case Opcode::subtract:
      return is_zero(cb, false) ? std::optional(a) : is_zero(ca, true) ? std::optional(-b) : std::nullopt;
    case Opcode::multiply:
      return ca == 1.0    ? std::optional(b)
             : cb == 1.0  ? std::optional(a)
             : ca == -1.0 ? std::optional(-b)
             : cb == -1.0 ? std::optional(-a)
                          : std::nullopt;
    case Opcode::divide: return cb == 1.0 ? std::optional(a) : cb == -1.0 ? std::optional(-a) : std::nullopt;
    case Opcode::pow:
      floating_only_ = floating_only_ || (cb && *cb < 0);  // a quotient of integers would be cut
      return cb == 0.0    ? std::optional(Scalar(1))
             : cb == 1.0  ? std::optional(a)
             : cb == 2.0  ? std::optional(a * a)
             : cb == 3.0  ? std::optional(a * a * a)
             : cb == 0.5  ? std::optional(where(a == -infinite, infinite, sqrt(a + 0)))
             : cb == -1.0 ? std::optional(1 / a)
             : cb == -2.0 ? std::optional(square(1 / a))  // a² may be too small for a number
                          : std::nullopt;
    default: return std::nullopt;
  }
}

Scalar FormulaBuilder::scale(Scalar factor, Scalar derivative) {
  const auto inner = step_of(derivative);
  if (inner && inner->code == Opcode::where) {
    const Scalar yes = value(inner->operands[1]);
    const Scalar no = value(inner->operands[2]);
    if (constant_of(yes) || constant_of(no)) {
      const auto in_branch = [&](Scalar branch) { return constant_of(branch) == 0.0 ? branch : scale(factor, branch); };
      const Scalar otherwise = in_branch(no);
      return where(value(inner->operands[0]), in_branch(yes), otherwise);
    }
  }
  if (inner && inner->code == Opcode::negative) {
    return -scale(factor, value(inner->operands[0]));
  }
  return multiply(factor, derivative);
}

Scalar FormulaBuilder::multiply(Scalar factor, Scalar derivative) {
  const auto inner = step_of(derivative);
  if (inner && inner->code == Opcode::negative) {
    return -multiply(factor, value(inner->operands[0]));
  }
  if (inner && inner->code == Opcode::divide && constant_of(value(inner->operands[0]))) {
    return factor * value(inner->operands[0]) / value(inner->operands[1]);
  }
  return factor * derivative;
}

std::vector<Scalar> FormulaBuilder::replay(const Program& program, const std::vector<Scalar>& inputs) {
  std::vector<Scalar> values(inputs);
  values.insert(values.end(), program.constants.begin(), program.constants.end());
  for (const Program::Step& step : program.steps) {
    const auto [a, b, c] = step.operands;
    values.push_back(emit(step.code, values[a], values[b], values[c]));
  }
  return values;
}

Program FormulaBuilder::finish(std::span<const Scalar> results, std::vector<std::uint32_t>* used) {
  std::vector<ProgramRecorder::Value> ids;
  for (const Scalar& result : results) {
    ids.push_back(id_of(result));
  }
  Program program = recorder_.finish(ids, used);
  program.floating_only = floating_only_;
  return program;
}

}  // namespace xgrad::detail
