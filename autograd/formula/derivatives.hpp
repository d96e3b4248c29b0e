#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "autograd/formula/program.hpp"

/// \file
/// Derivatives of programs, which are programs again.

namespace xgrad::detail {

/// One derivative of a program with one result: `ct * d result / d input`.
struct PartialProgram {
  Program program;
  /// What its inputs are: i < n is the i-th input of the program, n is its result, n + 1 is ct.
  std::vector<std::uint32_t> arguments;
};

/// Nothing where the derivative is zero everywhere.
std::optional<PartialProgram> differentiate(const Program& program, std::size_t input);

/// A program of \p count inputs: \p outer, whose last input is the result of \p inner. The positions say which of the inputs
/// are those of each. Both have one result.
Program composed(const Program& outer, std::span<const std::uint32_t> outer_positions, const Program& inner,
                 std::span<const std::uint32_t> inner_positions, std::size_t count);

}  // namespace xgrad::detail
