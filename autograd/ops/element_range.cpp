#include "autograd/ops/element_range.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::debug {

namespace {

template <class T>
ElementRange range_of_elements(const T* elements, std::int64_t count) {
  ElementRange range;
  double scaled = 0;  // the mean, found term by term: a sum might overflow
  double squares = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto x = static_cast<double>(elements[i]);
    if (!std::isfinite(x)) {
      ++(std::isnan(x) ? range.nan : range.infinite);
      continue;
    }
    const bool first = range.finite++ == 0;
    range.least = first ? x : std::min(range.least, x);
    range.most = first ? x : std::max(range.most, x);
    range.nearest_zero = first ? std::fabs(x) : std::min(range.nearest_zero, std::fabs(x));
    const double before = x - scaled;
    scaled += before / static_cast<double>(range.finite);
    squares += before * (x - scaled);
  }
  range.mean = scaled;
  range.deviation = range.finite == 0 ? 0 : std::sqrt(squares / static_cast<double>(range.finite));
  return range;
}

}  // namespace

ElementRange range_of(const ConstView& view) {
  return dispatch(view.dtype(), [&](auto zero) {
    return range_of_elements(static_cast<const decltype(zero)*>(view.data), view.size());
  });
}

std::string text_of(const ElementRange& range) {
  std::string text;
  if (range.finite > 0) {
    text = range.least == range.most ? number_text(range.least)
                                     : phrase("from {} to {}", number_text(range.least), number_text(range.most));
  }
  for (const auto& [count, what] : {std::pair(range.nan, "NaN"), std::pair(range.infinite, "infinite")}) {
    if (count > 0) {
      text += phrase("{}{} {}", text.empty() ? "" : ", ", count, what);
    }
  }
  return text.empty() ? "no elements" : text;
}

std::string number_text(double number) { return std::isnan(number) ? "nan" : phrase("{:.6g}", number); }

Shape position_of(std::int64_t index, const Shape& shape) {
  Shape position = shape;
  for (std::size_t axis = shape.ndim(); axis-- > 0;) {
    position[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return position;
}

double element_of(const ConstView& view, std::int64_t index) {
  return dispatch(view.dtype(),
                  [&](auto zero) { return static_cast<double>(static_cast<const decltype(zero)*>(view.data)[index]); });
}

}  // namespace xgrad::debug
