#include "autograd/formula/primal.hpp"

#include "autograd/formula/kinds.hpp"

namespace xgrad::detail {

using kernels::Opcode;

Primal::Primal(const Program& program, std::size_t seed_count)
    : program_(program), results_(program.value_count()), divides_(program.value_count()) {
  for (std::size_t i = 0; i < program.input_count; ++i) {
    values_.push_back(builder_.add_input());
  }
  // Truth values are computed again: as inputs of another program they might not be known for what they are.
  const std::vector<bool> truth = find_truth_values(program);
  for (const std::uint32_t result : program.results) {
    const Scalar output = builder_.add_input();
    if (program.is_step(result) && !truth[result]) {
      results_[result] = output;
    }
  }
  for (std::size_t i = 0; i < seed_count; ++i) {
    seeds_.push_back(builder_.add_input());
  }
  values_.insert(values_.end(), program.constants.begin(), program.constants.end());
  for (const Scalar& value : values_) {
    divisors_.push_back({value});
  }
  find_divisors();
}

void Primal::find_divisors() {
  for (std::size_t i = program_.steps.size(); i-- > 0;) {
    const auto& [code, operands] = program_.steps[i];
    if (code == Opcode::divide) {
      divides_[operands[1]] = true;
    } else if (divides_[program_.first_step() + i] && (code == Opcode::multiply || code == Opcode::negative)) {
      divides_[operands[0]] = true;
      divides_[operands[code == Opcode::multiply ? 1 : 0]] = true;
    }
  }
}

void Primal::record_step(std::size_t position) {
  const Program::Step& step = program_.steps[position];
  const auto [a, b, c] = step.operands;
  const auto& known = results_[values_.size()];
  const Scalar value = known ? *known : builder_.emit(step.code, values_[a], values_[b], values_[c]);
  divisors_.push_back(divides_[values_.size()] ? divisor_of(step, value) : Divisor{value});
  values_.push_back(value);
}

bool Primal::same_root(std::uint32_t a, std::uint32_t b) {
  return builder_.id_of(divisors_[a].root) == builder_.id_of(divisors_[b].root);
}

Divisor Primal::divisor_of(const Program::Step& step, Scalar value) {
  const auto [a, b, c] = step.operands;
  if (step.code == Opcode::negative) {
    return divisors_[a];
  }
  if (step.code != Opcode::multiply) {
    return {value};
  }
  if (is_constant(a) || is_constant(b)) {
    return divisors_[is_constant(a) ? b : a];
  }
  if (same_root(a, b)) {
    return {divisors_[a].root, true};
  }
  return {divisors_[a].root * divisors_[b].root, divisors_[a].repeats_factors || divisors_[b].repeats_factors};
}

}  // namespace xgrad::detail
