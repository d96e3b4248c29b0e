#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "autograd/kernels/choose.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

BOOST_AUTO_TEST_SUITE(kernels_matmul)

namespace {

using namespace xgrad;

struct Product {
  std::int64_t m, n, k;
};

/// Single numbers, vectors, layers of small networks, and sizes around where products are cut.
const Product products[] = {{1, 1, 1},      {1, 17, 5},     {17, 1, 5},     {3, 5, 1},      {64, 10, 128},
                            {10, 128, 64},  {64, 128, 784}, {784, 128, 64}, {129, 67, 255}, {33, 1030, 40},
                            {1030, 33, 40}, {1, 500, 700},  {700, 1, 500},  {300, 300, 300}};

/// Whole numbers, of which sums of products are exact in every order: the result has one right value.
template <class T>
std::vector<T> whole_numbers(std::int64_t rows, std::int64_t columns, unsigned seed) {
  auto elements = naive::random_elements<T>(static_cast<std::size_t>(rows * columns), -8, 8, seed);
  for (T& each : elements) {
    each = std::trunc(each);
  }
  return elements;
}

template <class T>
void check(const Product& p, bool transpose_a, bool transpose_b, bool accumulate) {
  const auto a = whole_numbers<T>(p.m, p.k, 1);
  const auto b = whole_numbers<T>(p.k, p.n, 2);
  const auto start = whole_numbers<T>(p.m, p.n, 3);
  std::vector<T> c = accumulate ? start : std::vector<T>(start.size(), std::numeric_limits<T>::quiet_NaN());
  kernels::matmul(dtype_of<T>(), transpose_a, transpose_b, p.m, p.n, p.k, a.data(), b.data(), c.data(), accumulate);
  std::size_t wrong = 0;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      const auto at = static_cast<std::size_t>(i * p.n + j);
      T exact = accumulate ? start[at] : T{0};
      for (std::int64_t l = 0; l < p.k; ++l) {
        exact += a[static_cast<std::size_t>(transpose_a ? l * p.m + i : i * p.k + l)] *
                 b[static_cast<std::size_t>(transpose_b ? j * p.k + l : l * p.n + j)];
      }
      wrong += c[at] != exact;
    }
  }
  BOOST_TEST(wrong == 0U, p.m << " x " << p.n << " x " << p.k << " transposed " << transpose_a << transpose_b
                              << " accumulating " << accumulate);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_layouts, T, decltype(std::tuple<float, double>())) {
  for (const Product& p : products) {
    for (int flags = 0; flags < 8; ++flags) {
      check<T>(p, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(without_inner_elements) {
  float c[] = {1, 2, 3, 4};
  kernels::matmul(DType::float32, false, false, 2, 2, 0, nullptr, nullptr, c, true);
  BOOST_TEST(c[3] == 4.0F);
  kernels::matmul(DType::float32, false, false, 2, 2, 0, nullptr, nullptr, c);
  BOOST_TEST(c[0] == 0.0F);
  BOOST_TEST(c[3] == 0.0F);
  kernels::matmul(DType::float32, false, false, 0, 2, 3, nullptr, nullptr, nullptr);
  kernels::matmul(DType::float32, false, false, 2, 0, 3, nullptr, nullptr, nullptr);
}

BOOST_AUTO_TEST_CASE(nan_and_infinity_pass_through) {
  const float inf = std::numeric_limits<float>::infinity();
  const float a[] = {inf, 1, 0, std::numeric_limits<float>::quiet_NaN()};
  const float b[] = {1, 0, 0, 1};
  float c[4];
  kernels::matmul(DType::float32, false, false, 2, 2, 2, a, b, c);
  BOOST_TEST(c[0] == inf);
  BOOST_TEST(std::isnan(c[1]));  // inf * 0
  BOOST_TEST(std::isnan(c[2]));
  BOOST_TEST(std::isnan(c[3]));
}

/// The sum over k in order, with fused multiply-adds.
template <class T>
T sum_in_order(const T* a, std::int64_t a_step, const T* b, std::int64_t b_step, std::int64_t k, T sum) {
  for (std::int64_t p = 0; p < k; ++p) {
    sum = std::fma(a[p * a_step], b[p * b_step], sum);
  }
  return sum;
}

/// Lanes of 256 bytes, element p in lane p mod their number, added by halves.
template <class T>
T sum_in_lanes(const T* a, std::int64_t a_step, const T* b, std::int64_t b_step, std::int64_t k) {
  constexpr std::size_t lane_count = 256 / sizeof(T);
  T lanes[lane_count] = {};
  for (std::int64_t p = 0; p < k; ++p) {
    T& lane = lanes[static_cast<std::size_t>(p) % lane_count];
    lane = std::fma(a[p * a_step], b[p * b_step], lane);
  }
  for (std::size_t half = lane_count / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      lanes[i] += lanes[i + half];
    }
  }
  return lanes[0];
}

/// A matrix whose rows lie apart, and not an element more.
template <class T>
struct Matrix {
  Matrix(std::int64_t rows, std::int64_t columns, std::int64_t gap, unsigned seed)
      : stride(columns + gap),
        elements(naive::random_elements<T>(static_cast<std::size_t>((rows - 1) * stride + columns), -1, 1, seed)) {}
  std::int64_t stride;
  std::vector<T> elements;
};

/// Around the sizes of tiles, panels and blocks of every instruction set.
const Product blocks[] = {{1, 7, 3},     {2, 2, 2},    {5, 16, 9},    {6, 8, 255},    {7, 9, 256},    {13, 31, 257},
                          {14, 32, 64},  {15, 33, 65}, {28, 10, 128}, {29, 17, 40},   {100, 4, 30},   {57, 97, 512},
                          {4, 300, 60},  {512, 70, 9}, {505, 33, 60}, {20, 300, 513}, {30, 1024, 20}, {1, 70, 1024},
                          {70, 1, 1030}, {1, 1, 1000}, {256, 70, 100}};

/// a b, or c + a b, of matrices whose transposes may be in memory.
template <class T>
kernels::ProductCall call_of(const Product& size, const Matrix<T>& a, bool transpose_a, const Matrix<T>& b,
                             bool transpose_b, std::vector<T>& c, bool accumulate) {
  return {dtype_of<T>(),
          size.m,
          size.n,
          size.k,
          {a.elements.data(), a.stride, transpose_a},
          {b.elements.data(), b.stride, transpose_b},
          c.data(),
          static_cast<std::int64_t>(c.size()) / size.m,
          accumulate};
}

struct Layout {
  bool transpose_a, transpose_b, accumulate;
  std::int64_t gap;  ///< between the rows of the factors
};

/// The product in a matrix that is wider than it, between marks that have to stay.
template <class T>
void check_each_sum(const Product& size, const Layout& layout) {
  const bool ta = layout.transpose_a;
  const bool tb = layout.transpose_b;
  const Matrix<T> a(ta ? size.k : size.m, ta ? size.m : size.k, layout.gap, 1);
  const Matrix<T> b(tb ? size.n : size.k, tb ? size.k : size.n, layout.gap, 2);
  const std::int64_t stride = size.n + 3;
  constexpr T mark = 7;
  std::vector<T> c(static_cast<std::size_t>(size.m * stride), mark);
  kernels::multiply_block(call_of(size, a, ta, b, tb, c, layout.accumulate), size.m == 1 || size.n == 1);
  // A vector with vectors that are each in one piece.
  const bool in_lanes = size.n == 1 ? !ta || (size.m == 1 && a.stride == 1) : size.m == 1 && tb;
  std::size_t wrong = 0;
  for (std::int64_t i = 0; i < size.m; ++i) {
    for (std::int64_t j = 0; j < stride; ++j) {
      const T* row = a.elements.data() + (ta ? i : i * a.stride);
      const T* column = b.elements.data() + (tb ? j * b.stride : j);
      const std::int64_t a_step = ta ? a.stride : 1;
      const std::int64_t b_step = tb ? 1 : b.stride;
      const T before = layout.accumulate ? mark : T{0};
      const T expected = j >= size.n ? mark
                         : in_lanes  ? before + sum_in_lanes(row, a_step, column, b_step, size.k)
                                     : sum_in_order(row, a_step, column, b_step, size.k, before);
      wrong += c[static_cast<std::size_t>(i * stride + j)] != expected;
    }
  }
  BOOST_TEST(wrong == 0U, size.m << " x " << size.n << " x " << size.k << " transposed " << ta << tb << " accumulating "
                                 << layout.accumulate << " gap " << layout.gap);
}

bool has_own_products() {
  return kernels::chosen_kernels().product[static_cast<int>(DType::float32)].multiply != nullptr;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_element_is_one_sum, T, decltype(std::tuple<float, double>())) {
  if (!has_own_products()) {
    return;  // BLAS multiplies
  }
  for (const Product& size : blocks) {
    for (int flags = 0; flags < 8; ++flags) {
      for (const std::int64_t gap : {0, 5}) {
        check_each_sum<T>(size, {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, gap});
      }
      // Rows that are a multiple of 2 KiB apart, of either type.
      check_each_sum<T>({size.m, size.n, 40}, {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0,
                                               1024 - ((flags & 1) != 0 ? size.m : 40)});
    }
  }
}

// Rows of a are copied once for all of b's columns: in several blocks along each axis, and in one.
BOOST_AUTO_TEST_CASE_TEMPLATE(each_element_is_one_sum_where_blocks_are_kept, T, decltype(std::tuple<float, double>())) {
  if (!has_own_products()) {
    return;  // BLAS multiplies
  }
  const std::int64_t two_blocks = 2048 / static_cast<std::int64_t>(sizeof(T));
  for (const Product& size : {Product{two_blocks, 330, 290}, Product{100, 330, 60}}) {
    for (int flags = 0; flags < 4; ++flags) {
      const bool transpose_a = (flags & 1) != 0;
      check_each_sum<T>(
          size, {transpose_a, (flags & 2) != 0, flags == 1 || flags == 2, 1024 - (transpose_a ? size.m : size.k)});
    }
  }
}

/// A row of a block, or all of it, is what it is in the whole product.
template <class T>
void check_blocks(const Product& size, bool transpose_a, bool transpose_b) {
  const Matrix<T> a(transpose_a ? size.k : size.m, transpose_a ? size.m : size.k, 0, 1);
  const Matrix<T> b(transpose_b ? size.n : size.k, transpose_b ? size.k : size.n, 0, 2);
  std::vector<T> whole(static_cast<std::size_t>(size.m * size.n));
  std::vector<T> cut = whole;
  kernels::ProductCall call = call_of(size, a, transpose_a, b, transpose_b, whole, false);
  kernels::matmul(call);
  const std::int64_t height = 32;
  for (std::int64_t i = 0; i < size.m; i += height) {
    call.m = std::min(height, size.m - i);
    call.a.data = a.elements.data() + (transpose_a ? i : i * a.stride);
    call.c = cut.data() + i * size.n;
    kernels::multiply_block(call, size.n == 1);
  }
  BOOST_TEST((whole == cut),
             size.m << " x " << size.n << " x " << size.k << " transposed " << transpose_a << transpose_b);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(blocks_have_the_bits_of_the_whole, T, decltype(std::tuple<float, double>())) {
  if (!has_own_products()) {
    return;  // BLAS multiplies
  }
  for (int flags = 0; flags < 4; ++flags) {
    check_blocks<T>({129, 250, 300}, (flags & 1) != 0, (flags & 2) != 0);  // the last block is one row
    check_blocks<T>({300, 700, 200}, (flags & 1) != 0, (flags & 2) != 0);
    check_blocks<T>({65, 1, 500}, (flags & 1) != 0, (flags & 2) != 0);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(same_bits_for_any_number_of_threads, T, decltype(std::tuple<float, double>())) {
  for (const Product& p : products) {
    const auto a = naive::random_elements<T>(static_cast<std::size_t>(p.m * p.k), -1, 1);
    const auto b = naive::random_elements<T>(static_cast<std::size_t>(p.k * p.n), -1, 1, 2);
    for (int flags = 0; flags < 4; ++flags) {
      std::vector<T> first;
      for (const int threads : {1, 2, 3}) {
        const testing::Threads setting(threads);
        std::vector<T> c(static_cast<std::size_t>(p.m * p.n));
        kernels::matmul(dtype_of<T>(), (flags & 1) != 0, (flags & 2) != 0, p.m, p.n, p.k, a.data(), b.data(), c.data());
        first = first.empty() ? c : first;
        BOOST_TEST(std::memcmp(c.data(), first.data(), c.size() * sizeof(T)) == 0,
                   p.m << " x " << p.n << " x " << p.k << " on " << threads << " threads");
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
