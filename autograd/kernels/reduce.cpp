#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad::kernels {

namespace {

/// Elements that are worth a piece of their own.
constexpr std::int64_t piece_elements = 32 * 1024;

/// A row of this many pieces or more is cut, when there are too few rows to share out instead.
constexpr std::int64_t cut_from = 2;
constexpr std::int64_t few_pieces = 8;

struct Problem {
  Reduction kind;
  DType dtype;
  const std::byte* in;
  std::byte* out;
  std::int64_t outer;
  std::int64_t n;
  std::int64_t inner;

  DType result_dtype() const { return kind == Reduction::sum && !is_floating(dtype) ? DType::int64 : dtype; }
  std::int64_t in_bytes(std::int64_t count) const { return count * static_cast<std::int64_t>(size_of(dtype)); }
  std::int64_t out_bytes(std::int64_t count) const {
    return count * static_cast<std::int64_t>(size_of(result_dtype()));
  }
};

/// Memory for results between two steps.
class Intermediate {
 public:
  explicit Intermediate(std::int64_t bytes)
      : bytes_(static_cast<std::size_t>(bytes)), data_(runtime::allocate(bytes_)) {}
  Intermediate(const Intermediate&) = delete;
  Intermediate& operator=(const Intermediate&) = delete;
  ~Intermediate() { runtime::deallocate(data_, bytes_); }
  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  std::size_t bytes_;
  void* data_;
};

void reduce_nothing(const Problem& p) {
  double value = 0;
  if (p.kind == Reduction::prod || p.kind == Reduction::all) {
    value = 1;
  } else if (p.kind == Reduction::logsumexp) {
    value = -std::numeric_limits<double>::infinity();
  }
  fill(p.result_dtype(), p.out, p.outer * p.inner, value);
}

const ReduceKernels& kernels_of(const Problem& p) {
  return chosen_kernels().reduce[static_cast<int>(p.kind)][static_cast<int>(p.dtype)];
}

void reduce_rows(const Problem& p) {
  const RowsKernel kernel = kernels_of(p).rows;
  const std::int64_t grain = std::max<std::int64_t>(1, piece_elements / p.n);
  for_each_piece(p.outer, grain, [&](std::int64_t first, std::int64_t last) {
    kernel(p.in + p.in_bytes(first * p.n), p.out + p.out_bytes(first), last - first, p.n);
  });
}

/// Pieces are strips of columns, of one or of several blocks (n, inner).
void reduce_columns(const Problem& p) {
  const ColumnsKernel kernel = kernels_of(p).columns;
  constexpr std::int64_t least_columns = 256;
  const std::int64_t strip = std::max(least_columns, divide_up(piece_elements / p.n, least_columns) * least_columns);
  const std::int64_t strips = divide_up(p.inner, strip);
  const std::int64_t width = std::min(strip, p.inner);
  const std::int64_t grain = std::max<std::int64_t>(1, piece_elements / (p.n * width));
  for_each_piece(p.outer * strips, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t each = first; each < last; ++each) {
      const std::int64_t o = each / strips;
      const std::int64_t i = each % strips * strip;
      kernel(p.in + p.in_bytes(o * p.n * p.inner + i), p.out + p.out_bytes(o * p.inner + i), p.n,
             std::min(strip, p.inner - i), p.inner);
    }
  });
}

/// Cuts n in parts of \p part, reduces each, and then the results: partial[part, o, i].
void reduce_in_parts(const Problem& p, std::int64_t part) {
  const std::int64_t parts = divide_up(p.n, part);
  const std::int64_t results = p.outer * p.inner;
  const Intermediate partial(p.out_bytes(parts * results));
  const ReduceKernels& kernels = kernels_of(p);
  runtime::parallel_for(parts * p.outer, [&](std::int64_t piece) {
    const std::int64_t o = piece / parts;
    const std::int64_t first = piece % parts * part;
    const std::int64_t count = std::min(part, p.n - first);
    const std::byte* in = p.in + p.in_bytes((o * p.n + first) * p.inner);
    std::byte* out = partial.data() + p.out_bytes(piece % parts * results + o * p.inner);
    if (p.inner == 1) {
      kernels.rows(in, out, 1, count);
    } else {
      kernels.columns(in, out, count, p.inner, p.inner);
    }
  });
  reduce(p.kind, p.result_dtype(), partial.data(), p.out, 1, parts, results);
}

}  // namespace

namespace {

// The largest and smallest of numbers that are for storage are found among the numbers that they are compared as.
bool is_found_as_number(Reduction kind, DType dtype) {
  return is_storage(dtype) && is_real(dtype) && (kind == Reduction::amax || kind == Reduction::amin);
}

void reduce_as_numbers(const Problem& p) {
  const DType wide = number_dtype(p.dtype);
  const auto wide_bytes = static_cast<std::int64_t>(size_of(wide));
  const std::int64_t count = p.outer * p.n * p.inner;
  const std::int64_t results = p.outer * p.inner;
  const Intermediate numbers(count * wide_bytes);
  const Intermediate found(results * wide_bytes);
  cast(p.dtype, p.in, wide, numbers.data(), count);
  reduce(p.kind, wide, numbers.data(), found.data(), p.outer, p.n, p.inner);
  cast(wide, found.data(), p.dtype, p.out, results);
}

}  // namespace

