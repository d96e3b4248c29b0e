#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/runtime/workers.hpp"

/// \file
/// √Σ x². Squares of floats that are too large or too small are added up once more as doubles, where none are; those of
/// doubles after dividing the elements by the largest one's power of two.

namespace xgrad::kernels {

namespace {

constexpr std::int64_t part_elements = 32 * 1024;

/// The sum of squares of \p n elements, added up as \p Wide in runs, and those as doubles.
template <class Wide, class T>
double squares(const T* x, std::int64_t n) {
  constexpr std::int64_t run = 1024;
  if (n > run) {
    const std::int64_t left = divide_up(n, 2 * run) * run;
    return squares<Wide>(x, left) + squares<Wide>(x + left, n - left);
  }
  constexpr std::int64_t width = 32;
  Wide sums[width] = {};
  std::int64_t i = 0;
  for (; i + width <= n; i += width) {
    for (std::int64_t k = 0; k < width; ++k) {
      const auto each = static_cast<Wide>(x[i + k]);
      sums[k] += each * each;
    }
  }
  for (std::int64_t k = 0; i < n; ++i, ++k) {
    const auto each = static_cast<Wide>(x[i]);
    sums[k] += each * each;
  }
  for (std::int64_t half = width / 2; half > 0; half /= 2) {
    for (std::int64_t k = 0; k < half; ++k) {
      sums[k] += sums[k + half];
    }
  }
  return static_cast<double>(sums[0]);
}

/// Whether squares of floats that were rounded to 0 do not matter to a sum of \p n, and none is too large.
bool is_ample(double sum, std::int64_t n) {
  return sum > 1e-30 * static_cast<double>(n) && sum <= static_cast<double>(std::numeric_limits<float>::max());
}

/// The same, as doubles where floats are not enough.
template <class T>
double squares_of(const T* x, std::int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    const double sum = squares<float>(x, n);
    return is_ample(sum, n) || std::isnan(sum) ? sum : squares<double>(x, n);
  } else {
    return squares<double>(x, n);
  }
}

/// The same of elements that are \p step apart, times 4 to the power \p exponent.
template <class T>
double scaled_squares(const T* x, std::int64_t n, std::int64_t step, int exponent) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double each = std::scalbn(static_cast<double>(x[i * step]), exponent);
    sum += each * each;
  }
  return sum;
}

/// √sum, where sum is the sum of squares of these elements, unless it is beyond what a double can tell.
template <class T>
T root_of(double sum, const T* x, std::int64_t n, std::int64_t step) {
  constexpr double least = 1e-270;
  if (std::isnan(sum) || (sum > least && sum <= std::numeric_limits<double>::max())) {
    return static_cast<T>(std::sqrt(sum));
  }
  double largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(x[i * step])));
  }
  if (largest == 0 || std::isinf(largest)) {
    return static_cast<T>(largest);
  }
  const int exponent = std::ilogb(largest);
  return static_cast<T>(std::scalbn(std::sqrt(scaled_squares(x, n, step, -exponent)), exponent));
}

template <class T>
void norm_of_rows(const T* x, T* out, std::int64_t outer, std::int64_t n) {
  const std::int64_t parts = std::max<std::int64_t>(1, divide_up(n, part_elements));
  if (parts == 1) {
    for_each_piece(outer, std::max<std::int64_t>(1, part_elements / std::max<std::int64_t>(1, n)),
                   [&](std::int64_t first, std::int64_t last) {
                     for (std::int64_t o = first; o < last; ++o) {
                       out[o] = root_of(squares_of(x + o * n, n), x + o * n, n, 1);
                     }
                   });
    return;
  }
  std::vector<double> sums(static_cast<std::size_t>(outer * parts));
  runtime::parallel_for(outer * parts, [&](std::int64_t piece) {
    const std::int64_t first = piece % parts * part_elements;
    sums[static_cast<std::size_t>(piece)] =
        squares_of(x + piece / parts * n + first, std::min(part_elements, n - first));
  });
  for (std::int64_t o = 0; o < outer; ++o) {
    double sum = 0;
    std::for_each_n(sums.begin() + o * parts, parts, [&](double part) { sum += part; });
    out[o] = root_of(sum, x + o * n, n, 1);
  }
}

constexpr std::int64_t strip_columns = 64;

/// The sums of squares of columns, added up as \p Wide in runs of rows, and those as doubles.
template <class Wide, class T>
void squares_of_columns(const T* x, std::int64_t n, std::int64_t columns, std::int64_t row_step, double* sums) {
  constexpr std::int64_t run = 64;
  std::fill_n(sums, columns, 0.0);
  for (std::int64_t begin = 0; begin < n; begin += run) {
    Wide part[strip_columns] = {};
    for (std::int64_t row = begin; row < std::min(n, begin + run); ++row) {
      for (std::int64_t i = 0; i < columns; ++i) {
        const auto element = static_cast<Wide>(x[row * row_step + i]);
        part[i] += element * element;
      }
    }
    for (std::int64_t i = 0; i < columns; ++i) {
      sums[i] += static_cast<double>(part[i]);
    }
  }
}

/// A strip of columns of one block (n, inner).
template <class T>
void norm_of_strip(const T* x, T* out, std::int64_t n, std::int64_t columns, std::int64_t inner) {
  double sums[strip_columns];
  squares_of_columns<T>(x, n, columns, inner, sums);
  for (std::int64_t i = 0; i < columns; ++i) {
    if (std::is_same_v<T, float> && !is_ample(sums[i], n) && !std::isnan(sums[i])) {
      squares_of_columns<double>(x + i, n, 1, inner, sums + i);
    }
    out[i] = root_of(sums[i], x + i, n, inner);
  }
}

template <class T>
void norm_of_columns(const T* x, T* out, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  const std::int64_t strips = divide_up(inner, strip_columns);
  const std::int64_t grain = std::max<std::int64_t>(1, part_elements / (n * strip_columns));
  for_each_piece(outer * strips, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t each = first; each < last; ++each) {
      const std::int64_t o = each / strips;
      const std::int64_t column = each % strips * strip_columns;
      norm_of_strip(x + o * n * inner + column, out + o * inner + column, n, std::min(strip_columns, inner - column),
                    inner);
    }
  });
}

template <class T>
void norm_of(const T* x, T* out, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  if (n == 0) {
    std::fill_n(out, outer * inner, T{0});
  } else if (inner == 1) {
    norm_of_rows(x, out, outer, n);
  } else {
    norm_of_columns(x, out, outer, n, inner);
  }
}

}  // namespace

void norm(DType dtype, const void* in, void* out, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  if (outer * inner == 0) {
    return;
  }
  dispatch_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    norm_of(static_cast<const T*>(in), static_cast<T*>(out), outer, n, inner);
  });
}

}  // namespace xgrad::kernels
