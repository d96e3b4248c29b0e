#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/kernels/choose.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(kernels_rounded_products)

namespace {

/// A product whose factors are rounded.
struct Rounded {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b, accumulate;
  ProductPrecision precision;

  const float* a;
  const float* b;

  float a_at(std::int64_t i, std::int64_t p) const { return a[transpose_a ? p * m + i : i * k + p]; }
  float b_at(std::int64_t p, std::int64_t j) const { return b[transpose_b ? j * k + p : p * n + j]; }
};

float high(float x) { return static_cast<float>(BFloat16(x)); }
float low(float x) { return high(x - high(x)); }

/// c + a b for some k: every 32 of them, even ones and odd ones each in a chain.
template <class A, class B>
float sum_of_pairs(float c, std::int64_t first, std::int64_t last, const A& a, const B& b) {
  for (std::int64_t begin = first; begin < last; begin += 32) {
    float sums[2] = {};
    for (std::int64_t p = begin; p < std::min(begin + 32, last); ++p) {
      sums[(p - begin) % 2] = std::fma(a(p), b(p), sums[(p - begin) % 2]);
    }
    c += sums[0] + sums[1];
  }
  return c;
}

float element_of(const Rounded& product, std::int64_t i, std::int64_t j, float start) {
  const auto a_high = [&](std::int64_t p) { return high(product.a_at(i, p)); };
  const auto b_high = [&](std::int64_t p) { return high(product.b_at(p, j)); };
  const auto a_low = [&](std::int64_t p) { return low(product.a_at(i, p)); };
  const auto b_low = [&](std::int64_t p) { return low(product.b_at(p, j)); };
  float c = product.accumulate ? start : 0.0F;
  for (std::int64_t first = 0; first < product.k; first += 512) {
    const std::int64_t last = std::min<std::int64_t>(first + 512, product.k);
    if (product.precision == ProductPrecision::bfloat16_3x) {
      c += sum_of_pairs(sum_of_pairs(0, first, last, a_low, b_high), first, last, a_high, b_low);
    }
    c = sum_of_pairs(c, first, last, a_high, b_high);
  }
  return c;
}

std::vector<float> multiply(const Rounded& product, std::vector<float> c) {
  kernels::matmul(DType::float32, product.transpose_a, product.transpose_b, product.m, product.n, product.k, product.a,
                  product.b, c.data(), product.accumulate, product.precision);
  return c;
}

std::vector<float> random_numbers(std::int64_t rows, std::int64_t columns, unsigned seed) {
  return naive::random_elements<float>(static_cast<std::size_t>(rows * columns), -1, 1, seed);
}

struct Size {
  std::int64_t m, n, k;
};

/// Around the sizes of tiles and blocks, and some that are cut into pieces.
const Size sizes[] = {{1, 1, 1},     {2, 3, 5},     {16, 16, 32},  {17, 15, 33},  {32, 32, 64},
                      {33, 47, 31},  {1, 70, 100},  {70, 1, 100},  {10, 48, 512}, {48, 10, 513},
                      {31, 33, 700}, {520, 20, 40}, {20, 1030, 8}, {300, 270, 20}};

/// x 1 = x, as its rounding leaves it.
float rounded_by_product(float x, ProductPrecision precision) {
  const float one = 1;
  return multiply({1, 1, 1, false, false, false, precision, &x, &one}, {0})[0];
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_element_is_the_sum_of_pairs) {
  for (const auto [m, n, k] : sizes) {
    const std::vector<float> a = random_numbers(m, k, 1);
    const std::vector<float> b = random_numbers(k, n, 2);
    const std::vector<float> start = random_numbers(m, n, 3);
    for (int flags = 0; flags < 16; ++flags) {
      const Rounded product{m,
                            n,
                            k,
                            (flags & 1) != 0,
                            (flags & 2) != 0,
                            (flags & 4) != 0,
                            (flags & 8) != 0 ? ProductPrecision::bfloat16_3x : ProductPrecision::bfloat16,
                            a.data(),
                            b.data()};
      const std::vector<float> c = multiply(product, start);
      std::size_t wrong = 0;
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
          const auto at = static_cast<std::size_t>(i * n + j);
          wrong += c[at] != element_of(product, i, j, start[at]);
        }
      }
      BOOST_TEST(wrong == 0U, m << " x " << n << " x " << k << " flags " << flags);
    }
  }
}

BOOST_AUTO_TEST_CASE(factors_are_rounded_to_the_nearest_even) {
  const auto rounded = [](float x) { return rounded_by_product(x, ProductPrecision::bfloat16); };
  BOOST_TEST(rounded(1.0F + 0x1p-8F) == 1.0F);            // in the middle: the even one
  BOOST_TEST(rounded(1.0F + 0x3p-8F) == 1.0F + 0x2p-7F);  // in the middle
  BOOST_TEST(rounded(1.0F + 0x1p-8F + 0x1p-20F) == 1.0F + 0x1p-7F);
  BOOST_TEST(rounded(-3.14159274F) == -3.140625F);
  BOOST_TEST(rounded_by_product(1.0F + 0x1p-8F, ProductPrecision::bfloat16_3x) == 1.0F + 0x1p-8F);
  BOOST_TEST(rounded_by_product(1.0F + 0x1p-15F, ProductPrecision::bfloat16_3x) == 1.0F + 0x1p-15F);
}

