#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "autograd/array/array.hpp"

/// \file
/// Numbers that sum up the elements of an array, or what is different in another.

namespace xgrad::inspect {

/// A number as exact as the elements are.
using Number = std::variant<std::int64_t, std::uint64_t, float, double>;

/// With as many digits as give it back.
std::string to_string(const Number& number);

/// Least, greatest and mean are of the finite elements; there may be none.
struct Statistics {
  std::optional<Number> minimum;
  std::optional<Number> maximum;
  std::optional<double> mean;
  std::int64_t nan = 0;
  std::int64_t infinite = 0;
};

Statistics statistics_of(const Array& array);

/// What is different between arrays of one shape and dtype. NaN equals NaN, and 0 equals -0.
struct Difference {
  std::int64_t elements = 0;  ///< how many differ
  Number greatest = 0.0;      ///< absolute difference; NaN where only one of two elements is
};

Difference difference_of(const Array& a, const Array& b);

}  // namespace xgrad::inspect
