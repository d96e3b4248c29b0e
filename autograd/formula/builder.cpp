#include "autograd/formula/builder.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>

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

constexpr std::size_t most_steps = 4096;

[[noreturn]] void raise_too_long() {
  raise<ValueError>("formula", fmt::format("more than {} steps; split it into several formulas", most_steps));
}

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

FormulaBuilder::FormulaBuilder() : number_(next_number()), outer_(std::exchange(innermost, this)) {}

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

Scalar FormulaBuilder::add_input() { return value(record({Kind::input, {}, 0})); }

std::uint16_t FormulaBuilder::record(const Value& new_value) {
  constexpr std::size_t most = 1 << 16;  // what 16 bits can number; derivatives pass through more than they keep
  if (values_.size() == most) {
    raise_too_long();
  }
  values_.push_back(new_value);
  return static_cast<std::uint16_t>(values_.size() - 1);
}

std::uint16_t FormulaBuilder::id_of(Scalar x) {
  if (x.formula_ != 0) {
    if (x.formula_ != number_) {
      raise_foreign();
    }
    return x.id_;
  }
  const auto [entry, inserted] = constants_.try_emplace(std::bit_cast<std::uint64_t>(x.constant_));
  if (inserted) {
    entry->second = record({Kind::constant, {}, x.constant_});
  }
  return entry->second;
}

std::optional<double> FormulaBuilder::constant_of(Scalar x) const {
  if (x.formula_ == 0) {
    return x.constant_;
  }
  const Value& known = values_[x.id_];
  return known.kind == Kind::constant ? std::optional(known.constant) : std::nullopt;
}

std::optional<Program::Step> FormulaBuilder::step_of(Scalar x) const {
  return x.formula_ != 0 && values_[x.id_].kind == Kind::step ? std::optional(values_[x.id_].step) : std::nullopt;
}

Scalar FormulaBuilder::emit(Opcode code, Scalar a, Scalar b, Scalar c) {
  if (const std::optional<Scalar> simpler = simplify(code, a, b, c)) {
    return *simpler;
  }
  const int operands = primitive(code).operand_count;
  Program::Step step{code, id_of(a), 0, 0};
  step.b = operands > 1 ? id_of(b) : std::uint16_t{0};
  step.c = operands > 2 ? id_of(c) : std::uint16_t{0};
  const auto [entry, inserted] = steps_.try_emplace({code, step.a, step.b, step.c});
  if (inserted) {
    entry->second = record({Kind::step, step, 0});
  }
  return value(entry->second);
}

// A branch that asks for the same condition again has its answer.
std::optional<Scalar> FormulaBuilder::simplify_where(Scalar condition, Scalar a, Scalar b) {
  if (a.formula_ != 0 && a.formula_ == b.formula_ && a.id_ == b.id_) {
    return a;
  }
  const auto taken = [&](Scalar branch, std::uint16_t Program::Step::*answer) {
    const auto inner = step_of(branch);
    return inner && inner->code == Opcode::where && inner->a == condition.id_ ? value((*inner).*answer) : branch;
  };
  const Scalar yes = taken(a, &Program::Step::b);
  const Scalar no = taken(b, &Program::Step::c);
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
      const Value& inner = values_[a.id_];
      return inner.kind == Kind::step && inner.step.code == Opcode::negative ? std::optional(value(inner.step.a))
                                                                             : std::nullopt;
    }
    case Opcode::add: return ca == 0.0 ? std::optional(b) : cb == 0.0 ? std::optional(a) : std::nullopt;
    case Opcode::subtract: return cb == 0.0 ? std::optional(a) : ca == 0.0 ? std::optional(-b) : std::nullopt;
    case Opcode::multiply:
      return ca == 1.0    ? std::optional(b)
             : cb == 1.0  ? std::optional(a)
             : ca == -1.0 ? std::optional(-b)
             : cb == -1.0 ? std::optional(-a)
                          : std::nullopt;
    case Opcode::divide: return cb == 1.0 ? std::optional(a) : cb == -1.0 ? std::optional(-a) : std::nullopt;
    case Opcode::pow:
      return cb == 0.0    ? std::optional(Scalar(1))
             : cb == 1.0  ? std::optional(a)
             : cb == 2.0  ? std::optional(a * a)
             : cb == 3.0  ? std::optional(a * a * a)
             : cb == 0.5  ? std::optional(sqrt(a))
             : cb == -1.0 ? std::optional(1 / a)
             : cb == -2.0 ? std::optional(1 / (a * a))
                          : std::nullopt;
    default: return std::nullopt;
  }
}

Scalar FormulaBuilder::scale(Scalar factor, Scalar derivative) {
  if (const auto known = constant_of(derivative)) {
    return *known == 0 ? Scalar(0) : factor * derivative;
  }
  const Value inner = values_[derivative.id_];
  if (inner.kind == Kind::step) {
    const Scalar a = value(inner.step.a);
    const Scalar b = value(inner.step.b);
    if (inner.step.code == Opcode::where) {
      const Scalar c = value(inner.step.c);
      if (constant_of(b) || constant_of(c)) {
        return where(a, scale(factor, b), scale(factor, c));
      }
    }
    if (inner.step.code == Opcode::negative) {
      return -scale(factor, a);
    }
    if (inner.step.code == Opcode::divide && constant_of(a)) {
      return factor * a / b;
    }
  }
  return factor * derivative;
}

std::vector<Scalar> FormulaBuilder::replay(const Program& program, const std::vector<Scalar>& inputs) {
  std::vector<Scalar> values(inputs);
  values.insert(values.end(), program.constants.begin(), program.constants.end());
  for (const Program::Step& step : program.steps) {
    values.push_back(emit(step.code, values[step.a], values[step.b], values[step.c]));
  }
  return values;
}

