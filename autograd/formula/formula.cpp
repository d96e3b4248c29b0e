#include "autograd/formula/formula.hpp"

#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "autograd/formula/builder.hpp"
#include "autograd/formula/simplification.hpp"

namespace xgrad {

using detail::collect_terms;
using detail::FormulaBuilder;
using detail::Primitive;
using detail::primitive;
using detail::PrimitiveKind;
using kernels::Opcode;

namespace {

template <class T>
void append_bytes(std::string& text, std::span<const T> items) {
  text.append(reinterpret_cast<const char*>(items.data()), items.size_bytes());
}

std::string fingerprint(const Program& program) {
  std::string text = program.name;
  const std::array<std::size_t, 3> sizes{program.input_count, program.constants.size(), program.result};
  append_bytes(text, std::span<const std::size_t>(sizes));
  append_bytes(text, std::span(program.constants));
  for (const Program::Step& step : program.steps) {
    const std::array<std::uint16_t, 4> fields{static_cast<std::uint16_t>(step.code), step.a, step.b, step.c};
    append_bytes(text, std::span<const std::uint16_t>(fields));
  }
  return text;
}

// Equal programs are one object, so a formula written inside a loop keeps the derivatives computed in its first round. The
// table keeps its programs for ever: some are their own derivatives, and would keep themselves alive. When it is full,
// programs are no longer shared.
std::shared_ptr<const Program> shared(std::shared_ptr<const Program> program) {
  constexpr std::size_t most = 4096;
  static std::mutex mutex;
  static auto& known = *new std::unordered_map<std::string, std::shared_ptr<const Program>>;
  const std::string key = fingerprint(*program);
  const std::lock_guard lock(mutex);
  const auto found = known.find(key);
  if (found != known.end()) {
    return found->second;
  }
  if (known.size() < most) {
    known.emplace(key, program);
  }
  return program;
}

}  // namespace

struct Program::Partials {
  struct Slot {
    std::once_flag once;
    std::optional<Partial> partial;
  };
  std::once_flag once;
  std::unique_ptr<Slot[]> slots;
};

Program::Program() : partials_(std::make_unique<Partials>()) {}
Program::~Program() = default;

namespace {

// Forward mode on the program, seeded with ct at one input: d y = ct * d y / d input. Where the program computes its
// own result again, the output y, which exists already, is used instead.
std::optional<Partial> differentiate(const Program& program, std::size_t input) {
  FormulaBuilder builder;
  std::vector<Scalar> values;
  for (std::size_t i = 0; i < program.input_count; ++i) {
    values.push_back(builder.add_input());
  }
  const Scalar output = builder.add_input();
  const Scalar ct = builder.add_input();
  values.insert(values.end(), program.constants.begin(), program.constants.end());

  std::vector<std::optional<Scalar>> tangents(values.size());
  tangents[input] = ct;
  for (const Program::Step& step : program.steps) {
    const Primitive& row = primitive(step.code);
    const Scalar a = values[step.a];
    const Scalar b = values[step.b];
    const bool is_result = values.size() == program.result;
    const Scalar y = is_result ? output : builder.emit(step.code, a, b, values[step.c]);
    std::optional<Scalar> tangent;
    if (row.kind == PrimitiveKind::selection) {
      if (tangents[step.b] || tangents[step.c]) {
        tangent = where(a, tangents[step.b].value_or(0), tangents[step.c].value_or(0));
      }
    } else {
      if (row.partial_a != nullptr && tangents[step.a]) {
        tangent = builder.scale(*tangents[step.a], row.partial_a(a, b, y));
      }
      if (row.partial_b != nullptr && tangents[step.b]) {
        const Scalar term = builder.scale(*tangents[step.b], row.partial_b(a, b, y));
        tangent = tangent ? *tangent + term : term;
      }
    }
    values.push_back(y);
    tangents.push_back(tangent);
  }
  if (!tangents[program.result]) {
    return std::nullopt;
  }
  std::vector<std::uint16_t> arguments;
  auto derivative = builder.finish(collect_terms(builder, *tangents[program.result]), "map", &arguments);
  const bool zero = derivative->steps.empty() && derivative->input_count == 0 && derivative->constants[0] == 0;
  if (zero) {
    return std::nullopt;
  }
  return Partial{Formula(shared(std::move(derivative))), std::move(arguments)};
}

}  // namespace

const Partial* Program::partial(std::size_t input) const {
  std::call_once(partials_->once, [&] { partials_->slots = std::make_unique<Partials::Slot[]>(input_count); });
  Partials::Slot& slot = partials_->slots[input];
  std::call_once(slot.once, [&] { slot.partial = differentiate(*this, input); });
  return slot.partial ? &*slot.partial : nullptr;
}

Formula detail::composed(const Formula& outer, const std::vector<std::uint16_t>& outer_positions, const Formula& inner,
                         const std::vector<std::uint16_t>& inner_positions, std::size_t count) {
  FormulaBuilder builder;
  std::vector<Scalar> operands;
  for (std::size_t i = 0; i < count; ++i) {
    operands.push_back(builder.add_input());
  }
  const auto at = [&](const std::vector<std::uint16_t>& positions) {
    std::vector<Scalar> values;
    for (const std::uint16_t position : positions) {
      values.push_back(operands[position]);
    }
    return values;
  };
  std::vector<Scalar> outer_operands = at(outer_positions);
  outer_operands.push_back(builder.replay(inner.program(), at(inner_positions))[inner.program().result]);
  const Scalar result = builder.replay(outer.program(), outer_operands)[outer.program().result];
  return Formula(shared(builder.finish(collect_terms(builder, result), "map")));
}

void Formula::record(Call call, const void* f, std::size_t input_count, std::string_view name) {
  FormulaBuilder builder;
  std::vector<Scalar> inputs;
  for (std::size_t i = 0; i < input_count; ++i) {
    inputs.push_back(builder.add_input());
  }
  program_ = shared(builder.finish(call(f, inputs.data()), name));
}

namespace {

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

// Operators bind as in C++; everything else is written as a call.
struct Infix {
  std::string_view symbol;
  int precedence;
};

std::optional<Infix> infix(Opcode code) {
  switch (code) {
    case Opcode::multiply: return Infix{"*", 5};
    case Opcode::divide: return Infix{"/", 5};
    case Opcode::add: return Infix{"+", 4};
    case Opcode::subtract: return Infix{"-", 4};
    case Opcode::less: return Infix{"<", 3};
    case Opcode::less_equal: return Infix{"<=", 3};
    case Opcode::equal: return Infix{"==", 2};
    case Opcode::not_equal: return Infix{"!=", 2};
    default: return std::nullopt;
  }
}

struct Text {
  std::string text;
  int precedence = 9;
};

std::string within(const Text& operand, int precedence) {
  return operand.precedence < precedence ? fmt::format("({})", operand.text) : operand.text;
}

Text step_text(const Program::Step& step, const std::vector<Text>& values) {
  const Primitive& row = primitive(step.code);
  if (const auto symbol = infix(step.code)) {
    const int precedence = symbol->precedence;
    return {fmt::format("{} {} {}", within(values[step.a], precedence), symbol->symbol,
                        within(values[step.b], precedence + 1)),
            precedence};
  }
  if (step.code == Opcode::negative) {
    return {fmt::format("-{}", within(values[step.a], 8)), 7};
  }
  const std::string& a = values[step.a].text;
  switch (row.operand_count) {
    case 1: return {fmt::format("{}({})", row.name, a)};
    case 2: return {fmt::format("{}({}, {})", row.name, a, values[step.b].text)};
    default: return {fmt::format("{}({}, {}, {})", row.name, a, values[step.b].text, values[step.c].text)};
  }
}

}  // namespace

std::string to_string(const Formula& formula) {
  const Program& program = formula.program();
  std::vector<Text> values;
  std::string text = "(";
  for (std::size_t i = 0; i < program.input_count; ++i) {
    values.push_back({std::string(1, static_cast<char>('a' + i))});
    text += (i == 0 ? "" : ", ") + values.back().text;
  }
  text += ") -> ";
  for (const double constant : program.constants) {
    values.push_back({number_text(constant), constant < 0 ? 7 : 9});
  }
  std::vector<int> uses(values.size() + program.steps.size());
  for (const Program::Step& step : program.steps) {
    const int operands = primitive(step.code).operand_count;
    ++uses[step.a];
    uses[step.b] += operands > 1;
    uses[step.c] += operands > 2;
  }
  int named = 0;
  for (const Program::Step& step : program.steps) {
    Text value = step_text(step, values);
    if (uses[values.size()] > 1 && values.size() != program.result) {
      const std::string name = fmt::format("t{}", named++);
      text += fmt::format("{} = {}; ", name, value.text);
      value = {name};
    }
    values.push_back(std::move(value));
  }
  return text + values[program.result].text;
}

}  // namespace xgrad
