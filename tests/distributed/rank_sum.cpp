#include "distributed/rank_sum.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(distributed_rank_sum)

namespace {

using distributed::detail::sum_of_ranks;

template <class T>
std::vector<T> summed(const std::vector<std::vector<T>>& terms) {
  std::vector<const std::byte*> pointers;
  for (const std::vector<T>& term : terms) {
    pointers.push_back(reinterpret_cast<const std::byte*>(term.data()));
  }
  std::vector<T> sum(terms[0].size());
  sum_of_ranks(dtype_of<T>(), pointers, reinterpret_cast<std::byte*>(sum.data()),
               static_cast<std::int64_t>(sum.size()));
  return sum;
}

// Terms of which no two orders give the same bits.
std::vector<std::vector<float>> uneven_terms(std::size_t ranks, std::size_t count) {
  std::vector<std::vector<float>> terms(ranks, std::vector<float>(count));
  for (std::size_t r = 0; r < ranks; ++r) {
    for (std::size_t i = 0; i < count; ++i) {
      terms[r][i] = std::sin(static_cast<float>(1 + r * 7919 + i)) * std::exp2(static_cast<float>((3 * r + i) % 11));
    }
  }
  return terms;
}

}  // namespace

BOOST_AUTO_TEST_CASE(neighbours_come_first) {
  const auto x = uneven_terms(7, 5001);
  const std::vector<float> two = summed<float>({x[0], x[1]});
  const std::vector<float> three = summed<float>({x[0], x[1], x[2]});
  const std::vector<float> four = summed<float>({x[0], x[1], x[2], x[3]});
  const std::vector<float> five = summed<float>({x[0], x[1], x[2], x[3], x[4]});
  const std::vector<float> six = summed<float>({x[0], x[1], x[2], x[3], x[4], x[5]});
  const std::vector<float> seven = summed<float>(x);
  bool differs = false;
  for (std::size_t i = 0; i < two.size(); ++i) {
    const auto at = [&](std::size_t r) { return x[r][i]; };
    BOOST_REQUIRE(two[i] == at(0) + at(1));
    BOOST_REQUIRE(three[i] == (at(0) + at(1)) + at(2));
    BOOST_REQUIRE(four[i] == (at(0) + at(1)) + (at(2) + at(3)));
    BOOST_REQUIRE(five[i] == four[i] + at(4));
    BOOST_REQUIRE(six[i] == four[i] + (at(4) + at(5)));
    BOOST_REQUIRE(seven[i] == four[i] + ((at(4) + at(5)) + at(6)));
    differs = differs || four[i] != ((at(0) + at(1)) + at(2)) + at(3);
  }
  BOOST_TEST(differs);  // so an order that is another one would be found
}

BOOST_AUTO_TEST_CASE(one_rank_and_no_elements) {
  const auto x = uneven_terms(1, 3000);
  BOOST_TEST(summed<float>(x) == x[0]);
  BOOST_TEST(summed<double>({{}, {}}).empty());
}

BOOST_AUTO_TEST_CASE(integers_wrap) {
  const std::int32_t most = std::numeric_limits<std::int32_t>::max();
  BOOST_TEST(summed<std::int32_t>({{most, 1}, {1, 2}, {0, -5}}) ==
             (std::vector<std::int32_t>{std::numeric_limits<std::int32_t>::min(), -2}));
  const std::int64_t large = std::int64_t{1} << 53;
  BOOST_TEST(summed<std::int64_t>({{large}, {1}}) == (std::vector<std::int64_t>{large + 1}));
  BOOST_TEST(summed<double>({{0.1}, {0.2}}) == (std::vector<double>{0.1 + 0.2}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
