#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/sets.hpp"
#include "autograd/kernels/isa/simd.hpp"
#include "autograd/kernels/kernels.hpp"

namespace xgrad::kernels::XGRAD_ISA {

namespace {

template <class T>
struct Sum {
  static constexpr T neutral = 0;
  static T apply(T a, T b) { return a + b; }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return a + b; }
};

template <class T>
struct Product {
  static constexpr T neutral = 1;
  static T apply(T a, T b) { return a * b; }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return a * b; }
};

template <class T>
struct Maximum {
  static constexpr T neutral = -std::numeric_limits<T>::infinity();
  static T apply(T a, T b) {
    const T larger = a > b ? a : b;  // b where one of them is NaN
    return a != a ? a : larger;
  }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return xsimd::select((a > b) | xsimd::isnan(a), a, b); }
};

template <class T>
struct Minimum {
  static constexpr T neutral = std::numeric_limits<T>::infinity();
  static T apply(T a, T b) {
    const T lesser = a < b ? a : b;  // b where one of them is NaN
    return a != a ? a : lesser;
  }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return xsimd::select((a < b) | xsimd::isnan(a), a, b); }
};

/// What is done to an element before it is reduced: nothing.
template <class T>
struct Plain {
  Batch<T> operator()(const Batch<T>& x) const { return x; }
};

/// exp(x - shift).
template <class T>
struct ShiftedExp {
  Batch<T> shift;
  Batch<T> operator()(const Batch<T>& x) const { return xsimd::exp(x - shift); }
};

/// The number whose exponential the others are compared with: the maximum, or 0 where that is infinite or NaN, so that
/// log(sum(exp(x - shift))) + shift is right for them as well.
template <class T>
Batch<T> shift_of(const Batch<T>& maximum) {
  return xsimd::select(maximum - maximum == Batch<T>(T{0}), maximum, Batch<T>(T{0}));
}

template <class Op, class T>
T fold_lanes(const Batch<T>& x) {
  alignas(64) T a[lanes<T>];
  x.store_aligned(a);
  for (std::int64_t half = lanes<T> / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) {
      a[i] = Op::apply(a[i], a[i + half]);
    }
  }
  return a[0];
}

/// Longer runs are halved again and again, so that rounding errors grow with the logarithm of the length.
inline constexpr std::int64_t run_elements = 1024;
inline constexpr std::int64_t run_rows = 64;

template <class Op, class T, class Map>
Batch<T> reduce_run(const T* x, std::int64_t n, const Map& map) {
  if (n > run_elements) {
    const std::int64_t left = (n + 2 * run_elements - 1) / (2 * run_elements) * run_elements;
    return Op::apply(reduce_run<Op>(x, left, map), reduce_run<Op>(x + left, n - left, map));
  }
  constexpr std::int64_t width = lanes<T>;
  Batch<T> a(Op::neutral);
  std::int64_t i = 0;
  if (n >= 4 * width) {
    Batch<T> b(Op::neutral), c(Op::neutral), d(Op::neutral);
    for (; i + 4 * width <= n; i += 4 * width) {
      a = Op::apply(a, map(load(x + i)));
      b = Op::apply(b, map(load(x + i + width)));
      c = Op::apply(c, map(load(x + i + 2 * width)));
      d = Op::apply(d, map(load(x + i + 3 * width)));
    }
    a = Op::apply(Op::apply(a, b), Op::apply(c, d));
  }
  for (; i + width <= n; i += width) {
    a = Op::apply(a, map(load(x + i)));
  }
  if (i < n) {
    // The lanes beyond the end are mapped as if they were -inf: exp makes that 0, Plain is only given neutral elements.
    constexpr T rest = std::is_same_v<Map, Plain<T>> ? Op::neutral : -std::numeric_limits<T>::infinity();
    a = Op::apply(a, map(load_partial(x + i, n - i, rest)));
  }
  return a;
}

/// Rows of a few elements: eight at a time, one scalar chain each.
template <class Op, class T>
void reduce_short_rows(const T* x, T* out, std::int64_t outer, std::int64_t n) {
  constexpr std::int64_t together = 8;
  std::int64_t o = 0;
  for (; o + together <= outer; o += together, x += together * n) {
    T a[together];
    for (T& each : a) {
      each = Op::neutral;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < together; ++k) {
        a[k] = Op::apply(a[k], x[k * n + i]);
      }
    }
    for (std::int64_t k = 0; k < together; ++k) {
      out[o + k] = a[k];
    }
  }
  for (; o < outer; ++o, x += n) {
    T a = Op::neutral;
    for (std::int64_t i = 0; i < n; ++i) {
      a = Op::apply(a, x[i]);
    }
    out[o] = a;
  }
}

