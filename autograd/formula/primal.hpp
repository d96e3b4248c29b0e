#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "autograd/formula/builder.hpp"

/// \file
/// The values of a program, while its derivatives are built.

namespace xgrad::detail {

/// What p is as a divisor. Its root has each factor once; where a factor is there again, the logarithmic derivative
///
///     dp / p = d(q q) / (q q) = 2 dq / q
///
/// is taken from the root: 2 q dq / (q q) would be 0 · inf where q is 0, and inf / inf where it is infinite.
struct Divisor {
  Scalar root;
  bool repeats_factors = false;
};

/// A program inside of a builder, recorded step by step. Its results exist already: where a step would compute one again, the
/// value is taken from there.
class Primal {
 public:
  /// \param seed_count how many cotangents or tangents there are.
  Primal(const Program& program, std::size_t seed_count);

  void record_step(std::size_t position);

  FormulaBuilder& builder() { return builder_; }
  Scalar operator[](std::uint32_t value) const { return values_[value]; }
  Scalar seed(std::size_t i) const { return seeds_[i]; }

  /// Whether a value divides, or is a factor of what divides.
  bool divides(std::uint32_t value) const { return divides_[value]; }
  const Divisor& divisor(std::uint32_t value) const { return divisors_[value]; }
  bool is_constant(std::uint32_t value) const { return !program_.is_input(value) && !program_.is_step(value); }
  bool same_root(std::uint32_t a, std::uint32_t b);

 private:
  void find_divisors();
  Divisor divisor_of(const Program::Step& step, Scalar value);

  const Program& program_;
  FormulaBuilder builder_;
  std::vector<Scalar> values_;
  std::vector<Scalar> seeds_;
  std::vector<std::optional<Scalar>> results_;  // per value: where it is a result
  std::vector<bool> divides_;
  std::vector<Divisor> divisors_;
};

}  // namespace xgrad::detail
