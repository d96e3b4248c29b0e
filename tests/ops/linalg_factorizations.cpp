#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_linalg)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

Tensor transposed(const Tensor& x) { return swapaxes(x, -2, -1); }

Tensor symmetric(const Shape& shape) {
  const Tensor x = random_tensor(shape);
  return x + transposed(x);
}

Tensor positive_definite(const Shape& shape) {
  const Tensor x = random_tensor(shape);
  return matmul(x, transposed(x)) + 0.5 * eye(shape.back(), shape.back(), DType::float64);
}

double tolerance_of(DType dtype, std::int64_t size) {
  return (dtype == DType::float64 ? 1e-14 : 2e-6) * static_cast<double>(size + 10);
}

// Both floating types, single matrices and many, from nothing to more than LAPACK treats as one block.
template <class Check>
void for_each_shape(const std::vector<std::pair<std::int64_t, std::int64_t>>& sizes, const Check& check) {
  for (const DType dtype : {DType::float64, DType::float32}) {
    for (const Shape& leading : {Shape{}, Shape{3}, Shape{2, 2}, Shape{0}}) {
      for (const auto& [rows, columns] : sizes) {
        Shape shape = leading;
        shape.push_back(rows);
        shape.push_back(columns);
        BOOST_TEST_CONTEXT(to_string(dtype) << to_string(shape)) { check(shape, dtype); }
      }
    }
  }
}

void check_equal(const Tensor& actual, const Tensor& expected, double tolerance) {
  BOOST_TEST(actual.dtype() == expected.dtype());
  check_elements(actual, expected.shape(), elements(expected), tolerance);
}

void check_orthonormal_columns(const Tensor& q, double tolerance) {
  const std::int64_t k = q.shape(-1);
  const Tensor products = matmul(transposed(q), q);
  check_equal(products, broadcast_to(eye(k, k, q.dtype()), products.shape()), tolerance);
}

// Whether the elements along the last axis ascend.
void check_ascending(const Tensor& x) {
  if (x.size() > 0 && x.shape(-1) > 1) {
    BOOST_TEST(all(x[{ellipsis(), range(1)}] >= x[{ellipsis(), range(0, -1)}]).item<bool>());
  }
}

const std::vector<std::pair<std::int64_t, std::int64_t>> squares = {{0, 0}, {1, 1}, {2, 2}, {5, 5}, {70, 70}};
const std::vector<std::pair<std::int64_t, std::int64_t>> rectangles = {
    {0, 0}, {1, 1}, {5, 5}, {5, 3}, {3, 5}, {7, 1}, {1, 7}, {4, 0}, {0, 4}, {70, 40}, {40, 70}};

}  // namespace

BOOST_AUTO_TEST_CASE(cholesky_factors) {
  for_each_shape(squares, [](const Shape& shape, DType dtype) {
    const Tensor a = cast(positive_definite(shape), dtype);
    const Tensor l = linalg::cholesky(a);
    check_equal(matmul(l, transposed(l)), a, tolerance_of(dtype, shape.back()));
    check_equal(l, tril(l), 0);
    BOOST_TEST(all(diagonal(l, 0, -2, -1) > 0).item<bool>());
  });
}

BOOST_AUTO_TEST_CASE(eigenvalues_and_eigenvectors) {
  for_each_shape(squares, [](const Shape& shape, DType dtype) {
    const Tensor a = cast(symmetric(shape), dtype);
    const auto [values, vectors] = linalg::eigh(a);
    const double tolerance = tolerance_of(dtype, shape.back());
    check_equal(matmul(vectors * expand_dims(values, -2), transposed(vectors)), a, tolerance);
    check_orthonormal_columns(vectors, tolerance);
    check_ascending(values);
    check_equal(linalg::eigvalsh(a), values, 0);
  });
}