std::vector<bool> FormulaBuilder::contributing(std::uint16_t result) const {
  std::vector<bool> needed(values_.size());
  needed[result] = true;
  for (std::size_t i = values_.size(); i-- > 0;) {
    if (needed[i] && values_[i].kind == Kind::step) {
      const Program::Step& step = values_[i].step;
      const int operands = primitive(step.code).operand_count;
      needed[step.a] = true;
      needed[operands > 1 ? step.b : step.a] = true;
      needed[operands > 2 ? step.c : step.a] = true;
    }
  }
  return needed;
}

std::shared_ptr<const Program> FormulaBuilder::finish(Scalar result, std::string_view name,
                                                      std::vector<std::uint16_t>* used) {
  const std::uint16_t result_id = id_of(result);
  const std::vector<bool> needed = contributing(result_id);
  auto program = std::make_shared<Program>();
  program->name = name;
  std::vector<std::uint16_t> number(values_.size());
  std::uint16_t next = 0;
  std::uint16_t input_index = 0;
  for (const Kind kind : {Kind::input, Kind::constant, Kind::step}) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const Value& known = values_[i];
      if (known.kind != kind || (!needed[i] && !(kind == Kind::input && used == nullptr))) {
        input_index = static_cast<std::uint16_t>(input_index + (known.kind == kind && kind == Kind::input));
        continue;
      }
      number[i] = next++;
      if (kind == Kind::input) {
        ++program->input_count;
        if (used != nullptr) {
          used->push_back(input_index);
        }
        ++input_index;
      } else if (kind == Kind::constant) {
        program->constants.push_back(known.constant);
      } else {
        const int operands = primitive(known.step.code).operand_count;
        program->steps.push_back({known.step.code, number[known.step.a],
                                  operands > 1 ? number[known.step.b] : std::uint16_t{0},
                                  operands > 2 ? number[known.step.c] : std::uint16_t{0}});
      }
    }
  }
  if (program->steps.size() > most_steps) {
    raise_too_long();
  }
  program->result = number[result_id];
  complete_program(*program);
  return program;
}

namespace {

enum class ValueKind : std::uint8_t { unknown, number, truth };

void require(std::vector<ValueKind>& kinds, std::uint16_t id, ValueKind wanted, const Primitive& row) {
  if (kinds[id] == ValueKind::unknown) {
    kinds[id] = wanted;
  } else if (kinds[id] != wanted) {
    raise<ValueError>("formula",
                      wanted == ValueKind::truth
                          ? fmt::format("{} takes a truth value, got a number; compare first, as in x != 0", row.name)
                          : fmt::format("{} takes numbers, got a truth value; use where(condition, 1, 0)", row.name));
  }
}

// Constants may serve as either kind, so only inputs and steps take part.
std::vector<ValueKind> infer_kinds(const Program& program) {
  const std::size_t first_step = program.input_count + program.constants.size();
  std::vector<ValueKind> kinds(first_step + program.steps.size(), ValueKind::unknown);
  const auto is_constant = [&](std::uint16_t id) { return id >= program.input_count && id < first_step; };
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Program::Step& step = program.steps[i];
    const Primitive& row = primitive(step.code);
    const bool selects = row.kind == PrimitiveKind::selection;
    const std::uint16_t operands[] = {step.a, step.b, step.c};
    for (int k = 0; k < row.operand_count; ++k) {
      if (is_constant(operands[k])) {
        continue;
      }
      if (row.kind == PrimitiveKind::logical || (selects && k == 0)) {
        require(kinds, operands[k], ValueKind::truth, row);
      } else if (row.kind == PrimitiveKind::arithmetic || row.kind == PrimitiveKind::floating) {
        require(kinds, operands[k], ValueKind::number, row);
      } else if (!selects && kinds[operands[k]] == ValueKind::unknown) {
        kinds[operands[k]] = ValueKind::number;
      }
    }
    // Both branches of a selection are of the kind that one of them is known to be.
    const bool truth = row.kind == PrimitiveKind::logical || row.kind == PrimitiveKind::comparison ||
                       (selects && (kinds[step.b] == ValueKind::truth || kinds[step.c] == ValueKind::truth));
    const ValueKind result = truth ? ValueKind::truth : ValueKind::number;
    for (int k = 1; selects && k < 3; ++k) {
      if (!is_constant(operands[k])) {
        require(kinds, operands[k], result, row);
      }
    }
    kinds[first_step + i] = result;
  }
  return kinds;
}

}  // namespace

void complete_program(Program& program) {
  const std::vector<ValueKind> kinds = infer_kinds(program);
  for (std::size_t i = 0; i < program.input_count; ++i) {
    program.condition_inputs.push_back(kinds[i] == ValueKind::truth);
  }
  program.boolean_result = kinds[program.result] == ValueKind::truth;
  for (const Program::Step& step : program.steps) {
    const PrimitiveKind kind = primitive(step.code).kind;
    program.floating_only = program.floating_only || kind == PrimitiveKind::floating;
    program.arithmetic = program.arithmetic || kind == PrimitiveKind::arithmetic || kind == PrimitiveKind::floating;
  }
  for (const double constant : program.constants) {
    program.floating_only = program.floating_only || constant != std::trunc(constant) || std::isinf(constant);
  }
  const std::array results{program.result};
  MapCode map_code = assemble(program.input_count, program.constants.size(), program.steps, results);
  program.code = std::move(map_code.code);
  program.register_count = map_code.register_count;
  program.result_register = map_code.result_registers[0];
}

}  // namespace xgrad::detail
