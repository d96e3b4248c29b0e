#include "autograd/plan/report/formula_text.hpp"

#include <memory>
#include <vector>

#include "autograd/formula/builder.hpp"

namespace xgrad::plan {

namespace {

// The steps that \p result needs, renumbered; inputs and constants keep their numbers.
std::shared_ptr<const Program> program_of(const FusedFormula& formula, std::size_t input_count, std::uint16_t result) {
  const std::size_t first_step = input_count + formula.constants.size();
  std::vector<bool> needed(first_step + formula.steps.size());
  needed[result] = true;
  for (std::size_t i = formula.steps.size(); i-- > 0;) {
    if (needed[first_step + i]) {
      const Program::Step& step = formula.steps[i];
      const int operands = detail::primitive(step.code).operand_count;
      needed[step.a] = true;
      needed[operands > 1 ? step.b : step.a] = true;
      needed[operands > 2 ? step.c : step.a] = true;
    }
  }
  auto program = std::make_shared<Program>();
  program->input_count = input_count;
  program->constants = formula.constants;
  std::vector<std::uint16_t> number(needed.size());
  for (std::size_t i = 0; i < needed.size(); ++i) {
    if (i < first_step) {
      number[i] = static_cast<std::uint16_t>(i);
    } else if (needed[i]) {
      number[i] = static_cast<std::uint16_t>(first_step + program->steps.size());
      const Program::Step& step = formula.steps[i - first_step];
      program->steps.push_back({step.code, number[step.a], number[step.b], number[step.c]});
    }
  }
  program->result = number[result];
  return program;
}

}  // namespace

std::string formula_text(const FusedFormula& formula, std::size_t input_count) {
  std::string text;
  for (const std::uint16_t result : formula.results) {
    const std::string each = to_string(Formula(program_of(formula, input_count, result)));
    text += text.empty() ? each : " | " + each.substr(each.find(" -> ") + 4);
  }
  return text;
}

}  // namespace xgrad::plan
