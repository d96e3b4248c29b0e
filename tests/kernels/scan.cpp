#include <cmath>
#include <cstdint>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/kernels/kernels.hpp"

BOOST_AUTO_TEST_SUITE(kernels_scan)

namespace {

using namespace xgrad;

/// Rounding does not add up: the last of many float32 sums is as good as the first.
BOOST_AUTO_TEST_CASE(long_sums) {
  constexpr std::int64_t n = 1'000'000;
  for (const std::int64_t inner : {1, 3, 70}) {
    const std::int64_t rows = n / inner;
    const std::vector<float> in(static_cast<std::size_t>(rows * inner), 0.1F);
    std::vector<float> out(in.size());
    for (const bool reverse : {false, true}) {
      kernels::cumulative_sum(DType::float32, in.data(), out.data(), 1, rows, inner, false, reverse);
      const auto last = static_cast<std::size_t>((reverse ? 0 : rows - 1) * inner);
      for (std::size_t i = 0; i < static_cast<std::size_t>(inner); ++i) {
        const double expected = static_cast<double>(0.1F) * static_cast<double>(rows);
        BOOST_TEST(std::abs(out[last + i] - expected) < 1e-6 * expected);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(long_recurrences) {
  // y_k = y_{k-1} / 2 + 1 tends to 2, from either end.
  constexpr std::int64_t n = 100;
  for (const std::int64_t inner : {1, 2, 65}) {
    const auto size = static_cast<std::size_t>(2 * n * inner);
    const std::vector<float> a(size, 0.5F);
    const std::vector<float> b(size, 1.0F);
    std::vector<float> out(size);
    for (const bool reverse : {false, true}) {
      kernels::linear_recurrence(DType::float32, a.data(), b.data(), out.data(), 2, n, inner, reverse);
      for (std::int64_t o = 0; o < 2; ++o) {
        for (std::int64_t k = 0; k < n; ++k) {
          const std::int64_t steps = reverse ? n - k : k + 1;
          const double expected = 2 - std::pow(0.5, static_cast<double>(steps - 1));
          for (std::int64_t i = 0; i < inner; ++i) {
            BOOST_REQUIRE_CLOSE(out[static_cast<std::size_t>((o * n + k) * inner + i)], expected, 1e-5);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(integers_along_either_axis) {
  const std::vector<std::int64_t> in{1, 2, 3, 4, 5, 6};
  std::vector<std::int64_t> out(6);
  kernels::cumulative_sum(DType::int64, in.data(), out.data(), 3, 2, 1, false, false);
  BOOST_TEST(out == (std::vector<std::int64_t>{1, 3, 3, 7, 5, 11}), boost::test_tools::per_element());
  kernels::cumulative_sum(DType::int64, in.data(), out.data(), 1, 3, 2, false, true);
  BOOST_TEST(out == (std::vector<std::int64_t>{9, 12, 8, 10, 5, 6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