BOOST_AUTO_TEST_CASE(singular_values_and_vectors) {
  for_each_shape(rectangles, [](const Shape& shape, DType dtype) {
    const Tensor a = cast(random_tensor(shape), dtype);
    const auto [u, s, vt] = linalg::svd(a);
    const double tolerance = tolerance_of(dtype, shape.back());
    check_equal(matmul(u * expand_dims(s, -2), vt), a, tolerance);
    check_orthonormal_columns(u, tolerance);
    check_orthonormal_columns(transposed(vt), tolerance);
    check_ascending(-s);
    BOOST_TEST(all(s >= 0).item<bool>());
    check_equal(linalg::svdvals(a), s, 0);
  });
}

BOOST_AUTO_TEST_CASE(orthogonal_and_triangular_factors) {
  for_each_shape(rectangles, [](const Shape& shape, DType dtype) {
    const Tensor a = cast(random_tensor(shape), dtype);
    const auto [q, r] = linalg::qr(a);
    const double tolerance = tolerance_of(dtype, shape.back());
    BOOST_TEST(q.shape(-1) == std::min(a.shape(-2), a.shape(-1)));
    check_equal(matmul(q, r), a, tolerance);
    check_orthonormal_columns(q, tolerance);
    check_equal(r, triu(r), 0);
    // One without the other, of which nothing is computed.
    check_equal(linalg::qr(a).r, r, 0);
    check_equal(linalg::qr(a).q, q, 0);
    check_equal(compile([](const Tensor& x) { return linalg::qr(x).r; })(a), r, 0);
    check_equal(compile([](const Tensor& x) { return linalg::qr(x).q; })(a), q, 0);
  });
}

BOOST_AUTO_TEST_CASE(square_factors_complete_the_bases) {
  for_each_shape(rectangles, [](const Shape& shape, DType dtype) {
    const Tensor a = cast(random_tensor(shape), dtype);
    const double tolerance = tolerance_of(dtype, std::max(a.shape(-1), a.shape(-2)));
    const std::int64_t k = std::min(a.shape(-2), a.shape(-1));
    const auto [u, s, vt] = linalg::svd(a, true);
    BOOST_TEST(u.shape(-1) == a.shape(-2));
    BOOST_TEST(vt.shape(-2) == a.shape(-1));
    check_orthonormal_columns(u, tolerance);
    check_orthonormal_columns(transposed(vt), tolerance);
    const auto first = [k](const Tensor& x) { return x[{ellipsis(), range(0, k), all()}]; };
    check_equal(matmul(transposed(first(transposed(u))) * expand_dims(s, -2), first(vt)), a, tolerance);
    check_equal(linalg::svd(a, false).u, linalg::svd(a).u, 0);

    const auto [q, r] = linalg::qr(a, linalg::QrMode::complete);
    BOOST_TEST(q.shape(-1) == a.shape(-2));
    BOOST_TEST(r.shape() == a.shape());
    check_orthonormal_columns(q, tolerance);
    check_equal(matmul(q, r), a, tolerance);
    check_equal(linalg::qr(a, linalg::QrMode::reduced).q, linalg::qr(a).q, 0);
  });
}

BOOST_AUTO_TEST_CASE(what_completes_a_basis_has_no_derivative) {
  const Tensor a = random_tensor({4, 2});
  const auto check_refused = [&](const Tensor& basis) {
    check_throws<GradientError>(
        [&] {
          grad(sum(basis[{all(), 3}]), a);
        },
        {"[linalg::orthogonal_complement] it has no vjp rule"});
  };
  check_refused(linalg::svd(a, true).u);
  check_refused(linalg::qr(a, linalg::QrMode::complete).q);
}

BOOST_AUTO_TEST_CASE(known_values) {
  check_elements(linalg::cholesky(Tensor{{4.0, 2.0}, {2.0, 5.0}}), {2, 2}, {2, 0, 1, 2}, 1e-15);
  check_elements(linalg::eigvalsh(Tensor{{2.0, 1.0}, {1.0, 2.0}}), {2}, {1, 3}, 1e-15);
  check_elements(linalg::svdvals(Tensor{{3.0, 0.0}, {0.0, -5.0}, {0.0, 0.0}}), {2}, {5, 3}, 1e-15);
  check_elements(abs(linalg::qr(Tensor{{3.0, 1.0}, {4.0, 2.0}}).r), {2, 2}, {5, 2.2, 0, 0.4}, 1e-15);
}

