#include "autograd/formula/program.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>

#include "autograd/formula/primitives.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad {

bool operator==(const Program& a, const Program& b) {
  const auto same_bits = [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  };
  return a.input_count == b.input_count && a.floating_only == b.floating_only && a.steps == b.steps &&
         a.results == b.results &&
         std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(), same_bits);
}

std::span<const std::uint32_t> detail::operands_of(const Program::Step& step) {
  return std::span(step.operands).first(static_cast<std::size_t>(primitive(step.code).operand_count));
}

std::vector<bool> detail::needed_values(const Program& program) {
  std::vector<bool> needed(program.value_count());
  for (const std::uint32_t result : program.results) {
    needed[result] = true;
  }
  for (std::size_t i = program.steps.size(); i-- > 0;) {
    if (needed[program.first_step() + i]) {
      for (const std::uint32_t operand : operands_of(program.steps[i])) {
        needed[operand] = true;
      }
    }
  }
  return needed;
}

Program detail::pruned(const Program& program, std::vector<std::uint32_t>* used_inputs) {
  const std::vector<bool> needed = needed_values(program);
  Program result;
  result.floating_only = program.floating_only;
  std::vector<std::uint32_t> number(program.value_count());
  std::uint32_t next = 0;
  for (std::uint32_t value = 0; value < number.size(); ++value) {
    const bool kept_anyway = program.is_input(value) && used_inputs == nullptr;
    if (!needed[value] && !kept_anyway) {
      continue;
    }
    number[value] = next++;
    if (program.is_input(value)) {
      ++result.input_count;
      if (used_inputs != nullptr) {
        used_inputs->push_back(value);
      }
    } else if (!program.is_step(value)) {
      result.constants.push_back(program.constants[value - program.input_count]);
    } else {
      const Program::Step& step = program.steps[value - program.first_step()];
      const auto operands = operands_of(step);
      Program::Step& kept = result.steps.emplace_back(Program::Step{step.code});
      std::transform(operands.begin(), operands.end(), kept.operands.begin(),
                     [&](auto operand) { return number[operand]; });
    }
  }
  for (const std::uint32_t value : program.results) {
    result.results.push_back(number[value]);
  }
  return result;
}

namespace {

/// Constants and steps by their values, depth first, without recursion.
struct ProgramWalk {
  explicit ProgramWalk(const Program& of) : program(of), seen(of.value_count()) {
    for (const std::uint32_t result : program.results) {
      come_to(result);
      while (!path.empty()) {
        go_on();
      }
    }
  }

  void come_to(std::uint32_t value) {
    if (program.is_input(value) || seen[value]) {
      return;
    }
    seen[value] = true;
    if (program.is_step(value)) {
      path.push_back({value, 0});
    } else {
      constants.push_back(value);
    }
  }

  void go_on() {
    Visit& visit = path.back();
    const auto operands = detail::operands_of(program.steps[visit.value - program.first_step()]);
    if (visit.next_operand == operands.size()) {
      steps.push_back(visit.value);
      path.pop_back();
    } else {
      come_to(operands[visit.next_operand++]);
    }
  }

  struct Visit {
    std::uint32_t value;
    std::size_t next_operand;
  };

  const Program& program;
  std::vector<bool> seen;
  std::vector<Visit> path;
  std::vector<std::uint32_t> constants;
  std::vector<std::uint32_t> steps;
};

}  // namespace

Program detail::in_order_of_results(const Program& program) {
  const ProgramWalk walk(program);
  Program result{program.input_count, {}, {}, {}, program.floating_only};
  std::vector<std::uint32_t> number(program.value_count());
  const auto inputs = static_cast<std::uint32_t>(program.input_count);
  std::iota(number.begin(), number.begin() + inputs, 0U);
  std::uint32_t next = inputs;
  for (const std::uint32_t value : walk.constants) {
    number[value] = next++;
    result.constants.push_back(program.constants[value - program.input_count]);
  }
  const auto numbered = [&](std::uint32_t value) { return number[value]; };
  for (const std::uint32_t value : walk.steps) {
    number[value] = next++;
    const Program::Step& step = program.steps[value - program.first_step()];
    const auto operands = operands_of(step);
    Program::Step& kept = result.steps.emplace_back(Program::Step{step.code});
    std::transform(operands.begin(), operands.end(), kept.operands.begin(), numbered);
  }
  std::transform(program.results.begin(), program.results.end(), std::back_inserter(result.results), numbered);
  return result;
}

std::uint64_t detail::hash_of(const Program& program) {
  std::uint64_t hash = program.input_count;
  const auto add = [&](std::uint64_t value) { hash = runtime::combine_hashes(hash, value); };
  add(program.constants.size());
  for (const double constant : program.constants) {
    add(runtime::hash_number(constant));
  }
  add(program.steps.size());
  for (const Program::Step& step : program.steps) {
    add(runtime::hash_text(primitive(step.code).name));
    for (const std::uint32_t operand : operands_of(step)) {
      add(operand);
    }
  }
  for (const std::uint32_t result : program.results) {
    add(result);
  }
  if (program.floating_only) {
    add(1);
  }
  return hash;
}

}  // namespace xgrad
