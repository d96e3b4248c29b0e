#include "nn/inspect/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::inspect {

namespace {

// What elements are compared as: bfloat16 as the float32 that it is the upper half of.
template <class T>
using Compared = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;

// What elements are shown as.
template <class T>
using Shown = std::conditional_t<std::floating_point<Compared<T>>, Compared<T>, std::int64_t>;

template <class T>
Statistics statistics(const T* elements, std::int64_t count) {
  Statistics result;
  Shown<T> least = std::numeric_limits<Shown<T>>::max();
  Shown<T> greatest = std::numeric_limits<Shown<T>>::lowest();
  long double sum = 0;  // which holds every int64, and no sum of doubles is too large for it
  std::int64_t finite = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto element = static_cast<Shown<T>>(elements[i]);
    if constexpr (std::floating_point<Shown<T>>) {
      if (!std::isfinite(element)) {
        ++(std::isnan(element) ? result.nan : result.infinite);
        continue;
      }
    }
    least = std::min(least, element);
    greatest = std::max(greatest, element);
    sum += static_cast<long double>(element);
    ++finite;
  }
  if (finite > 0) {
    result.minimum = least;
    result.maximum = greatest;
    result.mean = static_cast<double>(sum / static_cast<long double>(finite));
  }
  return result;
}

template <std::floating_point T>
bool differ(T a, T b) {
  return !(a == b || (std::isnan(a) && std::isnan(b)));
}
template <std::integral T>
bool differ(T a, T b) {
  return a != b;
}

template <std::floating_point T>
double distance(T a, T b) {
  return std::abs(static_cast<double>(a) - static_cast<double>(b));
}
template <std::integral T>
std::uint64_t distance(T a, T b) {
  return static_cast<std::uint64_t>(std::max(a, b)) - static_cast<std::uint64_t>(std::min(a, b));
}

template <class T>
Difference difference(const T* a, const T* b, std::int64_t count) {
  Difference result;
  decltype(distance(Compared<T>{}, Compared<T>{})) greatest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Compared<T> x = a[i];
    const Compared<T> y = b[i];
    if (differ(x, y)) {
      ++result.elements;
      const auto found = distance(x, y);
      greatest = found > greatest || found != found ? found : greatest;  // NaN stays: nothing is greater
    }
  }
  result.greatest = greatest;
  return result;
}

}  // namespace

std::string to_string(const Number& number) {
  return std::visit([](auto value) { return phrase("{}", value); }, number);
}

Statistics statistics_of(const Array& array) {
  return dispatch(array.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return statistics(array.data<T>(), array.size());
  });
}

Difference difference_of(const Array& a, const Array& b) {
  return dispatch(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return difference(a.data<T>(), b.data<T>(), a.size());
  });
}

}  // namespace xgrad::inspect
