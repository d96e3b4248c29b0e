#include <cmath>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_linalg_norms)

namespace {

using linalg::matrix_norm;
using linalg::MatrixNorm;
using linalg::vector_norm;
using testing::check_elements;
using testing::check_throws;
using testing::elements;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double norm_of(const Tensor& x, double p) { return vector_norm(x, p).item(); }

}  // namespace

BOOST_AUTO_TEST_CASE(vector_norms_by_definition) {
  const Tensor x = {{3.0, -4.0, 0.0}, {1.0, 2.0, -2.0}};
  check_elements(vector_norm(x, 2, 1), {2}, {5, 3}, 1e-15);
  check_elements(vector_norm(x, 1, 1), {2}, {7, 5});
  check_elements(vector_norm(x, inf, 1), {2}, {4, 2});
  check_elements(vector_norm(x, -inf, 1), {2}, {0, 1});
  check_elements(vector_norm(x, 0, 1, true), {2, 1}, {2, 3});
  check_elements(vector_norm(x, 3, 1), {2}, {std::cbrt(91), std::cbrt(17)}, 1e-15);
  check_elements(vector_norm(x, 0.5, 1), {2}, {std::pow(std::sqrt(3) + 2, 2), std::pow(1 + 2 * std::sqrt(2), 2)},
                 1e-15);
  check_elements(vector_norm(x, -1, 1), {2}, {0, 0.5}, 1e-15);
  check_elements(vector_norm(x, -2, 0, true), {1, 3}, {1 / std::sqrt(1.0 / 9 + 1), 1 / std::sqrt(1.0 / 16 + 0.25), 0},
                 1e-15);
  BOOST_TEST(norm_of(x, 3) == std::cbrt(108), boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(vector_norms_of_every_size_and_of_none) {
  BOOST_TEST(norm_of(Tensor{3e200, 4e200}, 3) == 1e200 * std::cbrt(91), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(norm_of(Tensor{3e-200, 4e-200}, 3) == 1e-200 * std::cbrt(91), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(norm_of(Tensor{1e-200, 1e200}, -2) == 1e-200, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(norm_of(Tensor{inf, 1.0}, 3) == inf);
  BOOST_TEST(norm_of(Tensor{inf, 2.0}, -1) == 2);
  BOOST_TEST(std::isnan(norm_of(Tensor{nan, 1.0}, 3)));
  BOOST_TEST(norm_of(Tensor{0.0, -0.0}, 3) == 0);
  BOOST_TEST(norm_of(zeros({0}, DType::float64), 3) == 0);
  BOOST_TEST(norm_of(zeros({0}, DType::float64), 1) == 0);
  BOOST_TEST(norm_of(Tensor(-5.0), 3) == 5, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(vector_norm(zeros({0, 4}), 3, 1).shape() == Shape({0}));
  BOOST_TEST(vector_norm(ones({2}), 3).dtype() == DType::float32);
}

// PyTorch's: 0 where the norm or the element is, equal shares of ties.
BOOST_AUTO_TEST_CASE(derivatives_of_vector_norms_at_kinks) {
  const auto slope = [](double p, const Tensor& x) { return elements(grad(vector_norm(x, p), x)); };
  for (const double p : {0.5, 1.0, 1.5, 2.0, 3.0, inf}) {
    BOOST_TEST(slope(p, Tensor{0.0, 0.0}) == std::vector<double>({0, 0}), boost::test_tools::per_element());
  }
  BOOST_TEST(slope(0.5, Tensor{4.0, 0.0}) == std::vector<double>({1, 0}), boost::test_tools::per_element());
  BOOST_TEST(slope(3, Tensor{-4.0, 0.0}) == std::vector<double>({-1, 0}), boost::test_tools::per_element());
  BOOST_TEST(slope(inf, Tensor{-4.0, 4.0}) == std::vector<double>({-0.5, 0.5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(matrix_norms_by_definition) {
  const Tensor a = {{1.0, -2.0}, {3.0, 4.0}};
  const double s = std::sqrt(200);  // the squares of the singular values are 15 ± 5 √5
  const double large = std::sqrt(15 + std::sqrt(125));
  const double small = std::sqrt(15 - std::sqrt(125));
  BOOST_TEST(large * small * std::sqrt(2) == s, boost::test_tools::tolerance(1e-14));
  const std::vector<std::pair<MatrixNorm, double>> norms = {{MatrixNorm::fro, std::sqrt(30)},
                                                            {MatrixNorm::nuc, large + small},
                                                            {MatrixNorm::one, 6},
                                                            {MatrixNorm::minus_one, 4},
                                                            {MatrixNorm::inf, 7},
                                                            {MatrixNorm::minus_inf, 3},
                                                            {MatrixNorm::two, large},
                                                            {MatrixNorm::minus_two, small}};
  for (const auto& [order, expected] : norms) {
    BOOST_TEST(matrix_norm(a, order).item() == expected, boost::test_tools::tolerance(1e-14));
    check_elements(matrix_norm(stack({a, 2 * a}), order, true), {2, 1, 1}, {expected, 2 * expected}, 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(norms_that_do_not_exist_are_refused) {
  check_throws<ValueError>([] { vector_norm(ones({2}), nan); }, {"[linalg::vector_norm]", "NaN", "linalg_norms.cpp"});
  check_throws<DTypeError>([] { vector_norm(ones({2}, DType::int32), 3); }, {"[linalg::vector_norm]", "int32"});
  check_throws<ValueError>([] { vector_norm(ones({2}), 3, 1); }, {"[linalg::vector_norm]", "axis 1"});
  check_throws<ShapeError>([] { vector_norm(zeros({0}), inf); }, {"no element"});
  check_throws<ShapeError>([] { matrix_norm(ones({2})); }, {"[linalg::matrix_norm]", "(2,)", "linalg_norms.cpp"});
  check_throws<DTypeError>([] { matrix_norm(ones({2, 2}, DType::int64)); }, {"[linalg::matrix_norm]", "int64"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
