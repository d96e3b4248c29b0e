#include "autograd/formula/derivatives.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "autograd/formula/primal.hpp"
#include "autograd/formula/primitives.hpp"
#include "autograd/formula/simplification.hpp"

namespace xgrad::detail {

using kernels::Opcode;

namespace {

/// A cotangent or tangent; nothing where it is 0.
using OptionalScalar = std::optional<Scalar>;
/// Per value of a program.
using OptionalScalars = std::vector<OptionalScalar>;

void add(OptionalScalar& sum, const OptionalScalar& term) {
  if (term) {
    sum = sum ? *sum + *term : *term;
  }
}

/// factor * partial. The branch of a `where` that a primitive does not take gives exactly 0, but not what is multiplied by a 0
/// that the formula has selected itself.
Scalar scaled(Primal& primal, const Program::Step& step, Scalar factor, Scalar partial) {
  FormulaBuilder& builder = primal.builder();
  return step.code == Opcode::multiply ? builder.multiply(factor, partial) : builder.scale(factor, partial);
}

/// - a / b / root: of a / b by the numerator of the logarithmic derivative of b.
Scalar partial_of_divisor(Scalar a, Scalar b, const Divisor& divisor) { return -(a / b) / divisor.root; }

bool divides_by_repeated_factors(const Program::Step& step, const Primal& primal) {
  return step.code == Opcode::divide && primal.divisor(step.operands[1]).repeats_factors;
}

/// Beside each value its tangent, and the numerator of dp / p where a divisor repeats factors.
class ForwardMode {
 public:
  ForwardMode(const Program& program, Primal& primal, OptionalScalars tangents)
      : program_(program), primal_(primal), tangents_(std::move(tangents)), numerators_(tangents_) {
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
      primal_.record_step(i);
      const auto value = static_cast<std::uint32_t>(tangents_.size());
      const OptionalScalar tangent = tangent_of(program.steps[i], value);
      tangents_.push_back(tangent);
      numerators_.push_back(primal_.divides(value) && tangent ? numerator_of(program.steps[i], tangent) : tangent);
    }
  }

  const OptionalScalar& of_result(std::size_t k) const { return tangents_[program_.results[k]]; }

 private:
  OptionalScalar tangent_of(const Program::Step& step, std::uint32_t value) {
    const Primitive& row = primitive(step.code);
    const auto [first, second, third] = step.operands;
    const Scalar a = primal_[first];
    const Scalar b = primal_[second];
    const Scalar y = primal_[value];
    OptionalScalar tangent;
    if (row.kind == PrimitiveKind::selection) {
      if (tangents_[second] || tangents_[third]) {
        tangent = where(a, tangents_[second].value_or(0), tangents_[third].value_or(0));
      }
      return tangent;
    }
    if (row.partial_a != nullptr && tangents_[first]) {
      tangent = scaled(primal_, step, *tangents_[first], row.partial_a(a, b, y));
    }
    if (row.partial_b != nullptr && tangents_[second]) {
      add(tangent, divides_by_repeated_factors(step, primal_)
                       ? scaled(primal_, step, *numerators_[second], partial_of_divisor(a, b, primal_.divisor(second)))
                       : scaled(primal_, step, *tangents_[second], row.partial_b(a, b, y)));
    }
    return tangent;
  }

  OptionalScalar numerator_of(const Program::Step& step, const OptionalScalar& tangent) {
    const auto [a, b, c] = step.operands;
    if (step.code == Opcode::negative) {
      return numerators_[a];
    }
    if (step.code != Opcode::multiply) {
      return tangent;
    }
    if (primal_.is_constant(a) || primal_.is_constant(b)) {
      return numerators_[primal_.is_constant(a) ? b : a];
    }
    if (a == b) {
      return 2 * *numerators_[a];
    }
    const bool same_root = primal_.same_root(a, b);
    OptionalScalar sum;
    for (const auto& [p, other] : {std::pair(a, b), std::pair(b, a)}) {
      if (const OptionalScalar& numerator = numerators_[p]) {
        add(sum, same_root ? *numerator : primal_.builder().multiply(*numerator, primal_.divisor(other).root));
      }
    }
    return sum;
  }

