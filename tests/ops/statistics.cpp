#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Statistics and other functions of ops where rows of the table do not reach: special numbers, errors, lists.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_statistics)

namespace {

using testing::check_elements;
using testing::check_throws;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

BOOST_AUTO_TEST_CASE(estimates_from_samples) {
  const Tensor x = {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0};
  check_elements(variance(x), {}, {4});
  check_elements(variance(x, {}, false, 1), {}, {32. / 7}, 1e-15);
  check_elements(stddev(x, {}, true, 1), {1}, {std::sqrt(32. / 7)}, 1e-15);
  check_elements(variance(Tensor{3.0}, {}, false, 1), {}, {nan});
  check_elements(cov(x), {}, {32. / 7}, 1e-15);
}

BOOST_AUTO_TEST_CASE(quantiles) {
  const Tensor x = {4.0, 1.0, 3.0, 2.0};
  check_elements(median(x), {}, {2.5});
  check_elements(quantile(x, 0), {}, {1});
  check_elements(quantile(x, 1), {}, {4});
  check_elements(quantile(x, 0.25), {}, {1.75});
  check_elements(median(Tensor{1.0, nan, 2.0}), {}, {nan});
  check_elements(median(Tensor{1.0, inf, 2.0}), {}, {2});
  check_elements(median(Tensor{-inf, inf, 2.0, 3.0}), {}, {2.5});
  check_elements(grad(median(x), x), {4}, {0, 0, 0.5, 0.5});
  const Tensor table = {{1.0, 5.0, 3.0}, {9.0, 7.0, 8.0}};
  check_elements(vmap([](const Tensor& row) { return median(row); })(table), {2}, {3, 8});
  check_throws<ValueError>([&] { quantile(x, 1.5); }, {"[quantile] ", "1.5", "statistics.cpp:"});
  check_throws<ValueError>([&] { quantile(x, nan); }, {"[quantile] "});
  check_throws<ShapeError>([&] { median(zeros({0})); }, {"no element", "statistics.cpp:"});
  check_throws<DTypeError>([&] { median(arange(3, DType::int64)); }, {"[median] ", "int64", "cast"});
}

BOOST_AUTO_TEST_CASE(correlations_stay_within_1) {
  const Tensor x = {{1.0, 2.0, 4.0}, {3.0, 6.0, 12.0}, {-0.1, -0.2, -0.4}};
  check_elements(corrcoef(x), {3, 3}, {1, 1, -1, 1, 1, -1, -1, -1, 1}, 1e-15);
  const Tensor c = corrcoef(x);
  BOOST_TEST(amax(abs(c)).item<double>() <= 1);
  check_elements(corrcoef(Tensor{{1.0, 1.0}, {1.0, 2.0}})[{0, 0}], {}, {nan});
  check_throws<ShapeError>([] { cov(zeros({2, 2, 2})); }, {"[cov] ", "(2, 2, 2)"});
}

BOOST_AUTO_TEST_CASE(neighbours_products_and_grids) {
  const Tensor x = {1.0, 4.0, 9.0, 16.0};
  check_elements(diff(x), {3}, {3, 5, 7});
  check_elements(diff(x, 0), {4}, {1, 4, 9, 16});
  check_elements(diff(x, 9), {0}, {});
  check_throws<ValueError>([&] { diff(x, -1); }, {"[diff] ", "-1"});
  check_throws<DTypeError>([&] { diff(x > 2.0); }, {"[diff] ", "boolean"});
  check_elements(kron(Tensor{{1.0, 2.0}}, Tensor{{3.0}, {4.0}}), {2, 2}, {3, 6, 4, 8});
  check_elements(cross(Tensor{1.0, 0.0, 0.0}, Tensor{0.0, 1.0, 0.0}), {3}, {0, 0, 1});
  check_elements(cross(transpose(Tensor{{1.0, 0.0, 0.0}}), transpose(Tensor{{0.0, 0.0, 1.0}}), 0), {3, 1}, {0, -1, 0});
  check_throws<ShapeError>([&] { cross(x, x); }, {"[cross] ", "three components", "statistics.cpp:"});
  const Tensors grids = meshgrid({Tensor{1.0, 2.0}, Tensor{3.0, 4.0, 5.0}});
  check_elements(grids.at(0), {2, 3}, {1, 1, 1, 2, 2, 2});
  check_elements(grids.at(1), {2, 3}, {3, 4, 5, 3, 4, 5});
  check_throws<ShapeError>([] { meshgrid({zeros({2, 2})}); }, {"[meshgrid] ", "(2, 2)", "statistics.cpp:"});
}

BOOST_AUTO_TEST_CASE(special_numbers) {
  check_elements(xlogy(Tensor{0.0, 0.0, 0.0, 0.0, 2.0, 0.0}, Tensor{0.0, inf, nan, -1.0, 0.0, 3.0}), {6},
                 {0, 0, nan, 0, -inf, 0});
  const Tensor zero = {0.0};
  check_elements(grad(sum(xlogy(zero, Tensor{3.0})), zero), {1}, {std::log(3.0)}, 1e-15);
  check_elements(grad(sum(xlogy(zero, Tensor{0.0})), zero), {1}, {0});
  const Tensor signs = copysign(Tensor{3.0, -3.0, 0.0, 3.0}, Tensor{-0.0, 0.0, -1.0, -inf});
  check_elements(signs, {4}, {-3, 3, 0, -3});
  BOOST_TEST(std::signbit(testing::elements(signs)[2]));
  check_elements(nan_to_num(Tensor{nan, inf, -inf, 1.5}), {4},
                 {0, std::numeric_limits<double>::max(), -std::numeric_limits<double>::max(), 1.5});
  check_elements(nan_to_num(Tensor{std::nanf(""), static_cast<float>(inf)}), {2},
                 {0, static_cast<double>(std::numeric_limits<float>::max())});
  check_elements(nan_to_num(Tensor{nan, inf, -inf}, 7, 8, 9), {3}, {7, 8, 9});
  const Tensor broken = {nan, 2.0, inf};
  check_elements(grad(sum(nan_to_num(broken)), broken), {3}, {0, 1, 0});
  check_elements(logit(Tensor{0.0, 0.5, 1.0, 1e-300}), {4}, {-inf, 0, inf, std::log(1e-300)}, 1e-15);
  check_elements(logit(sigmoid(Tensor{-30.0, 0.3})), {2}, {-30, 0.3}, 1e-14);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
