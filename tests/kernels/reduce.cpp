#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

BOOST_AUTO_TEST_SUITE(kernels_reduce)

namespace {

using namespace xgrad;
using kernels::Reduction;

struct Sizes {
  std::int64_t outer, n, inner;
};

std::ostream& operator<<(std::ostream& out, const Sizes& s) {
  return out << "(" << s.outer << ", " << s.n << ", " << s.inner << ")";
}

/// Short and long rows, narrow and wide columns, and sizes that are cut in several ways.
const Sizes all_sizes[] = {{1, 1, 1},     {1, 7, 1},     {5, 10, 1},     {64, 10, 1},   {67, 16, 1},
                           {9, 17, 1},    {3, 100, 1},   {2, 1025, 1},   {4, 5000, 1},  {1, 200'000, 1},
                           {300, 301, 1}, {1, 64, 10},   {1, 1, 5},      {2, 3, 15},    {1, 50, 16},
                           {1, 64, 128},  {3, 65, 129},  {2, 130, 33},   {1, 3, 3000},  {1, 20'000, 10},
                           {7, 9, 2},     {40, 11, 300}, {2, 40'000, 1}, {1, 70'001, 3}};

template <class T>
long double reduce_naively(Reduction kind, const std::vector<T>& x, const Sizes& s, std::int64_t o, std::int64_t i) {
  const auto at = [&](std::int64_t k) {
    return static_cast<long double>(x[static_cast<std::size_t>((o * s.n + k) * s.inner + i)]);
  };
  long double result = at(0);
  if (kind == Reduction::logsumexp) {
    long double sum = 0;
    for (std::int64_t k = 0; k < s.n; ++k) {
      sum += std::exp(at(k));
    }
    return std::log(sum);
  }
  for (std::int64_t k = 1; k < s.n; ++k) {
    switch (kind) {
      case Reduction::sum: result += at(k); break;
      case Reduction::prod: result *= at(k); break;
      case Reduction::amax: result = std::max(result, at(k)); break;
      default: result = std::min(result, at(k)); break;
    }
  }
  return result;
}

/// The size that rounding errors are compared with: of a sum, the sum of the magnitudes.
template <class T>
long double scale_of(Reduction kind, const std::vector<T>& x, const Sizes& s, std::int64_t o, std::int64_t i,
                     long double exact) {
  if (kind != Reduction::sum) {
    return std::max(std::abs(exact), 1e-30L);
  }
  long double scale = 0;
  for (std::int64_t k = 0; k < s.n; ++k) {
    scale += std::abs(static_cast<long double>(x[static_cast<std::size_t>((o * s.n + k) * s.inner + i)]));
  }
  return scale;
}

/// \param tolerance in units of the type's epsilon.
template <class T, class Result = T>
void check(Reduction kind, double low, double high, double tolerance) {
  for (const Sizes& s : all_sizes) {
    const auto x = naive::random_elements<T>(static_cast<std::size_t>(s.outer * s.n * s.inner), low, high);
    std::vector<Result> out(static_cast<std::size_t>(s.outer * s.inner), Result{42});
    kernels::reduce(kind, dtype_of<T>(), x.data(), out.data(), s.outer, s.n, s.inner);
    long double worst = 0;
    for (std::int64_t o = 0; o < s.outer; ++o) {
      for (std::int64_t i = 0; i < s.inner; ++i) {
        const long double exact = reduce_naively(kind, x, s, o, i);
        const auto result = static_cast<long double>(out[static_cast<std::size_t>(o * s.inner + i)]);
        if (std::isnan(result)) {
          worst = std::numeric_limits<long double>::infinity();
        } else if (result != exact) {
          worst = std::max(worst, std::abs(result - exact) / scale_of(kind, x, s, o, i, exact));
        }
      }
    }
    const auto unit = static_cast<long double>(std::numeric_limits<Result>::epsilon());
    BOOST_TEST(worst <= tolerance * unit, s << ": off by " << worst);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(floating, T, decltype(std::tuple<float, double>())) {
  check<T>(Reduction::sum, -1, 1, 4);
  check<T>(Reduction::sum, 0, 1, 4);
  check<T>(Reduction::amax, -5, 5, 0);
  check<T>(Reduction::amax, -5, -4, 0);
  check<T>(Reduction::amin, -5, 5, 0);
  check<T>(Reduction::amin, 4, 5, 0);
  check<T>(Reduction::logsumexp, 0, 30, 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(products, T, decltype(std::tuple<float, double>())) {
  for (const Sizes& s : all_sizes) {
    // Powers of two: exact in any order.
    const auto exponents = naive::random_elements<int>(static_cast<std::size_t>(s.outer * s.n * s.inner), -1.99, 1.99);
    std::vector<T> x;
    for (const int e : exponents) {
      x.push_back(std::ldexp(T{1}, s.n > 100 ? 0 : e));
    }
    x[0] = 3;
    std::vector<T> out(static_cast<std::size_t>(s.outer * s.inner));
    kernels::reduce(Reduction::prod, dtype_of<T>(), x.data(), out.data(), s.outer, s.n, s.inner);
    for (std::int64_t o = 0; o < s.outer; ++o) {
      for (std::int64_t i = 0; i < s.inner; ++i) {
        BOOST_REQUIRE(out[static_cast<std::size_t>(o * s.inner + i)] ==
                      static_cast<T>(reduce_naively(Reduction::prod, x, s, o, i)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(integers) {
  check<std::uint8_t, std::int64_t>(Reduction::sum, 0, 255, 0);
  check<std::int32_t, std::int64_t>(Reduction::sum, -2e9, 2e9, 0);
  check<std::int64_t>(Reduction::sum, -1e12, 1e12, 0);
  check<std::uint8_t>(Reduction::amax, 0, 200, 0);
  check<std::uint8_t>(Reduction::amin, 3, 200, 0);
  check<std::int32_t>(Reduction::amax, -100, -10, 0);
  check<std::int32_t>(Reduction::amin, -100, -10, 0);
  check<std::int64_t>(Reduction::amax, -1e15, 1e15, 0);
  check<std::int64_t>(Reduction::amin, -1e15, 1e15, 0);
  const std::int32_t three[] = {2, -3, 7};
  std::int32_t product = 0;
  kernels::reduce(Reduction::prod, DType::int32, three, &product, 1, 3, 1);
  BOOST_TEST(product == -42);
}

BOOST_AUTO_TEST_CASE(booleans) {
  for (const Sizes& s : all_sizes) {
    const auto size = static_cast<std::size_t>(s.outer * s.n * s.inner);
    const auto results = static_cast<std::size_t>(s.outer * s.inner);
    const std::unique_ptr<bool[]> x(new bool[size]);
    const std::unique_ptr<bool[]> out(new bool[results]);
    std::vector<std::int64_t> sum(results);
    for (const std::size_t hole : {std::size_t{0}, size / 2, size - 1}) {
      std::fill_n(x.get(), size, true);
      x[hole] = false;
      const std::size_t place = hole / static_cast<std::size_t>(s.n * s.inner) * static_cast<std::size_t>(s.inner) +
                                hole % static_cast<std::size_t>(s.inner);
      kernels::reduce(Reduction::all, DType::boolean, x.get(), out.get(), s.outer, s.n, s.inner);
      kernels::reduce(Reduction::sum, DType::boolean, x.get(), sum.data(), s.outer, s.n, s.inner);
      for (std::size_t i = 0; i < results; ++i) {
        BOOST_REQUIRE(out[i] == (i != place));
        BOOST_REQUIRE(sum[i] == s.n - (i == place));
      }
      std::fill_n(x.get(), size, false);
      x[hole] = true;
      kernels::reduce(Reduction::any, DType::boolean, x.get(), out.get(), s.outer, s.n, s.inner);
      for (std::size_t i = 0; i < results; ++i) {
        BOOST_REQUIRE(out[i] == (i == place));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nan_wins, T, decltype(std::tuple<float, double>())) {
  for (const Sizes& s : all_sizes) {
    const auto size = static_cast<std::size_t>(s.outer * s.n * s.inner);
    for (const std::size_t hole : {std::size_t{0}, size / 2, size - 1}) {
      auto x = naive::random_elements<T>(size, -5, 5);
      x[hole] = std::numeric_limits<T>::quiet_NaN();
      std::vector<T> out(static_cast<std::size_t>(s.outer * s.inner));
      const std::size_t place = hole / static_cast<std::size_t>(s.n * s.inner) * static_cast<std::size_t>(s.inner) +
                                hole % static_cast<std::size_t>(s.inner);
      for (const Reduction kind :
           {Reduction::sum, Reduction::prod, Reduction::amax, Reduction::amin, Reduction::logsumexp}) {
        kernels::reduce(kind, dtype_of<T>(), x.data(), out.data(), s.outer, s.n, s.inner);
        for (std::size_t i = 0; i < out.size(); ++i) {
          BOOST_REQUIRE_MESSAGE(std::isnan(out[i]) == (i == place), s << " kind " << static_cast<int>(kind));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(logsumexp_of_extremes, T, decltype(std::tuple<float, double>())) {
  const T inf = std::numeric_limits<T>::infinity();
  for (const std::int64_t n : {1, 3, 10, 16, 40, 3000}) {
    for (const std::int64_t inner : {1, 5, 40}) {
      const auto size = static_cast<std::size_t>(n * inner);
      std::vector<T> out(static_cast<std::size_t>(inner));
      const auto result = [&](const std::vector<T>& x) {
        kernels::reduce(Reduction::logsumexp, dtype_of<T>(), x.data(), out.data(), 1, n, inner);
        return out.back();
      };
      std::vector<T> x(size, -inf);
      BOOST_TEST(result(x) == -inf);
      x.back() = 5;
      BOOST_TEST(result(x) == T{5});
      x.back() = inf;
      BOOST_TEST(result(x) == inf);
      x.assign(size, 1000);
      BOOST_TEST(result(x) == 1000 + std::log(static_cast<T>(n)), boost::test_tools::tolerance(T(1e-6)));
      x.assign(size, -100'000);
      BOOST_TEST(result(x) == -100'000 + std::log(static_cast<T>(n)), boost::test_tools::tolerance(T(1e-6)));
    }
  }
}

BOOST_AUTO_TEST_CASE(of_nothing) {
  float out[3] = {9, 9, 9};
  const auto check_value = [&](Reduction kind, float expected) {
    kernels::reduce(kind, DType::float32, nullptr, out, 3, 0, 1);
    for (const float each : out) {
      BOOST_TEST(each == expected);
    }
  };
  check_value(Reduction::sum, 0);
  check_value(Reduction::prod, 1);
  check_value(Reduction::logsumexp, -std::numeric_limits<float>::infinity());
  bool truth = false;
  kernels::reduce(Reduction::all, DType::boolean, nullptr, &truth, 1, 0, 1);
  BOOST_TEST(truth);
  kernels::reduce(Reduction::any, DType::boolean, nullptr, &truth, 1, 0, 1);
  BOOST_TEST(!truth);
  std::int64_t count = 5;
  kernels::reduce(Reduction::sum, DType::int32, nullptr, &count, 1, 0, 1);
  BOOST_TEST(count == 0);
  kernels::reduce(Reduction::sum, DType::float32, nullptr, nullptr, 0, 5, 3);
}

BOOST_AUTO_TEST_CASE(the_sum_of_ten_million_tenths) {
  const std::vector<float> x(10'000'000, 0.1F);
  float sum = 0;
  kernels::reduce(Reduction::sum, DType::float32, x.data(), &sum, 1, 10'000'000, 1);
  BOOST_TEST(sum == 1e6F, boost::test_tools::tolerance(1e-6F));
  kernels::reduce(Reduction::sum, DType::float32, x.data(), &sum, 1, 10'000'000, 1);
  float columns[2];
  kernels::reduce(Reduction::sum, DType::float32, x.data(), columns, 1, 5'000'000, 2);
  BOOST_TEST(columns[1] == 5e5F, boost::test_tools::tolerance(1e-6F));
}

template <class T>
void check_positions(const std::vector<T>& x, const Sizes& s) {
  std::vector<std::int64_t> largest(static_cast<std::size_t>(s.outer * s.inner));
  std::vector<std::int64_t> smallest = largest;
  kernels::argmax(dtype_of<T>(), x.data(), largest.data(), s.outer, s.n, s.inner);
  kernels::argmin(dtype_of<T>(), x.data(), smallest.data(), s.outer, s.n, s.inner);
  for (std::int64_t o = 0; o < s.outer; ++o) {
    for (std::int64_t i = 0; i < s.inner; ++i) {
      const auto at = [&](std::int64_t k) { return x[static_cast<std::size_t>((o * s.n + k) * s.inner + i)]; };
      std::int64_t most = 0;
      std::int64_t least = 0;
      for (std::int64_t k = 1; k < s.n; ++k) {
        const bool nan = at(k) != at(k);
        most = at(most) == at(most) && (at(k) > at(most) || nan) ? k : most;
        least = at(least) == at(least) && (at(k) < at(least) || nan) ? k : least;
      }
      BOOST_REQUIRE(largest[static_cast<std::size_t>(o * s.inner + i)] == most);
      BOOST_REQUIRE(smallest[static_cast<std::size_t>(o * s.inner + i)] == least);
    }
  }
}

BOOST_AUTO_TEST_CASE(positions_of_extrema) {
  for (const Sizes& s : all_sizes) {
    const auto size = static_cast<std::size_t>(s.outer * s.n * s.inner);
    check_positions(naive::random_elements<float>(size, -5, 5), s);
    check_positions(naive::random_elements<std::int32_t>(size, -5, 5), s);  // many ties
    check_positions(naive::random_elements<std::int64_t>(size, -1e15, 1e15), s);
    check_positions(naive::random_elements<std::uint8_t>(size, 0, 3), s);
    auto x = naive::random_elements<double>(size, -5, 5);
    x[size / 2] = x[size - 1] = std::numeric_limits<double>::quiet_NaN();
    check_positions(x, s);
  }
}

BOOST_AUTO_TEST_CASE(same_bits_for_any_number_of_threads) {
  for (const Sizes& s : all_sizes) {
    const auto x = naive::random_elements<float>(static_cast<std::size_t>(s.outer * s.n * s.inner), -5, 5);
    for (const Reduction kind : {Reduction::sum, Reduction::logsumexp}) {
      std::vector<float> first;
      for (const int threads : {1, 2, 3}) {
        const testing::Threads setting(threads);
        std::vector<float> out(static_cast<std::size_t>(s.outer * s.inner));
        kernels::reduce(kind, DType::float32, x.data(), out.data(), s.outer, s.n, s.inner);
        first = first.empty() ? out : first;
        BOOST_TEST(std::memcmp(out.data(), first.data(), out.size() * sizeof(float)) == 0);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
