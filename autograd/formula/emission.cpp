#include "autograd/formula/emission.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace xgrad::detail {

namespace {

Scalar power(Scalar x, int exponent) {
  if (exponent == 1) {
    return x;
  }
  const Scalar root = power(x, exponent / 2);
  return exponent % 2 == 0 ? root * root : root * root * x;
}

/// The largest power above the line, for the sign 1, or below it.
Powers::iterator find_largest(Powers& product, int sign) {
  auto best = product.end();
  for (auto each = product.begin(); each != product.end(); ++each) {
    const bool better = best == product.end() || std::abs(each->exponent) > std::abs(best->exponent);
    best = sign * each->exponent > 0 && better ? each : best;
  }
  return best;
}

}  // namespace

// size · product
Scalar Emitter::emit(Powers product, double size) {
  work_ += product.size();
  std::optional<Scalar> result;
  const auto multiply_by = [&](Scalar x) { result = result ? *result * x : x; };
  if (size != 1) {
    multiply_by(size);
  }
  for (;;) {
    const auto up = find_largest(product, 1);
    const auto down = find_largest(product, -1);
    if (up == product.end() || down == product.end()) {
      break;
    }
    const int common = std::min(up->exponent, -down->exponent);
    multiply_by(power(builder_.value(up->value) / builder_.value(down->value), common));
    up->exponent -= common;
    down->exponent += common;
    std::erase_if(product, [](const Power& each) { return each.exponent == 0; });
  }
  for (const auto& [value, exponent] : product) {
    const Scalar each = power(builder_.value(value), std::abs(exponent));
    result = exponent > 0 ? (result ? *result * each : each) : result.value_or(1) / each;
  }
  return result.value_or(1);
}

std::uint64_t Emitter::inputs_behind(ProgramRecorder::Value value) {
  const auto of = [&](ProgramRecorder::Value known) {
    return ProgramRecorder::is_input(known)      ? std::uint64_t{1} << std::min<ProgramRecorder::Value>(known, 63)
           : ProgramRecorder::is_constant(known) ? 0
                                                 : inputs_behind_[ProgramRecorder::position_of(known)];
  };
  while (ProgramRecorder::is_step(value) && inputs_behind_.size() <= ProgramRecorder::position_of(value)) {
    std::uint64_t inputs = 0;
    for (const ProgramRecorder::Value operand : operands_of(builder_.recorded().step_at(inputs_behind_.size()))) {
      inputs |= of(operand);
    }
    inputs_behind_.push_back(inputs);
  }
  return of(value);
}

// Factors that are in all terms and in nothing else, such as cotangents: inputs in which the sum is linear.
Products::Number Emitter::common_inputs(const Terms& terms) {
  const auto is_linear = [&](const Power& input) {
    return std::all_of(terms.begin(), terms.end(), [&](const Term& term) {
      const Powers& powers = products_[term.product];
      return std::all_of(powers.begin(), powers.end(), [&](const Power& each) {
        return each.value == input.value ? each == input
                                         : (inputs_behind(each.value) & inputs_behind(input.value)) == 0;
      });
    });
  };
  Products::Number inputs = Products::one;
  for (const Power& power : Powers(products_[common_factors(products_, terms)])) {
    if (power.exponent == 1 && ProgramRecorder::is_input(power.value) && is_linear(power)) {
      inputs = products_.times(inputs, products_.of(power.value));
    }
  }
  return inputs;
}

Scalar Emitter::emit(Terms terms) {
  if (terms.empty()) {
    return 0;
  }
  work_ += 4 * terms.size();
  const Products::Number common = terms.size() > 1 ? common_inputs(terms) : Products::one;
  std::sort(terms.begin(), terms.end(), [&](const Term& a, const Term& b) { return products_.in_order(a, b); });
  const auto first = std::find_if(terms.begin(), terms.end(), [](const Term& each) { return !each.negative; });
  const bool all_negative = first == terms.end();
  const auto start = all_negative ? terms.begin() : first;
  const auto inside = [&](const Term& each) {
    return emit(products_[products_.without(each.product, common)], each.size);
  };
  Scalar total = inside(*start);
  for (auto each = terms.begin(); each != terms.end(); ++each) {
    if (each != start) {
      const Scalar term = inside(*each);
      total = each->negative == all_negative ? total + term : total - term;
    }
  }
  if (common != Products::one) {
    total = emit(products_[common], 1) * total;
  }
  return all_negative ? -total : total;
}

}  // namespace xgrad::detail
