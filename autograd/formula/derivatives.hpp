#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "autograd/formula/program.hpp"

/// \file
/// Derivatives of programs, which are programs again.

namespace xgrad::detail {

/// One derivative of a program with n inputs and one result. Its inputs are some of what is called arguments: i < n is the
/// i-th input of the program, n the result, n + 1 the cotangent or tangent.
struct PartialProgram {
  Program program;
  std::vector<std::uint32_t> arguments;  ///< what its inputs are
  bool simplified;                       ///< is as short as algebra makes it
};

/// `ct * d result / d input`, in forward mode; nothing where it is zero everywhere.
/// \param simplify where that does not take too long; else the derivative is what the chain rule says.
std::optional<PartialProgram> differentiate(const Program& program, std::size_t input, bool simplify = true);

/// Derivatives of a program with n inputs and r results, computed together. Of its arguments, i < n is the i-th input of the
/// program, n + k the k-th result, n + r + j the j-th cotangent or tangent.
struct DerivativeProgram {
  /// Where a derivative is found.
  struct Place {
    enum class Kind : std::uint8_t {
      zero,      ///< nowhere: it is zero everywhere
      result,    ///< among the results of the program
      argument,  ///< it is one of the arguments
    };
    Kind kind = Kind::zero;
    std::uint32_t number = 0;
  };

  Program program;
  std::vector<std::uint32_t> arguments;  ///< what its inputs are
  std::vector<Place> places;             ///< per derivative
};

/// In reverse mode, the cotangents of the inputs from those of the results. Those that are not \p given or not \p wanted
/// count as zero.
DerivativeProgram pull_back(const Program& program, const std::vector<bool>& given, const std::vector<bool>& wanted);

/// In forward mode, the tangents of the results from those of the inputs. Those that are not \p given count as zero.
DerivativeProgram push_forward(const Program& program, const std::vector<bool>& given);

/// A program of \p count inputs: \p outer, whose last input is the result of \p inner. The positions say which of the inputs
/// are those of each. Both have one result.
Program composed(const Program& outer, std::span<const std::uint32_t> outer_positions, const Program& inner,
                 std::span<const std::uint32_t> inner_positions, std::size_t count);

}  // namespace xgrad::detail
