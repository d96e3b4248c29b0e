#include "autograd/plan/passes/joined_formula.hpp"

#include <bit>

#include "autograd/formula/builder.hpp"

namespace xgrad::plan {

JoinedFormula::Number JoinedFormula::append(const Item& item) {
  items_.push_back(item);
  return static_cast<Number>(items_.size() - 1);
}

JoinedFormula::Number JoinedFormula::input(ValueId value) {
  const auto [entry, inserted] = inputs_.try_emplace(value);
  if (inserted) {
    entry->second = append({.kind = Kind::input, .value = value});
  }
  return entry->second;
}

JoinedFormula::Number JoinedFormula::constant(double value) {
  const auto [entry, inserted] = constants_.try_emplace(std::bit_cast<std::uint64_t>(value));
  if (inserted) {
    entry->second = append({.kind = Kind::constant, .constant = value});
  }
  return entry->second;
}

std::vector<JoinedFormula::Number> JoinedFormula::add(const FusedFormula& formula, std::span<const Number> inputs) {
  std::vector<Number> numbers(inputs.begin(), inputs.end());
  for (const double value : formula.constants) {
    numbers.push_back(constant(value));
  }
  for (const Program::Step& step : formula.steps) {
    const int operands = detail::primitive(step.code).operand_count;
    Item item{.kind = Kind::step, .code = step.code, .a = numbers[step.a]};
    item.b = operands > 1 ? numbers[step.b] : item.a;
    item.c = operands > 2 ? numbers[step.c] : item.a;
    const auto [entry, inserted] = steps_.try_emplace({item.code, item.a, item.b, item.c});
    if (inserted) {
      entry->second = append(item);
    }
    numbers.push_back(entry->second);
  }
  return numbers;
}

std::pair<FusedFormula, std::vector<ValueId>> JoinedFormula::finish(std::span<const Number> results,
                                                                    DType compute) const {
  std::vector<bool> needed(items_.size());
  for (const Number result : results) {
    needed[result] = true;
  }
  for (std::size_t i = items_.size(); i-- > 0;) {
    if (needed[i] && items_[i].kind == Kind::step) {
      needed[items_[i].a] = needed[items_[i].b] = needed[items_[i].c] = true;
    }
  }
  FusedFormula formula;
  formula.compute = compute;
  std::vector<ValueId> values;
  std::vector<std::uint16_t> number(items_.size());
  std::uint16_t next = 0;
  for (const Kind kind : {Kind::input, Kind::constant, Kind::step}) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (!needed[i] || item.kind != kind) {
        continue;
      }
      number[i] = next++;
      if (kind == Kind::input) {
        values.push_back(item.value);
      } else if (kind == Kind::constant) {
        formula.constants.push_back(item.constant);
      } else {
        formula.steps.push_back({item.code, number[item.a], number[item.b], number[item.c]});
      }
    }
  }
  for (const Number result : results) {
    formula.results.push_back(number[result]);
  }
  return {formula, values};
}

}  // namespace xgrad::plan