BOOST_AUTO_TEST_CASE(functions_of_symmetric_matrices_read_the_symmetric_part) {
  const Tensor a = {{4.0, 0.0}, {2.0, 3.0}};
  const Tensor part = {{4.0, 1.0}, {1.0, 3.0}};
  check_equal(linalg::cholesky(a), linalg::cholesky(part), 0);
  check_equal(linalg::eigvalsh(a), linalg::eigvalsh(part), 0);
  for (const Tensor& y : {sum(square(linalg::cholesky(a))), sum(exp(linalg::eigvalsh(a)))}) {
    const Tensor gradient = grad(y, a);
    check_equal(gradient, transposed(gradient), 1e-15);
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_eigenvalues_exist_where_they_coincide) {
  const Tensor identity = eye(3, 3, DType::float64);
  check_equal(grad(sum(linalg::eigvalsh(identity)), identity), identity, 1e-15);
  check_equal(grad(sum(linalg::svdvals(identity)), identity), identity, 1e-15);
}

BOOST_AUTO_TEST_CASE(matrices_without_a_factorization_are_refused) {
  check_throws<ValueError>(
      [] {
        linalg::cholesky(Tensor{{1.0, 0.0}, {0.0, -1.0}}).array();
      },
      {"[linalg::cholesky] the matrix is not positive definite", "order 2 of 2", "linalg_factorizations.cpp:"});
  check_throws<ValueError>(
      [] {
        linalg::cholesky(stack({eye(2), zeros({2, 2})})).array();
      },
      {"[linalg::cholesky] matrix 1 of 2 ", "order 1 of 2"});
  const Tensor broken = Tensor{{1.0, std::numeric_limits<double>::quiet_NaN()}, {0.0, 1.0}};
  check_throws<ValueError>([&] { linalg::cholesky(broken).array(); }, {"[linalg::cholesky] ", "not positive definite"});
  check_throws<ValueError>([&] { linalg::eigvalsh(broken).array(); }, {"[linalg::eigh] the matrix has ", "NaN"});
  check_throws<ValueError>([&] { linalg::svdvals(broken).array(); }, {"[linalg::svd] the matrix has ", "NaN"});
}

BOOST_AUTO_TEST_CASE(operands_that_are_no_matrices_are_refused_at_once) {
  const Tensor wide = zeros({2, 3});
  const Tensor vector = zeros({3});
  const Tensor whole = zeros({2, 2}, DType::int32);
  check_throws<ShapeError>([&] { linalg::cholesky(wide); },
                           {"[linalg::cholesky] ", "(2, 3)", "linalg_factorizations.cpp:"});
  check_throws<ShapeError>([&] { linalg::eigh(wide); }, {"[linalg::eigh] ", "(2, 3)", "linalg_factorizations.cpp:"});
  check_throws<ShapeError>([&] { linalg::svd(vector); }, {"[linalg::svd] ", "(3,)", "linalg_factorizations.cpp:"});
  check_throws<ShapeError>([&] { linalg::qr(vector); }, {"[linalg::qr] ", "(3,)", "linalg_factorizations.cpp:"});
  check_throws<DTypeError>([&] { linalg::cholesky(whole); }, {"[linalg::cholesky] ", "int32"});
  check_throws<DTypeError>([&] { linalg::eigvalsh(whole); }, {"[linalg::eigh] ", "int32"});
  check_throws<DTypeError>([&] { linalg::svdvals(whole); }, {"[linalg::svd] ", "int32"});
  check_throws<DTypeError>([&] { linalg::qr(whole); }, {"[linalg::qr] ", "int32"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
