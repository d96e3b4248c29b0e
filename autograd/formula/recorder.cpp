#include "autograd/formula/recorder.hpp"

#include <algorithm>
#include <bit>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/hash.hpp"

namespace xgrad::detail {

namespace {

void require_room(std::size_t count, std::size_t most) {
  if (count >= most) {
    raise<ValueError>("formula", "more than a thousand million steps; split it into several formulas");
  }
}

}  // namespace

std::size_t ProgramRecorder::StepHash::operator()(const Program::Step& step) const {
  const auto [a, b, c] = step.operands;
  return runtime::mix_bits((std::uint64_t{a} << 32 | b) ^
                           (std::uint64_t{c} << 8 | static_cast<std::uint64_t>(step.code)) * 0x9E3779B97F4A7C15U);
}

ProgramRecorder::Value ProgramRecorder::add_input() {
  require_room(input_count_, first_constant);
  return input_count_++;
}

ProgramRecorder::Value ProgramRecorder::constant(double number) {
  const auto [entry, inserted] = known_constants_.try_emplace(std::bit_cast<std::uint64_t>(number));
  if (inserted) {
    require_room(constants_.size(), first_step - first_constant);
    entry->second = first_constant + static_cast<Value>(constants_.size());
    constants_.push_back(number);
  }
  return entry->second;
}

ProgramRecorder::Value ProgramRecorder::step(kernels::Opcode code, std::array<Value, 3> operands) {
  const auto [entry, inserted] = known_steps_.try_emplace({code, operands});
  if (inserted) {
    require_room(steps_.size(), ~first_step);
    entry->second = value_of_step(steps_.size());
    steps_.push_back(entry->first);
  }
  return entry->second;
}

void ProgramRecorder::reserve(std::size_t steps) {
  steps_.reserve(steps);
  known_steps_.reserve(steps);
}

std::vector<ProgramRecorder::Value> ProgramRecorder::replay(const Program& program, std::span<const Value> inputs) {
  std::vector<Value> values;
  replay(program, inputs, values);
  return values;
}

void ProgramRecorder::replay(const Program& program, std::span<const Value> inputs, std::vector<Value>& values) {
  values.assign(inputs.begin(), inputs.end());
  values.reserve(program.value_count());
  for (const double number : program.constants) {
    values.push_back(constant(number));
  }
  for (const Program::Step& each : program.steps) {
    const auto operands = operands_of(each);
    std::array<Value, 3> mapped{};
    std::transform(operands.begin(), operands.end(), mapped.begin(),
                   [&](std::uint32_t operand) { return values[operand]; });
    values.push_back(step(each.code, mapped));
  }
}

Program ProgramRecorder::finish(std::span<const Value> results, std::vector<std::uint32_t>* used_inputs) const {
  Program all{input_count_, constants_, steps_, {results.begin(), results.end()}};
  const auto number = [&](Value value) {
    const auto constants = static_cast<Value>(constants_.size());
    return is_input(value)      ? value
           : is_constant(value) ? input_count_ + (value - first_constant)
                                : input_count_ + constants + (value - first_step);
  };
  for (Program::Step& each : all.steps) {
    const std::size_t count = operands_of(each).size();
    std::transform(each.operands.begin(), each.operands.begin() + count, each.operands.begin(), number);
  }
  std::transform(all.results.begin(), all.results.end(), all.results.begin(), number);
  return pruned(all, used_inputs);
}

}  // namespace xgrad::detail
