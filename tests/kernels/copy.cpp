#include <algorithm>
#include <numeric>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/kernels/naive.hpp"

BOOST_AUTO_TEST_SUITE(kernels_copy)

namespace {

using namespace xgrad;

/// Copies between two buffers and compares with a loop over indices; what is not written must stay as it was.
template <class T>
void check(const Shape& shape, std::int64_t in_first, const Ints& in_strides, std::int64_t out_first,
           const Ints& out_strides) {
  std::int64_t in_size = 1;
  std::int64_t out_size = 1;
  for (std::int64_t flat = 0; flat < shape.element_count(); ++flat) {
    const auto index = naive::index_of(shape, flat);
    in_size = std::max(in_size, in_first + naive::offset_of(index, in_strides) + 1);
    out_size = std::max(out_size, out_first + naive::offset_of(index, out_strides) + 1);
  }
  std::vector<T> in(static_cast<std::size_t>(in_size));
  std::iota(in.begin(), in.end(), T{1});
  std::vector<T> out(static_cast<std::size_t>(out_size));
  std::vector<T> expected = out;
  for (std::int64_t flat = 0; flat < shape.element_count(); ++flat) {
    const auto index = naive::index_of(shape, flat);
    expected[static_cast<std::size_t>(out_first + naive::offset_of(index, out_strides))] =
        in[static_cast<std::size_t>(in_first + naive::offset_of(index, in_strides))];
  }
  kernels::copy(sizeof(T), shape, in.data() + in_first, in_strides, out.data() + out_first, out_strides);
  BOOST_TEST((out == expected),
             "shape " << to_string(shape) << " from " << to_string(in_strides) << " to " << to_string(out_strides));
}

/// Row-major strides of an array of \p shape whose axes are then permuted.
Ints permuted(const Shape& shape, const std::vector<std::size_t>& order) {
  Shape stored;
  for (const std::size_t axis : order) {
    stored.push_back(shape[axis]);
  }
  const Ints dense = row_major_strides(stored);
  Ints strides = shape;
  for (std::size_t k = 0; k < order.size(); ++k) {
    strides[order[k]] = dense[k];
  }
  return strides;
}

using ElementSizes = std::tuple<std::uint8_t, std::uint32_t, std::uint64_t>;

BOOST_AUTO_TEST_CASE_TEMPLATE(permutations, T, ElementSizes) {
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{33, 5, 65}, Shape{1, 70, 130}, Shape{257, 1, 300}, Shape{4, 4, 4}}) {
    std::vector<std::size_t> in_order{0, 1, 2};
    do {
      std::vector<std::size_t> out_order{0, 1, 2};
      do {
        check<T>(shape, 0, permuted(shape, in_order), 0, permuted(shape, out_order));
      } while (std::next_permutation(out_order.begin(), out_order.end()));
    } while (std::next_permutation(in_order.begin(), in_order.end()));
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(matrices, T, ElementSizes) {
  for (const std::int64_t rows : {1, 4, 31, 130}) {
    for (const std::int64_t columns : {1, 3, 32, 300}) {
      const Shape shape{rows, columns};
      check<T>(shape, 0, {columns, 1}, 0, {columns, 1});
      check<T>(shape, 0, {1, rows}, 0, {columns, 1});
      check<T>(shape, 0, {columns, 1}, 0, {1, rows});
      check<T>(shape, 0, {0, 1}, 0, {columns, 1});
      check<T>(shape, 0, {1, 0}, 0, {columns, 1});
      check<T>(shape, 3, {0, 0}, 0, {columns, 1});
      check<T>(shape, 7, {columns + 5, 1}, 0, {columns, 1});                  // out of a slice
      check<T>(shape, 0, {columns, 1}, 9, {2 * columns, 2});                  // into a slice
      check<T>(shape, 7, {1, rows + 3}, 2, {columns + 4, 1});                 // transposed slices
      check<T>(shape, rows * columns - 1, {-columns, -1}, 0, {columns, 1});   // flipped
      check<T>(shape, 0, {columns, 1}, (rows - 1) * columns, {-columns, 1});  // flipped upside down
      check<T>(shape, rows - 1, {-1, rows}, 0, {columns, 1});                 // a quarter turn
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(large_and_small, T, ElementSizes) {
  check<T>({}, 5, {}, 3, {});
  check<T>({1, 1, 1}, 5, {9, 9, 9}, 3, {0, 0, 0});
  check<T>({500'000}, 0, {1}, 0, {1});
  check<T>({200'000}, 0, {3}, 0, {1});
  check<T>({200'000}, 199'999, {-1}, 0, {1});
  check<T>({100, 2000}, 0, {0, 1}, 0, {2000, 1});
  check<T>({2, 3, 4, 5, 6, 7}, 0, permuted({2, 3, 4, 5, 6, 7}, {3, 0, 5, 1, 4, 2}), 0,
           row_major_strides({2, 3, 4, 5, 6, 7}));
}

BOOST_AUTO_TEST_CASE(nothing) { kernels::copy(4, {0, 3}, nullptr, {3, 1}, nullptr, {3, 1}); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