template <class T>
bool is_short(std::int64_t n) {
  return n <= 2 * lanes<T> && n <= 16;
}

template <template <class> class Kind, class T>
void reduce_rows(const void* in, void* out, std::int64_t outer, std::int64_t n) {
  using Op = Kind<T>;
  const T* x = static_cast<const T*>(in);
  T* to = static_cast<T*>(out);
  if (is_short<T>(n)) {
    return reduce_short_rows<Op>(x, to, outer, n);
  }
  for (std::int64_t o = 0; o < outer; ++o) {
    to[o] = fold_lanes<Op, T>(reduce_run<Op>(x + o * n, n, Plain<T>{}));
  }
}

/// out = log(sums) + shifts, all of \p count elements or more in whole vectors.
template <class T>
void finish_logsumexp(const T* sums, const T* shifts, std::int64_t count, T* out) {
  for (std::int64_t i = 0; i < count; i += lanes<T>) {
    const Batch<T> result = xsimd::log(load(sums + i)) + load(shifts + i);
    store_partial(out + i, result, smaller(lanes<T>, count - i));
  }
}

inline constexpr std::int64_t rows_together = 64;

/// exp(x - shift of the row) of short rows lying one after the other, in vectors that cross them.
template <class T>
void exponentials_of_short_rows(const T* x, const T* shifts, std::int64_t rows, std::int64_t n, T* out) {
  for (std::int64_t o = 0; o < rows; ++o) {
    for (std::int64_t i = 0; i < n; ++i) {
      out[o * n + i] = x[o * n + i] - shifts[o];
    }
  }
  for (std::int64_t i = 0; i < rows * n; i += lanes<T>) {
    store(out + i, xsimd::exp(load(out + i)));
  }
}

template <class T>
void logsumexp_rows(const void* in, void* out, std::int64_t outer, std::int64_t n) {
  const T* x = static_cast<const T*>(in);
  T* to = static_cast<T*>(out);
  alignas(64) T shifts[rows_together] = {};
  alignas(64) T sums[rows_together] = {};
  alignas(64) T terms[rows_together * 16 + lanes<T>] = {};
  for (std::int64_t o = 0; o < outer; o += rows_together) {
    const std::int64_t rows = smaller(rows_together, outer - o);
    const T* first = x + o * n;
    reduce_rows<Maximum, T>(first, shifts, rows, n);
    for (std::int64_t k = 0; k < rows; k += lanes<T>) {
      store(shifts + k, shift_of(load(shifts + k)));
    }
    if (is_short<T>(n)) {
      exponentials_of_short_rows(first, shifts, rows, n, terms);
      reduce_short_rows<Sum<T>>(terms, sums, rows, n);
    } else {
      for (std::int64_t k = 0; k < rows; ++k) {
        const ShiftedExp<T> map{Batch<T>(shifts[k])};
        sums[k] = fold_lanes<Sum<T>, T>(reduce_run<Sum<T>>(first + k * n, n, map));
      }
    }
    finish_logsumexp(sums, shifts, rows, to + o);
  }
}

/// A strip of columns that is reduced in registers.
template <class T, int vectors>
struct Strip {
  Batch<T> at[vectors];
};

template <class Op, class T, int vectors>
Strip<T, vectors> combine(const Strip<T, vectors>& a, const Strip<T, vectors>& b) {
  Strip<T, vectors> result;
  for (int k = 0; k < vectors; ++k) {
    result.at[k] = Op::apply(a.at[k], b.at[k]);
  }
  return result;
}

template <class Op, class T, int vectors, class Map>
Strip<T, vectors> reduce_strip(const T* x, std::int64_t n, std::int64_t row_step, const Map* maps) {
  if (n > run_rows) {
    const std::int64_t upper = (n + 2 * run_rows - 1) / (2 * run_rows) * run_rows;
    return combine<Op>(reduce_strip<Op, T, vectors>(x, upper, row_step, maps),
                       reduce_strip<Op, T, vectors>(x + upper * row_step, n - upper, row_step, maps));
  }
  Strip<T, vectors> a;
  for (int k = 0; k < vectors; ++k) {
    a.at[k] = Batch<T>(Op::neutral);
  }
  for (std::int64_t row = 0; row < n; ++row, x += row_step) {
    for (int k = 0; k < vectors; ++k) {
      a.at[k] = Op::apply(a.at[k], maps[k](load(x + k * lanes<T>)));
    }
  }
  return a;
}

