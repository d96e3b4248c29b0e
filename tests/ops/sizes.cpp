#include <cstdint>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Sizes that are huge, or nothing.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_sizes)

namespace {

using testing::check_elements;
using testing::check_throws;

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t many = std::int64_t{1} << 40;

}  // namespace

BOOST_AUTO_TEST_CASE(diagonals_beyond_the_corners_are_empty) {
  const Tensor x = ones({2, 3});
  for (const std::int64_t offset : {least, least + 1, most, std::int64_t{-2}, std::int64_t{3}}) {
    check_elements(diagonal(x, offset), {0}, {});
  }
  check_elements(diagonal(reshape(arange(6), {2, 3}), -1), {1}, {3});
  check_elements(diagonal(reshape(arange(6), {2, 3}), 2), {1}, {2});
}

BOOST_AUTO_TEST_CASE(sizes_do_not_wrap_around) {
  check_throws<ValueError>([] { pad(ones({2}), {most}, {most}); }, {"[pad] widths are 0 or more, and sizes less"});
  check_throws<ValueError>([] { pad(ones({2}), {most - 1}, {0}); }, {"[pad] widths are 0 or more, and sizes less"});
  check_throws<ShapeError>([] { pad(ones({2}), {1, 2}, {1}); }, {"[pad] before (1, 2)", "one number per axis"});
  check_throws<ShapeError>([] { pad(ones({2, 2}), {1, 1}, {1}); }, {"[pad] after (1,)", "one number per axis"});
  const Tensor nothing = zeros({0, most});
  check_throws<ShapeError>(
      [&] {
        concatenate({nothing, nothing}, 1);
      },
      {"[concatenate] the parts have more than 2^63"});
}

BOOST_AUTO_TEST_CASE(a_square_identity_takes_its_dtype) {
  const Tensor x = eye(2, DType::int64);
  BOOST_TEST((x.dtype() == DType::int64));
  check_elements(x, {2, 2}, {1, 0, 0, 1});
}

BOOST_AUTO_TEST_CASE(any_number_of_positions) {
  const Tensors parts = split_at(arange(20), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15});
  BOOST_TEST(parts.size() == 12U);
  check_elements(parts[10], {5}, {10, 11, 12, 13, 14});
  check_throws<ValueError>([] { split_at(arange(3), {2, 1}); }, {"positions (2, 1) must be 0 or more and ascend"});
}

BOOST_AUTO_TEST_CASE(axes_of_products_may_be_longer_than_blas_can_count) {
  const Tensor a = zeros({0, std::int64_t{3} << 31});
  BOOST_TEST(matmul(a, transpose(a)).array().size() == 0);
}

// Each of these would take hours if it went through the axes that are not empty.
BOOST_AUTO_TEST_CASE(nothing_takes_no_time) {
  const Tensor wide = zeros({0, many});
  const Tensor tall = zeros({many, 0});
  for (const Tensor& x : {wide, tall}) {
    for (const std::int64_t axis : {0, 1}) {
      BOOST_TEST(sort(x, axis).array().size() == 0);
      BOOST_TEST(argsort(x, axis).array().size() == 0);
      BOOST_TEST(topk(x, 0, axis).values.array().size() == 0);
      BOOST_TEST(cumsum(x, axis).array().size() == 0);
      BOOST_TEST(cumprod(x, axis).array().size() == 0);
      BOOST_TEST(flip(x, axis).array().size() == 0);
      BOOST_TEST(concatenate({x, x}, axis).array().size() == 0);
      BOOST_TEST(take(x, zeros({0}, DType::int64), axis).array().size() == 0);
    }
    BOOST_TEST(transpose(x).array().size() == 0);
    BOOST_TEST(exp(x + x).array().size() == 0);
  }
  BOOST_TEST(sum(wide, 1).array().size() == 0);
  BOOST_TEST(norm(wide, 1).array().size() == 0);
  BOOST_TEST(amax(wide, 1).array().size() == 0);
  BOOST_TEST(argmax(wide, 1).array().size() == 0);
  const Tensor matrices = zeros({many, 0, 0}, DType::float64);
  BOOST_TEST(matmul(zeros({many, 0, 3}), zeros({many, 3, 0})).array().size() == 0);
  BOOST_TEST(linalg::inv(matrices).array().size() == 0);
  BOOST_TEST(linalg::cholesky(matrices).array().size() == 0);
  BOOST_TEST(linalg::solve(matrices, zeros({0, 2}, DType::float64)).array().size() == 0);
  BOOST_TEST(linalg::solve_triangular(matrices, zeros({0, 2}, DType::float64)).array().size() == 0);
  BOOST_TEST(linalg::eigh(matrices).vectors.array().size() == 0);
  BOOST_TEST(linalg::svd(matrices).u.array().size() == 0);
  BOOST_TEST(linalg::qr(matrices).q.array().size() == 0);
  check_elements(linalg::det(zeros({2, 0, 0}, DType::float64)), {2}, {1, 1});
  check_elements(linalg::logdet(zeros({2, 0, 0}, DType::float64)), {2}, {0, 0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
