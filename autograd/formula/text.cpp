#include "autograd/formula/text.hpp"

#include <utility>

#include "autograd/formula/primitives.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

namespace {

struct Text {
  std::string text;
  int precedence = tightest;
};

std::string within(const Text& operand, int precedence) {
  return operand.precedence < precedence ? phrase("({})", operand.text) : operand.text;
}

// Operators bind as in C++; everything else is written as a call.
Text step_text(const Program::Step& step, const std::vector<Text>& values) {
  const Primitive& row = primitive(step.code);
  const auto operands = operands_of(step);
  if (row.symbol.empty()) {
    std::string list;
    for (const std::uint32_t operand : operands) {
      list += (list.empty() ? "" : ", ") + values[operand].text;
    }
    return {phrase("{}({})", row.name, list)};
  }
  const std::string last = within(values[operands.back()], row.precedence + 1);
  return {operands.size() == 1 ? phrase("{}{}", row.symbol, last)
                               : phrase("{} {} {}", within(values[operands[0]], row.precedence), row.symbol, last),
          row.precedence};
}

// A value is named where it is used again, and where its text would become so long that copying it takes time.
bool needs_name(const Text& value, int uses) {
  constexpr std::size_t longest = 10'000;
  return uses > 1 || value.text.size() > longest;
}

std::string result_text(const Program& program) {
  std::vector<Text> values;
  for (std::size_t i = 0; i < program.input_count; ++i) {
    values.push_back({input_name(i)});
  }
  for (const double constant : program.constants) {
    values.push_back(
        {phrase("{:.6g}", constant), constant < 0 ? primitive(kernels::Opcode::negative).precedence : tightest});
  }
  std::vector<int> uses(program.value_count());
  for (const Program::Step& step : program.steps) {
    for (const std::uint32_t operand : operands_of(step)) {
      ++uses[operand];
    }
  }
  std::string text;
  int named = 0;
  const std::uint32_t result = program.results[0];
  for (const Program::Step& step : program.steps) {
    Text value = step_text(step, values);
    if (needs_name(value, uses[values.size()]) && values.size() != result) {
      std::string name = phrase("t{}", named++);
      text += phrase("{} = {}; ", name, value.text);
      value = {std::move(name)};
    }
    values.push_back(std::move(value));
  }
  return text + values[result].text;
}

}  // namespace

std::string input_name(std::size_t i) {
  constexpr std::size_t letters = 26;
  return i < letters ? std::string(1, static_cast<char>('a' + i)) : phrase("x{}", i);
}

std::string to_string(const Program& program) {
  std::string text = "(";
  for (std::size_t i = 0; i < program.input_count; ++i) {
    text += (i == 0 ? "" : ", ") + input_name(i);
  }
  text += ") -> ";
  for (std::size_t i = 0; i < program.results.size(); ++i) {
    Program one = program;
    one.results = {program.results[i]};
    text += (i == 0 ? "" : " | ") + result_text(pruned(one));
  }
  return text;
}

}  // namespace xgrad::detail
