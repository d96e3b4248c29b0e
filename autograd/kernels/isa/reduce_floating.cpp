#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/reduction_lanes.hpp"
#include "autograd/kernels/isa/sets.hpp"
#include "autograd/kernels/isa/simd.hpp"
#include "autograd/kernels/kernels.hpp"

namespace xgrad::kernels::XGRAD_ISA {

namespace {

/// Longer runs are halved again and again, so that rounding errors grow with the logarithm of the length.
inline constexpr std::int64_t run_elements = 1024;
inline constexpr std::int64_t run_rows = 64;

template <class Op, class T, class Map>
void take(Lanes<T>& a, const T* x, const Map& map) {
  for (std::int64_t k = 0; k < Lanes<T>::registers; ++k) {
    a.at[k] = Op::apply(a.at[k], map(load(x + k * lanes<T>)));
  }
}

/// The same of the first \p count lanes; the others take the neutral element.
template <class Op, class T, class Map>
void take_partial(Lanes<T>& a, const T* x, std::int64_t count, const Map& map) {
  // The rest of a register is mapped as if it was -inf: exp makes that 0, Plain is only given neutral elements.
  constexpr T rest = std::is_same_v<Map, Plain<T>> ? Op::neutral : -std::numeric_limits<T>::infinity();
  for (std::int64_t k = 0; k < Lanes<T>::registers; ++k, x += lanes<T>, count -= lanes<T>) {
    const Batch<T> mapped = count >= lanes<T> ? map(load(x))
                            : count > 0       ? map(load_partial(x, count, rest))
                                              : Batch<T>(Op::neutral);
    a.at[k] = Op::apply(a.at[k], mapped);
  }
}

template <class Op, class T, class Map>
[[gnu::always_inline]] inline Lanes<T> reduce_short_run(const T* x, std::int64_t n, const Map& map) {
  constexpr std::int64_t width = Lanes<T>::count;
  Lanes<T> a(Op::neutral);
  std::int64_t i = 0;
  if (n >= 4 * width) {
    Lanes<T> b(Op::neutral), c(Op::neutral), d(Op::neutral);
    for (; i + 4 * width <= n; i += 4 * width) {
      take<Op>(a, x + i, map);
      take<Op>(b, x + i + width, map);
      take<Op>(c, x + i + 2 * width, map);
      take<Op>(d, x + i + 3 * width, map);
    }
    a = combine<Op>(combine<Op>(a, b), combine<Op>(c, d));
  }
  for (; i + width <= n; i += width) {
    take<Op>(a, x + i, map);
  }
  if (i < n) {
    take_partial<Op>(a, x + i, n - i, map);
  }
  return a;
}

template <class Op, class T, class Map>
Lanes<T> reduce_long_run(const T* x, std::int64_t n, const Map& map) {
  if (n <= run_elements) {
    return reduce_short_run<Op>(x, n, map);
  }
  const std::int64_t left = (n + 2 * run_elements - 1) / (2 * run_elements) * run_elements;
  return combine<Op>(reduce_long_run<Op>(x, left, map), reduce_long_run<Op>(x + left, n - left, map));
}

template <class Op, class T, class Map>
T reduce_run(const T* x, std::int64_t n, const Map& map) {
  return fold_lanes<Op>(n <= run_elements ? reduce_short_run<Op>(x, n, map) : reduce_long_run<Op>(x, n, map));
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

inline constexpr std::int64_t longest_short = 16;

/// Comparisons take longer one by one.
template <class Op>
bool is_short(std::int64_t n) {
  return n <= (Op::neutral == 0 || Op::neutral == 1 ? longest_short : longest_short / 2);
}

template <template <class> class Kind, class T>
void reduce_rows(const void* in, void* out, std::int64_t outer, std::int64_t n) {
  using Op = Kind<T>;
  const T* x = static_cast<const T*>(in);
  T* to = static_cast<T*>(out);
  if (is_short<Op>(n)) {
    return reduce_short_rows<Op>(x, to, outer, n);
  }
  for (std::int64_t o = 0; o < outer; ++o) {
    to[o] = reduce_run<Op>(x + o * n, n, Plain<T>{});
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
  alignas(64) T terms[rows_together * longest_short + lanes<T>] = {};
  for (std::int64_t o = 0; o < outer; o += rows_together) {
    const std::int64_t rows = smaller(rows_together, outer - o);
    const T* first = x + o * n;
    reduce_rows<Maximum, T>(first, shifts, rows, n);
    for (std::int64_t k = 0; k < rows; k += lanes<T>) {
      store(shifts + k, shift_of(load(shifts + k)));
    }
    if (is_short<Sum<T>>(n)) {
      exponentials_of_short_rows(first, shifts, rows, n, terms);
      reduce_short_rows<Sum<T>>(terms, sums, rows, n);
    } else {
      for (std::int64_t k = 0; k < rows; ++k) {
        const ShiftedExp<T> map{Batch<T>(shifts[k])};
        sums[k] = reduce_run<Sum<T>>(first + k * n, n, map);
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

/// Rows of whole vectors, \p step elements apart.
template <class T>
struct WholeRows {
  const T* x;
  std::int64_t step;

  std::int64_t readable(std::int64_t, std::int64_t last) const { return last; }
  Batch<T> partial(const T* row) const { return load(row); }
};

/// Rows of fewer columns than a vector has lanes. Whole vectors are read while they stay within the array, then parts.
template <class T>
struct NarrowRows {
  const T* x;
  std::int64_t step;
  std::int64_t columns;
  std::int64_t n;

  std::int64_t readable(std::int64_t first, std::int64_t last) const {
    const std::int64_t end = smaller(last, n - (lanes<T> - columns + step - 1) / step);
    return end < first ? first : end;
  }
  Batch<T> partial(const T* row) const { return load_partial(row, columns, T{0}); }
};

template <class Op, class T, int vectors, class Rows, class Map>
Strip<T, vectors> reduce_strip(const Rows& rows, std::int64_t first, std::int64_t n, const Map* maps) {
  if (n > run_rows) {
    const std::int64_t upper = (n + 2 * run_rows - 1) / (2 * run_rows) * run_rows;
    return combine<Op>(reduce_strip<Op, T, vectors>(rows, first, upper, maps),
                       reduce_strip<Op, T, vectors>(rows, first + upper, n - upper, maps));
  }
  Strip<T, vectors> a;
  for (int k = 0; k < vectors; ++k) {
    a.at[k] = Batch<T>(Op::neutral);
  }
  const T* x = rows.x + first * rows.step;
  const T* const end = rows.x + (first + n) * rows.step;
  for (const T* const readable = rows.x + rows.readable(first, first + n) * rows.step; x != readable; x += rows.step) {
    for (int k = 0; k < vectors; ++k) {
      a.at[k] = Op::apply(a.at[k], maps[k](load(x + k * lanes<T>)));
    }
  }
  for (; x != end; x += rows.step) {
    a.at[0] = Op::apply(a.at[0], maps[0](rows.partial(x)));
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
    const NarrowRows<T> rows{x, row_step, columns, n};
    return store_partial(to, reduce_strip<Op, T, 1>(rows, 0, n, plain).at[0], columns);
  }
  for_each_strip<T, 8>(columns, [&](std::int64_t i, auto vectors) {
    const auto result = reduce_strip<Op, T, vectors>(WholeRows<T>{x + i, row_step}, 0, n, plain);
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
    const NarrowRows<T> rows{x, row_step, columns, n};
    const Plain<T> plain;
    const ShiftedExp<T> map{shift_of(reduce_strip<Maximum<T>, T, 1>(rows, 0, n, &plain).at[0])};
    const Batch<T> sum = reduce_strip<Sum<T>, T, 1>(rows, 0, n, &map).at[0];
    return store_partial(to, xsimd::log(sum) + map.shift, columns);
  }
  for_each_strip<T, 4>(columns, [&](std::int64_t i, auto vectors) {
    const Plain<T> plain[vectors];
    const WholeRows<T> rows{x + i, row_step};
    const auto maximum = reduce_strip<Maximum<T>, T, vectors>(rows, 0, n, plain);
    ShiftedExp<T> maps[vectors];
    for (int k = 0; k < vectors; ++k) {
      maps[k].shift = shift_of(maximum.at[k]);
    }
    const auto sum = reduce_strip<Sum<T>, T, vectors>(rows, 0, n, maps);
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
