#include "autograd/plan/passes/joined_formula.hpp"

#include <algorithm>
#include <iterator>

namespace xgrad::plan {

JoinedFormula::Number JoinedFormula::input(ValueId value) {
  const auto [entry, inserted] = known_inputs_.try_emplace(value);
  if (inserted) {
    entry->second = recorder_.add_input();
    inputs_.push_back(value);
  }
  return entry->second;
}

std::pair<FusedFormula, std::vector<ValueId>> JoinedFormula::finish(std::span<const Number> results,
                                                                    DType compute) const {
  std::vector<std::uint32_t> used;
  FusedFormula formula{recorder_.finish(results, &used), compute};
  std::vector<ValueId> values;
  std::transform(used.begin(), used.end(), std::back_inserter(values), [&](std::uint32_t i) { return inputs_[i]; });
  return {std::move(formula), std::move(values)};
}

}  // namespace xgrad::plan