void reduce(Reduction kind, DType dtype, const void* in, void* out, std::int64_t outer, std::int64_t n,
            std::int64_t inner) {
  const Problem p{kind, dtype, static_cast<const std::byte*>(in), static_cast<std::byte*>(out), outer, n, inner};
  if (outer * inner == 0) {
    return;
  }
  if (n == 0) {
    return reduce_nothing(p);
  }
  if (is_found_as_number(kind, dtype)) {
    return reduce_as_numbers(p);
  }
  constexpr std::int64_t wide = 1024;
  const std::int64_t part = divide_up(piece_elements, inner);
  const bool few = inner < wide && outer * inner * n >= cut_from * piece_elements && outer < few_pieces;
  if (few && n >= cut_from * part) {
    reduce_in_parts(p, part);
  } else if (inner == 1) {
    reduce_rows(p);
  } else {
    reduce_columns(p);
  }
}

namespace {

template <class T>
bool is_nan(T x) {
  return x != x;
}

/// Position of the first element for which \p match holds; there is one.
template <class T, class Match>
std::int64_t first_match(const T* x, std::int64_t n, const Match& match) {
  constexpr std::int64_t stretch = 64;
  std::int64_t i = 0;
  for (; i + stretch <= n; i += stretch) {
    int matches = 0;  // without a branch per element, so that the compiler makes vectors of it
    for (std::int64_t k = i; k < i + stretch; ++k) {
      matches += match(x[k]);
    }
    if (matches > 0) {
      break;
    }
  }
  while (!match(x[i])) {
    ++i;
  }
  return i;
}

template <class T>
std::int64_t find(const T* x, std::int64_t n, T value) {
  if (is_nan(value)) {
    return first_match(x, n, [](T each) { return is_nan(each); });
  }
  return first_match(x, n, [value](T each) { return each == value; });
}

/// The position of the extremum is found by its value, column by column while a row of them is in cache.
template <class T>
void find_in_columns(const T* x, const T* values, std::int64_t n, std::int64_t inner, std::int64_t* out) {
  std::fill(out, out + inner, std::int64_t{-1});
  for (std::int64_t k = 0; k < n; ++k, x += inner) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const bool found = x[i] == values[i] || (is_nan(x[i]) && is_nan(values[i]));
      out[i] = out[i] < 0 && found ? k : out[i];
    }
  }
}

void find_extremum(Reduction kind, DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n,
                   std::int64_t inner) {
  if (outer * inner == 0) {
    return;
  }
  const Intermediate extrema(outer * inner * static_cast<std::int64_t>(size_of(dtype)));
  reduce(kind, dtype, in, extrema.data(), outer, n, inner);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(in);
    const T* values = reinterpret_cast<const T*>(extrema.data());
    const std::int64_t grain = std::max<std::int64_t>(1, piece_elements / (n * inner));
    for_each_piece(outer, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t o = first; o < last; ++o) {
        if (inner == 1) {
          out[o] = find(x + o * n, n, values[o]);
        } else {
          find_in_columns(x + o * n * inner, values + o * inner, n, inner, out + o * inner);
        }
      }
    });
  });
}

}  // namespace

void argmax(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  find_extremum(Reduction::amax, dtype, in, out, outer, n, inner);
}

void argmin(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n, std::int64_t inner) {
  find_extremum(Reduction::amin, dtype, in, out, outer, n, inner);
}

void sum_columns(DType dtype, const void* in, void* out, std::int64_t n, std::int64_t columns, std::int64_t row_step) {
  if (columns == 0) {
    return;
  }
  chosen_kernels().reduce[static_cast<int>(Reduction::sum)][static_cast<int>(dtype)].columns(in, out, n, columns,
                                                                                             row_step);
}

namespace {

// x - x is 0 for finite numbers and NaN for all others.
template <class T>
bool each_is_finite(const T* in, std::int64_t count) {
  bool finite = true;
  for (std::int64_t i = 0; i < count; ++i) {
    finite &= in[i] - in[i] == 0;
  }
  return finite;
}

// The exponent of infinity and NaN is all ones.
bool each_is_finite(const BFloat16* in, std::int64_t count) {
  constexpr unsigned exponent = 0x7f80;
  bool finite = true;
  for (std::int64_t i = 0; i < count; ++i) {
    finite &= (in[i].bits() & exponent) != exponent;
  }
  return finite;
}

}  // namespace

bool all_finite(DType dtype, const void* in, std::int64_t count) {
  return dispatch_real(dtype, [&](auto zero) { return each_is_finite(static_cast<const decltype(zero)*>(in), count); });
}

}  // namespace xgrad::kernels
