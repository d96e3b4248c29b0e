#include "autograd/formula/derivatives.hpp"

#include <array>

#include "autograd/formula/builder.hpp"
#include "autograd/formula/primitives.hpp"
#include "autograd/formula/simplification.hpp"

namespace xgrad::detail {

// Forward mode on the program, seeded with ct at one input: d y = ct * d y / d input. Where the program computes its
// own result again, the output y, which exists already, is used instead.
std::optional<PartialProgram> differentiate(const Program& program, std::size_t input) {
  FormulaBuilder builder;
  std::vector<Scalar> values;
  for (std::size_t i = 0; i < program.input_count; ++i) {
    values.push_back(builder.add_input());
  }
  const Scalar output = builder.add_input();
  const Scalar ct = builder.add_input();
  values.insert(values.end(), program.constants.begin(), program.constants.end());

  const std::uint32_t result = program.results[0];
  std::vector<std::optional<Scalar>> tangents(values.size());
  tangents[input] = ct;
  for (const Program::Step& step : program.steps) {
    const Primitive& row = primitive(step.code);
    const auto [first, second, third] = step.operands;
    const Scalar a = values[first];
    const Scalar b = values[second];
    const bool is_result = values.size() == result;
    const Scalar y = is_result ? output : builder.emit(step.code, a, b, values[third]);
    std::optional<Scalar> tangent;
    if (row.kind == PrimitiveKind::selection) {
      if (tangents[second] || tangents[third]) {
        tangent = where(a, tangents[second].value_or(0), tangents[third].value_or(0));
      }
    } else {
      if (row.partial_a != nullptr && tangents[first]) {
        tangent = builder.scale(*tangents[first], row.partial_a(a, b, y));
      }
      if (row.partial_b != nullptr && tangents[second]) {
        const Scalar term = builder.scale(*tangents[second], row.partial_b(a, b, y));
        tangent = tangent ? *tangent + term : term;
      }
    }
    values.push_back(y);
    tangents.push_back(tangent);
  }
  if (!tangents[result]) {
    return std::nullopt;
  }
  const std::array derivative{collect_terms(builder, *tangents[result])};
  if (builder.constant_of(derivative[0]) == 0.0) {
    return std::nullopt;
  }
  PartialProgram partial;
  partial.program = builder.finish(derivative, &partial.arguments);
  return partial;
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
  const std::array simplest{collect_terms(builder, result)};
  return builder.finish(simplest);
}

}  // namespace xgrad::detail
