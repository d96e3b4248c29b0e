#pragma once

#include <cstdint>
#include <string>

#include "autograd/graph/spec.hpp"

/// \file
/// What the elements of a tensor are like, in a few numbers. Not installed.

namespace xgrad::debug {

/// Of the finite elements, but for the counts.
struct ElementRange {
  std::int64_t finite = 0;    ///< how many are
  std::int64_t nan = 0;       ///< how many are NaN
  std::int64_t infinite = 0;  ///< how many are infinite
  double least = 0;           ///< 0 where there is none
  double most = 0;
  double nearest_zero = 0;  ///< the least absolute value
  double mean = 0;
  double deviation = 0;  ///< √ of the mean square of what they differ from the mean

  bool all_finite() const { return nan == 0 && infinite == 0; }
};

/// Of any dtype; truth values count as 0 and 1.
ElementRange range_of(const ConstView& view);

/// `from -1 to 2.5`, `3`, and what is not finite: `from -1 to 2.5, 1 NaN, 2 infinite`.
std::string text_of(const ElementRange& range);

/// `0.25`, `inf`, and `nan` whatever its sign.
std::string number_text(double number);

/// Where element number \p index of a tensor of shape \p shape is, per axis.
Shape position_of(std::int64_t index, const Shape& shape);

/// One element, converted.
double element_of(const ConstView& view, std::int64_t index);

}  // namespace xgrad::debug