/// Fewer columns than a vector has lanes. Whole vectors are read while they stay within the rows, then parts.
template <class Op, class T, class Map>
Batch<T> reduce_narrow(const T* x, std::int64_t n, std::int64_t columns, std::int64_t row_step, const Map& map) {
  const std::int64_t unsafe = (lanes<T> - columns + row_step - 1) / row_step;
  const std::int64_t whole = n > unsafe ? n - unsafe : 0;
  Batch<T> a = reduce_strip<Op, T, 1>(x, whole, row_step, &map).at[0];
  for (std::int64_t row = whole; row < n; ++row) {
    a = Op::apply(a, map(load_partial(x + row * row_step, columns, T{0})));
  }
  return a;
}

/// Calls strip(first column, integral constant of the vectors in it) for strips that cover all columns. The last one is
/// moved back to end with the last column: what overlaps is computed twice, alike.
template <class T, int widest, class F>
void for_each_strip(std::int64_t columns, const F& strip) {
  constexpr std::int64_t wide = widest * lanes<T>;
  std::int64_t i = 0;
  for (; i + wide <= columns; i += wide) {
    strip(i, std::integral_constant<int, widest>{});
  }
  for (; i < columns; i += lanes<T>) {
    strip(smaller(i, columns - lanes<T>), std::integral_constant<int, 1>{});
  }
}

template <template <class> class Kind, class T>
void reduce_columns(const void* in, void* out, std::int64_t n, std::int64_t columns, std::int64_t row_step) {
  using Op = Kind<T>;
  const T* x = static_cast<const T*>(in);
  T* to = static_cast<T*>(out);
  const Plain<T> plain[8];
  if (columns < lanes<T>) {
    return store_partial(to, reduce_narrow<Op>(x, n, columns, row_step, plain[0]), columns);
  }
  for_each_strip<T, 8>(columns, [&](std::int64_t i, auto vectors) {
    const auto result = reduce_strip<Op, T, vectors>(x + i, n, row_step, plain);
    for (int k = 0; k < vectors; ++k) {
      store(to + i + k * lanes<T>, result.at[k]);
    }
  });
}

template <class T>
void logsumexp_columns(const void* in, void* out, std::int64_t n, std::int64_t columns, std::int64_t row_step) {
  const T* x = static_cast<const T*>(in);
  T* to = static_cast<T*>(out);
  if (columns < lanes<T>) {
    const Batch<T> shift = shift_of(reduce_narrow<Maximum<T>>(x, n, columns, row_step, Plain<T>{}));
    const Batch<T> sum = reduce_narrow<Sum<T>>(x, n, columns, row_step, ShiftedExp<T>{shift});
    return store_partial(to, xsimd::log(sum) + shift, columns);
  }
  for_each_strip<T, 4>(columns, [&](std::int64_t i, auto vectors) {
    const Plain<T> plain[vectors];
    const auto maximum = reduce_strip<Maximum<T>, T, vectors>(x + i, n, row_step, plain);
    ShiftedExp<T> maps[vectors];
    for (int k = 0; k < vectors; ++k) {
      maps[k].shift = shift_of(maximum.at[k]);
    }
    const auto sum = reduce_strip<Sum<T>, T, vectors>(x + i, n, row_step, maps);
    for (int k = 0; k < vectors; ++k) {
      store(to + i + k * lanes<T>, xsimd::log(sum.at[k]) + maps[k].shift);
    }
  });
}

template <class T>
void add_reductions(KernelSet& set) {
  const int dtype = static_cast<int>(dtype_of<T>());
  const auto put = [&](Reduction kind, ReduceKernels kernels) { set.reduce[static_cast<int>(kind)][dtype] = kernels; };
  put(Reduction::sum, {reduce_rows<Sum, T>, reduce_columns<Sum, T>});
  put(Reduction::prod, {reduce_rows<Product, T>, reduce_columns<Product, T>});
  put(Reduction::amax, {reduce_rows<Maximum, T>, reduce_columns<Maximum, T>});
  put(Reduction::amin, {reduce_rows<Minimum, T>, reduce_columns<Minimum, T>});
  put(Reduction::logsumexp, {logsumexp_rows<T>, logsumexp_columns<T>});
}

}  // namespace

void add_floating_reductions(KernelSet& set) {
  add_reductions<float>(set);
  add_reductions<double>(set);
}

}  // namespace xgrad::kernels::XGRAD_ISA
