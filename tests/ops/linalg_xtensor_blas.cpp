#include <cmath>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <xtensor-blas/xlinalg.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_linalg)

namespace {

using testing::check_elements;
using testing::elements;
using testing::random_tensor;

using Matrix = xt::xtensor<double, 2>;

Matrix matrix_of(const Tensor& tensor) { return tensor.value<double>(); }

// Elements of an xtensor array in row-major order.
template <class E>
std::vector<double> numbers(const E& array) {
  return {array.template begin<xt::layout_type::row_major>(), array.template end<xt::layout_type::row_major>()};
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_are_those_of_xtensor_blas) {
  for (const std::int64_t n : {1, 2, 7, 40}) {
    BOOST_TEST_CONTEXT("size " << n) {
      const Tensor a = random_tensor({n, n}) + 3.0 * eye(n, n, DType::float64);
      const Tensor b = random_tensor({n, 3}, -1, 1, 2);
      const Tensor tall = random_tensor({n + 3, n}, -1, 1, 3);
      const Tensor definite = matmul(a, transpose(a));
      const double tolerance = 1e-11;
      check_elements(linalg::inv(a), {n, n}, numbers(xt::linalg::inv(matrix_of(a))), tolerance);
      check_elements(linalg::solve(a, b), {n, 3}, numbers(xt::linalg::solve(matrix_of(a), matrix_of(b))), tolerance);
      const double det = xt::linalg::det(matrix_of(a));
      check_elements(linalg::det(a), {}, {det}, tolerance);
      check_elements(linalg::logdet(definite), {}, {2 * std::log(std::abs(det))}, tolerance);
      check_elements(linalg::cholesky(definite), {n, n}, numbers(xt::linalg::cholesky(matrix_of(definite))), tolerance);
      check_elements(linalg::eigvalsh(definite), {n}, numbers(xt::linalg::eigvalsh(matrix_of(definite))), tolerance);
      const auto usv = xt::linalg::svd(matrix_of(tall), false);
      check_elements(linalg::svdvals(tall), {n}, numbers(std::get<1>(usv)), tolerance);
      const auto qr = xt::linalg::qr(matrix_of(tall));
      check_elements(linalg::qr(tall).q, {n + 3, n}, numbers(std::get<0>(qr)), tolerance);
      check_elements(linalg::qr(tall).r, {n, n}, numbers(std::get<1>(qr)), tolerance);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
