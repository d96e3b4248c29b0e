#include "autograd/provenance/primitive.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/formula/code.hpp"
#include "autograd/formula/primitives.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/element_range.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::provenance {

namespace {

using kernels::Opcode;

// All values of the program, by the kernels' own arithmetic: the same bits as in a map.
template <class T>
std::vector<double> all_values(const Program& program, const std::vector<double>& inputs) {
  Program open = program;
  open.results.clear();
  for (std::size_t value = program.first_step(); value < program.value_count(); ++value) {
    open.results.push_back(static_cast<std::uint32_t>(value));
  }
  const detail::ScalarCode code = detail::assemble_scalars(open);
  std::vector<T> registers(std::max<std::size_t>(1, code.register_count));
  std::vector<double> values(inputs);
  values.insert(values.end(), program.constants.begin(), program.constants.end());
  for (std::size_t i = 0; i < values.size(); ++i) {
    registers[i] = static_cast<T>(values[i]);
  }
  kernels::run_scalars(dtype_of<T>(), code.code.data(), code.code.size(), registers.data());
  for (const auto result : code.result_registers) {
    values.push_back(static_cast<double>(registers[result]));
  }
  return values;
}

// What of the operands decides: of a choice, the one that is chosen.
std::vector<std::uint32_t> deciding_operands(const Program::Step& step, const std::vector<double>& values) {
  const auto operands = detail::operands_of(step);
  if (step.code == Opcode::where) {
    return {operands[values[operands[0]] != 0 ? 1 : 2]};
  }
  return {operands.begin(), operands.end()};
}

Primitive primitive_of(const Program::Step& step, const std::vector<double>& values, double result) {
  Primitive primitive{step.code, {}, result};
  for (const std::uint32_t operand : detail::operands_of(step)) {
    primitive.operands.push_back(values[operand]);
  }
  return primitive;
}

// How far a number is from 1, in powers of ten; 0 is furthest.
double extremity(double x) { return x == 0 ? 1e3 : std::fabs(std::log10(std::fabs(x))); }

// The input from which the strangest operand comes.
std::optional<std::uint32_t> worst_input(const Program& program, const std::vector<double>& values,
                                         std::uint32_t value) {
  while (program.is_step(value)) {
    const std::vector<std::uint32_t> operands = deciding_operands(program.steps[value - program.first_step()], values);
    value = *std::max_element(operands.begin(), operands.end(), [&](std::uint32_t a, std::uint32_t b) {
      const bool constant_a = !program.is_step(a) && !program.is_input(a);
      const bool constant_b = !program.is_step(b) && !program.is_input(b);
      return constant_a != constant_b ? constant_a : extremity(values[a]) < extremity(values[b]);
    });
  }
  return program.is_input(value) ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string text_of(const Primitive& primitive) {
  const detail::Primitive& row = detail::primitive(primitive.code);
  std::string text;
  for (std::size_t i = 0; i < primitive.operands.size(); ++i) {
    const double x = primitive.operands[i];
    const bool in_braces = !row.symbol.empty() && i > 0 && x < 0;
    const std::string number = in_braces ? phrase("({})", debug::number_text(x)) : debug::number_text(x);
    const std::string between = row.symbol.empty() ? ", " : phrase(" {} ", row.symbol);
    text += (i == 0 ? "" : between) + number;
  }
  if (row.symbol.empty()) {
    text = phrase("{}({})", row.name, text);
  } else if (primitive.operands.size() == 1) {
    text = phrase("{}{}", row.symbol, text);
  }
  return phrase("{} is {}", text, debug::number_text(primitive.result));
}

ProgramSource trace_program(const Program& program, DType dtype, const std::vector<double>& inputs,
                            std::size_t result) {
  const std::vector<double> values =
      dispatch_floating(dtype, [&](auto zero) { return all_values<decltype(zero)>(program, inputs); });
  ProgramSource source;
  std::uint32_t value = program.results[result];
  while (!std::isfinite(values[value])) {
    if (!program.is_step(value)) {
      if (program.is_input(value)) {
        source.input = value;
      }
      source.is_constant = !program.is_input(value);
      return source;
    }
    const Program::Step& step = program.steps[value - program.first_step()];
    std::vector<std::uint32_t> bad = deciding_operands(step, values);
    std::erase_if(bad, [&](std::uint32_t operand) { return std::isfinite(values[operand]); });
    if (bad.empty()) {
      source.birth = primitive_of(step, values, values[value]);
      source.worst = worst_input(program, values, value);
      return source;
    }
    const auto nan = std::find_if(bad.begin(), bad.end(), [&](std::uint32_t v) { return std::isnan(values[v]); });
    if (std::isnan(values[value]) && nan == bad.end()) {
      source.turn = primitive_of(step, values, values[value]);
    }
    value = nan == bad.end() ? bad.front() : *nan;
  }
  return {};
}

}  // namespace xgrad::provenance
