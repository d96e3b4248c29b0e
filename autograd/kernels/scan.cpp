#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/order.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/kernels/wrapped.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::kernels {

namespace {

// Positions 0 to n - 1, or from the end.
struct Walk {
  std::int64_t first, step;
  Walk(std::int64_t n, bool reverse) : first(reverse ? n - 1 : 0), step(reverse ? -1 : 1) {}
  std::int64_t at(std::int64_t k) const { return first + k * step; }
};

/// What a scan computes with on its way: rounding errors of float would add up.
template <class T>
using Running = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// out_k = next(out_{k-1}, k) along the axis of size n, for each of the inner positions; out_0 = first(0).
template <class T, class First, class Next>
void scan(T* out, std::int64_t n, std::int64_t inner, const Walk& walk, const First& first, const Next& next) {
  if (inner == 1) {  // the running value is in a register: nothing waits for a store
    Running<T> last = first(walk.at(0));
    out[walk.at(0)] = static_cast<T>(last);
    for (std::int64_t k = 1; k < n; ++k) {
      last = next(last, walk.at(k));
      out[walk.at(k)] = static_cast<T>(last);
    }
    return;
  }
  constexpr std::int64_t most_columns = 64;
  for (std::int64_t column = 0; column < inner; column += most_columns) {
    const std::int64_t columns = std::min(most_columns, inner - column);
    Running<T> last[most_columns];
    const std::int64_t begin = walk.at(0) * inner + column;
    for (std::int64_t i = 0; i < columns; ++i) {
      last[i] = first(begin + i);
      out[begin + i] = static_cast<T>(last[i]);
    }
    for (std::int64_t k = 1; k < n; ++k) {
      const std::int64_t row = walk.at(k) * inner + column;
#ifndef __clang__
#pragma GCC ivdep  // the inputs are not written
#endif
      for (std::int64_t i = 0; i < columns; ++i) {
        last[i] = next(last[i], row + i);
        out[row + i] = static_cast<T>(last[i]);
      }
    }
  }
}

/// Calls f(offset of its first element) for each of \p outer rows of \p size elements.
template <class F>
void for_each_row(std::int64_t outer, std::int64_t size, const F& f) {
  constexpr std::int64_t elements_per_piece = 8192;
  if (size == 0) {
    return;
  }
  const std::int64_t grain = divide_up(elements_per_piece, size);
  for_each_piece(outer, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t o = first; o < last; ++o) {
      f(o * size);
    }
  });
}

}  // namespace

void linear_recurrence(DType dtype, const void* a, const void* b, void* out, std::int64_t outer, std::int64_t n,
                       std::int64_t inner, bool reverse) {
  dispatch_numbers(dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_row(outer, n * inner, [&](std::int64_t offset) {
      const T* factor = static_cast<const T*>(a) + offset;
      const T* term = static_cast<const T*>(b) + offset;
      scan(
          static_cast<T*>(out) + offset, n, inner, Walk(n, reverse),
          [&](std::int64_t i) { return static_cast<Running<T>>(term[i]); },
          [&](Running<T> before, std::int64_t i) {
            return wrapped_sum<Running<T>>(wrapped_product<Running<T>>(factor[i], before), term[i]);
          });
    });
  });
}

void cumulative_sum(DType dtype, const void* in, void* out, std::int64_t outer, std::int64_t n, std::int64_t inner,
                    bool exclusive, bool reverse) {
  dispatch_numbers(dtype, [&](auto zero) {
    using T = decltype(zero);
    const Walk walk(n, reverse);
    const std::int64_t behind = exclusive ? walk.step * inner : 0;  // how far the term is from the sum
    for_each_row(outer, n * inner, [&](std::int64_t offset) {
      const T* term = static_cast<const T*>(in) + offset;
      scan(
          static_cast<T*>(out) + offset, n, inner, walk,
          [&](std::int64_t i) { return exclusive ? Running<T>{} : static_cast<Running<T>>(term[i]); },
          [&](Running<T> before, std::int64_t i) { return wrapped_sum<Running<T>>(before, term[i - behind]); });
    });
  });
}

namespace {

// Whether x takes the place of the extreme value so far. At equal values it does, as in PyTorch; NaN always does, and only
// NaN takes the place of NaN.
template <bool largest, class T>
bool replaces(T x, T extreme) {
  const bool wins = largest ? x >= extreme : x <= extreme;
  return (static_cast<int>(wins) | static_cast<int>(x != x)) != 0;  // without a branch
}

// Of one row: the extreme value and its position are in registers.
template <bool largest, class T>
void extremes_of_row(const T* x, T* values, std::int64_t* positions, std::int64_t n) {
  T extreme = x[0];
  std::int64_t last = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    const bool here = replaces<largest>(x[k], extreme);
    extreme = here ? x[k] : extreme;
    last = here ? k : last;
    if (values != nullptr) {
      values[k] = extreme;
    }
    if (positions != nullptr) {
      positions[k] = last;
    }
  }
}

// Of rows that lie next to each other, many at a time, so that the compiler takes vectors. Positions are as wide as elements
// on the way.
template <bool largest, class T, class Position>
void extremes_of_columns(const T* x, T* values, std::int64_t* positions, std::int64_t n, std::int64_t inner) {
  constexpr std::int64_t most_columns = 64;
  for (std::int64_t column = 0; column < inner; column += most_columns) {
    const std::int64_t columns = std::min(most_columns, inner - column);
    T extreme[most_columns];
    Position last[most_columns] = {};
    std::copy_n(x + column, columns, extreme);
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t row = k * inner + column;
      for (std::int64_t i = 0; i < columns; ++i) {
        const bool here = replaces<largest>(x[row + i], extreme[i]);
        extreme[i] = here ? x[row + i] : extreme[i];
        last[i] = here ? static_cast<Position>(k) : last[i];
      }
      if (values != nullptr) {
        std::copy_n(extreme, columns, values + row);
      }
      if (positions != nullptr) {
        std::copy_n(last, columns, positions + row);
      }
    }
  }
}