  const Program& program_;
  Primal& primal_;
  OptionalScalars tangents_;
  OptionalScalars numerators_;
};

/// Back from the results, a cotangent for each value that depends on a wanted input; and one of the numerator of dp / p
/// where a divisor repeats factors.
class ReverseMode {
 public:
  ReverseMode(const Program& program, Primal& primal, OptionalScalars cotangents, const std::vector<bool>& wanted)
      : program_(program),
        primal_(primal),
        cotangents_(std::move(cotangents)),
        of_numerators_(program.value_count()),
        carries_(program.value_count()) {
    std::copy(wanted.begin(), wanted.end(), carries_.begin());
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
      carries_[program.first_step() + i] = find_carries(program.steps[i]);
    }
    for (auto value = static_cast<std::uint32_t>(program.value_count()); value-- > 0;) {
      if (carries_[value]) {
        give_numerator_back(value);
        if (program.is_step(value) && cotangents_[value]) {
          give_cotangent_back(program.steps[value - program.first_step()], value);
        }
      }
    }
  }

  const OptionalScalar& of_input(std::size_t i) const { return cotangents_[i]; }

 private:
  bool find_carries(const Program::Step& step) const {
    const Primitive& row = primitive(step.code);
    const auto [a, b, c] = step.operands;
    if (row.kind == PrimitiveKind::selection) {
      return carries_[b] || carries_[c];
    }
    return (row.partial_a != nullptr && carries_[a]) || (row.partial_b != nullptr && carries_[b]);
  }

  void give_cotangent_back(const Program::Step& step, std::uint32_t value) {
    const Primitive& row = primitive(step.code);
    const auto [first, second, third] = step.operands;
    const Scalar ct = *cotangents_[value];
    const Scalar a = primal_[first];
    const Scalar b = primal_[second];
    const Scalar y = primal_[value];
    if (row.kind == PrimitiveKind::selection) {
      if (carries_[second]) {
        add(cotangents_[second], where(a, ct, 0));
      }
      if (carries_[third]) {
        add(cotangents_[third], where(a, 0, ct));
      }
      return;
    }
    if (row.partial_a != nullptr && carries_[first]) {
      add(cotangents_[first], scaled(primal_, step, ct, row.partial_a(a, b, y)));
    }
    if (row.partial_b != nullptr && carries_[second]) {
      if (divides_by_repeated_factors(step, primal_)) {
        add(of_numerators_[second], scaled(primal_, step, ct, partial_of_divisor(a, b, primal_.divisor(second))));
      } else {
        add(cotangents_[second], scaled(primal_, step, ct, row.partial_b(a, b, y)));
      }
    }
  }

  // The transpose of ForwardMode::numerator_of.
  void give_numerator_back(std::uint32_t value) {
    const OptionalScalar ct = of_numerators_[value];
    if (!ct) {
      return;
    }
    const Program::Step* step = program_.is_step(value) ? &program_.steps[value - program_.first_step()] : nullptr;
    if (step == nullptr || (step->code != Opcode::multiply && step->code != Opcode::negative)) {
      return add(cotangents_[value], ct);
    }
    const auto [a, b, c] = step->operands;
    if (step->code == Opcode::negative || primal_.is_constant(b)) {
      return add(of_numerators_[a], ct);
    }
    if (primal_.is_constant(a)) {
      return add(of_numerators_[b], ct);
    }
    if (a == b) {
      return add(of_numerators_[a], 2 * *ct);
    }
    const bool same_root = primal_.same_root(a, b);
    for (const auto& [p, other] : {std::pair(a, b), std::pair(b, a)}) {
      if (carries_[p]) {
        add(of_numerators_[p], same_root ? *ct : primal_.builder().multiply(*ct, primal_.divisor(other).root));
      }
    }
  }

