#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
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