template <bool largest, class T>
void extremes(const T* x, T* values, std::int64_t* positions, std::int64_t n, std::int64_t inner) {
  if (inner == 1) {
    extremes_of_row<largest>(x, values, positions, n);
  } else if (sizeof(T) == sizeof(std::int32_t) && n <= std::numeric_limits<std::int32_t>::max()) {
    extremes_of_columns<largest, T, std::int32_t>(x, values, positions, n, inner);
  } else {
    extremes_of_columns<largest, T, std::int64_t>(x, values, positions, n, inner);
  }
}

}  // namespace

void cumulative_extreme(DType dtype, const void* in, void* values, std::int64_t* positions, std::int64_t outer,
                        std::int64_t n, std::int64_t inner, bool largest) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_row(outer, n * inner, [&](std::int64_t offset) {
      const T* x = static_cast<const T*>(in) + offset;
      T* value = values == nullptr ? nullptr : static_cast<T*>(values) + offset;
      std::int64_t* position = positions == nullptr ? nullptr : positions + offset;
      largest ? extremes<true>(x, value, position, n, inner) : extremes<false>(x, value, position, n, inner);
    });
  });
}

void spread_extreme(DType dtype, const void* in, const std::int64_t* positions, void* out, std::int64_t outer,
                    std::int64_t n, std::int64_t inner, bool transposed) {
  const auto spread = [&](auto zero) {
    using T = decltype(zero);
    for_each_row(outer, n * inner, [&](std::int64_t offset) {
      const T* x = static_cast<const T*>(in) + offset;
      const std::int64_t* position = positions + offset;
      T* y = static_cast<T*>(out) + offset;
      if (transposed) {
        std::fill_n(y, n * inner, T{});
      }
      for (std::int64_t k = 0; k < n; ++k) {
        for (std::int64_t i = 0; i < inner; ++i) {
          const std::int64_t here = k * inner + i;
          const std::int64_t there = position[here] * inner + i;
          transposed ? static_cast<void>(y[there] += x[here]) : static_cast<void>(y[here] = x[there]);
        }
      }
    });
  };
  dispatch_floating(dtype, spread);
}

namespace {

/// The key of an element and where it is: next to each other, so that sorting does not jump through memory.
template <class Key>
struct Entry {
  Key key;
  std::int64_t position;
};

/// Puts entries in order; those with equal keys stay as they are.
template <class Key>
void sort_entries(std::vector<Entry<Key>>& entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
}

}  // namespace

void argsort(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n, std::int64_t inner,
             bool descending) {
  if (n == 0 || inner == 0) {
    return;
  }
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    runtime::parallel_for(outer, [&](std::int64_t o) {
      std::vector<Entry<SortKey<T>>> entries(static_cast<std::size_t>(n));
      for (std::int64_t i = 0; i < inner; ++i) {
        const std::int64_t begin = o * n * inner + i;
        const T* x = static_cast<const T*>(in) + begin;
        for (std::int64_t k = 0; k < n; ++k) {
          entries[static_cast<std::size_t>(k)] = {order_key(x[k * inner], descending), k};
        }
        sort_entries(entries);
        for (std::int64_t k = 0; k < n; ++k) {
          out[begin + k * inner] = entries[static_cast<std::size_t>(k)].position;
        }
      }
    });
  });
}

namespace {

/// The positions of the first \p kept elements in order, found with a heap of as many, whose top is the last of them. Those
/// that come later in x come later in order, too, when they are equal.
template <class T>
void find_first(const T* x, std::int64_t n, std::int64_t step, bool descending, std::vector<std::int64_t>& kept) {
  const auto in_order = [&](std::int64_t p, std::int64_t q) {
    const T a = x[p * step];
    const T b = x[q * step];
    return precedes(a, b, descending) || (!precedes(b, a, descending) && p < q);
  };
  std::iota(kept.begin(), kept.end(), 0);
  std::make_heap(kept.begin(), kept.end(), in_order);
  T last = x[kept.front() * step];
  for (auto i = static_cast<std::int64_t>(kept.size()); i < n; ++i) {
    if (precedes(x[i * step], last, descending)) {
      std::pop_heap(kept.begin(), kept.end(), in_order);
      kept.back() = i;
      std::push_heap(kept.begin(), kept.end(), in_order);
      last = x[kept.front() * step];
    }
  }
  std::sort_heap(kept.begin(), kept.end(), in_order);
}

}  // namespace

void first_in_order(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n,
                    std::int64_t inner, std::int64_t count, bool descending) {
  if (count == 0 || inner == 0) {
    return;
  }
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    runtime::parallel_for(outer, [&](std::int64_t o) {
      std::vector<std::int64_t> kept(static_cast<std::size_t>(count));
      for (std::int64_t i = 0; i < inner; ++i) {
        find_first(static_cast<const T*>(in) + o * n * inner + i, n, inner, descending, kept);
        for (std::int64_t k = 0; k < count; ++k) {
          out[(o * count + k) * inner + i] = kept[static_cast<std::size_t>(k)];
        }
      }
    });
  });
}

}  // namespace xgrad::kernels