BOOST_AUTO_TEST_CASE(nan_and_infinity_come_through) {
  const float inf = std::numeric_limits<float>::infinity();
  for (const ProductPrecision precision : {ProductPrecision::bfloat16, ProductPrecision::bfloat16_3x}) {
    BOOST_TEST(rounded_by_product(inf, precision) == inf);
    BOOST_TEST(rounded_by_product(-inf, precision) == -inf);
    BOOST_TEST(std::isnan(rounded_by_product(std::numeric_limits<float>::quiet_NaN(), precision)));
    BOOST_TEST(rounded_by_product(std::numeric_limits<float>::max(), precision) == inf);  // the nearest there is
    const float a[] = {inf, 1};
    const float b[] = {0, 1};
    BOOST_TEST(std::isnan(multiply({1, 1, 2, false, false, false, precision, a, b}, {0})[0]));
  }
}

/// Three rows and two columns, and nothing else; with the bits of vectors, where this CPU has instructions made for it.
BOOST_AUTO_TEST_CASE(what_is_not_finite_goes_where_it_goes_by_vectors) {
  constexpr std::int64_t m = 33, n = 47, k = 70;
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> a = random_numbers(m, k, 1);
  std::vector<float> b = random_numbers(k, n, 2);
  a[3 * k + 1] = inf;
  a[20 * k + 69] = std::numeric_limits<float>::quiet_NaN();
  a[32 * k + 34] = std::numeric_limits<float>::max();
  b[1 * n + 46] = -inf;
  b[34 * n + 5] = 0;
  b[69 * n + 5] = std::numeric_limits<float>::lowest();
  for (const int parts : {1, 2}) {
    const ProductPrecision precision = parts == 1 ? ProductPrecision::bfloat16 : ProductPrecision::bfloat16_3x;
    const std::vector<float> c =
        multiply({m, n, k, false, false, false, precision, a.data(), b.data()}, std::vector<float>(m * n));
    std::vector<float> expected(m * n);
    const kernels::ProductJob job{m,     n,     k,    {a.data(), k, false}, {b.data(), n, false}, expected.data(), n, 1,
                                  false, false, parts};
    const kernels::ProductKernels& by_vectors = kernels::chosen_kernels().rounded_product;
    std::vector<char> scratch(by_vectors.scratch_bytes(job));
    by_vectors.multiply(job, scratch.data());
    std::size_t wrong = 0, not_finite = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      wrong += !(c[i] == expected[i] || (std::isnan(c[i]) && std::isnan(expected[i])));
      not_finite += !std::isfinite(c[i]);
    }
    BOOST_TEST(wrong == 0U, to_string(precision));
    BOOST_TEST(not_finite == 3U * n + 2U * (m - 3));
  }
}

BOOST_AUTO_TEST_CASE(errors_are_as_small_as_said) {
  constexpr std::int64_t size = 100;
  const std::vector<float> a = random_numbers(size, size, 1);
  const std::vector<float> b = random_numbers(size, size, 2);
  const auto worst_error = [&](ProductPrecision precision) {
    const Rounded product{size, size, size, false, false, false, precision, a.data(), b.data()};
    const std::vector<float> c = multiply(product, std::vector<float>(size * size));
    double worst = 0;  // relative to the sum of absolute products
    for (std::int64_t i = 0; i < size; ++i) {
      for (std::int64_t j = 0; j < size; ++j) {
        double exact = 0;
        double scale = 0;
        for (std::int64_t p = 0; p < size; ++p) {
          const double term = static_cast<double>(product.a_at(i, p)) * static_cast<double>(product.b_at(p, j));
          exact += term;
          scale += std::abs(term);
        }
        worst =
            std::max(worst, std::abs(static_cast<double>(c[static_cast<std::size_t>(i * size + j)]) - exact) / scale);
      }
    }
    return worst;
  };
  const double rough = worst_error(ProductPrecision::bfloat16);
  const double fine = worst_error(ProductPrecision::bfloat16_3x);
  // Each factor is off by 2^-8 or 2^-17 at most, but not all of them, nor all in one direction.
  BOOST_TEST(rough < 0x1p-9);
  BOOST_TEST(rough > 0x1p-11);
  BOOST_TEST(fine < 0x1p-18);
}

BOOST_AUTO_TEST_CASE(any_number_of_threads_gives_the_same_bits) {
  constexpr std::int64_t m = 300, n = 1100, k = 600;
  const std::vector<float> a = random_numbers(m, k, 1);
  const std::vector<float> b = random_numbers(k, n, 2);
  const Rounded product{m, n, k, false, false, false, ProductPrecision::bfloat16, a.data(), b.data()};
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    const testing::Threads scope(threads);
    results.push_back(multiply(product, std::vector<float>(m * n)));
  }
  BOOST_TEST((results[0] == results[1] && results[0] == results[2]));
}

BOOST_AUTO_TEST_CASE(doubles_are_taken_as_they_are) {
  const double a = 1.0 + 0x1p-40;
  const double b = 1;
  double c = 0;
  kernels::matmul(DType::float64, false, false, 1, 1, 1, &a, &b, &c, false, ProductPrecision::bfloat16);
  BOOST_TEST(c == a);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