  const Program& program_;
  Primal& primal_;
  OptionalScalars cotangents_;
  OptionalScalars of_numerators_;
  std::vector<bool> carries_;
};

DerivativeProgram finish(FormulaBuilder& builder, const OptionalScalars& derivatives) {
  using Kind = DerivativeProgram::Place::Kind;
  DerivativeProgram result;
  std::vector<Scalar> computed;
  for (const OptionalScalar& each : derivatives) {
    if (!each || builder.constant_of(*each) == 0.0) {
      result.places.push_back({});
    } else if (const ProgramRecorder::Value id = builder.id_of(*each); ProgramRecorder::is_input(id)) {
      result.places.push_back({Kind::argument, id});
    } else {
      result.places.push_back({Kind::result, static_cast<std::uint32_t>(computed.size())});
      computed.push_back(*each);
    }
  }
  result.program = builder.finish(computed, &result.arguments);
  return result;
}

}  // namespace

std::optional<PartialProgram> differentiate(const Program& program, std::size_t input, bool simplify) {
  Primal primal(program, 1);
  OptionalScalars tangents(program.first_step());
  tangents[input] = primal.seed(0);
  const OptionalScalar plain = ForwardMode(program, primal, std::move(tangents)).of_result(0);
  if (!plain) {
    return std::nullopt;
  }
  const OptionalScalar simple = simplify ? collect_terms(primal.builder(), *plain) : std::nullopt;
  const std::array best{simple.value_or(*plain)};
  if (primal.builder().constant_of(best[0]) == 0.0) {
    return std::nullopt;
  }
  PartialProgram partial{{}, {}, simple.has_value()};
  partial.program = primal.builder().finish(best, &partial.arguments);
  return partial;
}

DerivativeProgram pull_back(const Program& program, const std::vector<bool>& given, const std::vector<bool>& wanted) {
  Primal primal(program, program.results.size());
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    primal.record_step(i);
  }
  OptionalScalars cotangents(program.value_count());
  for (std::size_t k = 0; k < given.size(); ++k) {
    if (given[k]) {
      add(cotangents[program.results[k]], primal.seed(k));
    }
  }
  const ReverseMode reverse(program, primal, std::move(cotangents), wanted);
  OptionalScalars derivatives;
  for (std::size_t i = 0; i < program.input_count; ++i) {
    derivatives.push_back(wanted[i] ? reverse.of_input(i) : std::nullopt);
  }
  return finish(primal.builder(), derivatives);
}

DerivativeProgram push_forward(const Program& program, const std::vector<bool>& given) {
  Primal primal(program, program.input_count);
  OptionalScalars tangents(program.first_step());
  for (std::size_t i = 0; i < given.size(); ++i) {
    tangents[i] = given[i] ? OptionalScalar(primal.seed(i)) : std::nullopt;
  }
  const ForwardMode forward(program, primal, std::move(tangents));
  OptionalScalars derivatives;
  for (std::size_t k = 0; k < program.results.size(); ++k) {
    derivatives.push_back(forward.of_result(k));
  }
  return finish(primal.builder(), derivatives);
}

Program composed(const Program& outer, std::span<const std::uint32_t> outer_positions, const Program& inner,
                 std::span<const std::uint32_t> inner_positions, std::size_t count) {
  FormulaBuilder builder;
  std::vector<Scalar> operands;
  for (std::size_t i = 0; i < count; ++i) {
    operands.push_back(builder.add_input());
  }
  const auto at = [&](std::span<const std::uint32_t> positions) {
    std::vector<Scalar> values;
    for (const std::uint32_t position : positions) {
      values.push_back(operands[position]);
    }
    return values;
  };
  std::vector<Scalar> outer_operands = at(outer_positions);
  outer_operands.push_back(builder.replay(inner, at(inner_positions))[inner.results[0]]);
  const Scalar result = builder.replay(outer, outer_operands)[outer.results[0]];
  const std::array best{collect_terms(builder, result).value_or(result)};
  return builder.finish(best);
}

}  // namespace xgrad::detail
