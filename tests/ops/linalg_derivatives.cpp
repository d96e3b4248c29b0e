#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/runtime/threads.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_linalg)

namespace {

using testing::check_elements;
using testing::elements;
using testing::random_tensor;

/// A function of one or two matrices of given shapes; where signs are arbitrary, one that they do not change.
struct Function {
  std::string name;
  std::function<Tensor(const Tensors&)> f;
  std::vector<Shape> shapes;
  bool positive_definite = false;  ///< what the first argument has to be

  Tensors inputs(const Shape& leading) const {
    Tensors result;
    for (const Shape& own : shapes) {
      Shape shape = leading;
      for (const std::int64_t size : own) {
        shape.push_back(size);
      }
      const Tensor x = random_tensor(shape, -1, 1, static_cast<unsigned>(result.size()) + 5);
      const bool definite = positive_definite && result.empty();
      const Tensor matrix = definite ? matmul(x, swapaxes(x, -2, -1)) : x;
      result.push_back(definite ? (matrix + eye(own.back(), own.back(), DType::float64)).detach() : matrix);
    }
    return result;
  }
};

Tensor from_eigh(const Tensor& a) {
  const auto [w, v] = linalg::eigh(a);
  return matmul(v * expand_dims(sin(w), -2), swapaxes(v, -2, -1)) + v * v;
}

// u and vt together, as in the products of all their elements, keep no arbitrary sign.
Tensor from_svd(const Tensor& a) {
  const auto [u, s, vt] = linalg::svd(a);
  return einsum("...ij,...j,...jk->...ijk", {u, sin(s), vt});
}

Tensor from_vectors(const Tensor& a) {
  const linalg::Svd parts = linalg::svd(a);
  return sum(square(parts.u), -2) * sum(sin(square(parts.u)), -2) + sum(exp(square(parts.vt)), -1);
}

Tensor from_qr(const Tensor& a) {
  const auto [q, r] = linalg::qr(a);
  return einsum("...ij,...jk->...ijk", {q, r});
}

constexpr double largest_order = std::numeric_limits<double>::infinity();

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {"inv", [](const Tensors& x) { return linalg::inv(x[0]); }, {{3, 3}}},
      {"inv_1x1", [](const Tensors& x) { return linalg::inv(x[0]); }, {{1, 1}}},
      {"inv_0x0", [](const Tensors& x) { return linalg::inv(x[0]); }, {{0, 0}}},
      {"det", [](const Tensors& x) { return linalg::det(x[0]); }, {{4, 4}}},
      {"det_1x1", [](const Tensors& x) { return linalg::det(x[0]); }, {{1, 1}}},
      {"det_0x0", [](const Tensors& x) { return linalg::det(x[0]); }, {{0, 0}}},
      {"logdet", [](const Tensors& x) { return linalg::logdet(x[0]); }, {{4, 4}}, true},
      {"logdet_0x0", [](const Tensors& x) { return linalg::logdet(x[0]); }, {{0, 0}}},
      {"solve", [](const Tensors& x) { return linalg::solve(x[0], x[1]); }, {{3, 3}, {3, 2}}},
      {"solve_1x1", [](const Tensors& x) { return linalg::solve(x[0], x[1]); }, {{1, 1}, {1, 1}}},
      {"solve_0x0", [](const Tensors& x) { return linalg::solve(x[0], x[1]); }, {{0, 0}, {0, 2}}},
      {"solve_triangular",
       [](const Tensors& x) { return linalg::solve_triangular(x[0], x[1]); },
       {{3, 3}, {3, 2}},
       true},
      {"solve_triangular_upper",
       [](const Tensors& x) { return linalg::solve_triangular(x[0], x[1], false); },
       {{3, 3}, {3, 2}},
       true},
      {"solve_triangular_from_the_right",
       [](const Tensors& x) { return linalg::solve_triangular(x[0], x[1], true, linalg::Side::right); },
       {{3, 3}, {2, 3}},
       true},
      {"solve_triangular_upper_from_the_right",
       [](const Tensors& x) { return linalg::solve_triangular(x[0], x[1], false, linalg::Side::right); },
       {{3, 3}, {2, 3}},
       true},
      {"solve_triangular_with_unit_diagonal",
       [](const Tensors& x) {
         return linalg::solve_triangular(x[0], x[1], true, linalg::Side::left, linalg::Diagonal::unit);
       },
       {{3, 3}, {3, 2}}},
      {"solve_triangular_upper_with_unit_diagonal_from_the_right",
       [](const Tensors& x) {
         return linalg::solve_triangular(x[0], x[1], false, linalg::Side::right, linalg::Diagonal::unit);
       },
       {{3, 3}, {2, 3}}},
      {"slogdet", [](const Tensors& x) { return linalg::slogdet(x[0]).logabsdet; }, {{4, 4}}},
      {"slogdet_1x1", [](const Tensors& x) { return linalg::slogdet(x[0]).logabsdet; }, {{1, 1}}},
      {"slogdet_0x0", [](const Tensors& x) { return linalg::slogdet(x[0]).logabsdet; }, {{0, 0}}},
      {"vector_norm_3", [](const Tensors& x) { return linalg::vector_norm(x[0], 3, -1); }, {{3, 4}}},
      {"vector_norm_half", [](const Tensors& x) { return linalg::vector_norm(x[0], 0.5, -1); }, {{3, 4}}},
      {"vector_norm_minus_2", [](const Tensors& x) { return linalg::vector_norm(x[0], -2, -1); }, {{3, 4}}},
      {"vector_norm_1", [](const Tensors& x) { return linalg::vector_norm(x[0], 1, -1); }, {{3, 4}}},
      {"vector_norm_inf", [](const Tensors& x) { return linalg::vector_norm(x[0], largest_order, -1); }, {{3, 4}}},
      {"vector_norm_minus_inf",
       [](const Tensors& x) { return linalg::vector_norm(x[0], -largest_order, -1); },
       {{3, 4}}},
      {"matrix_norm_fro", [](const Tensors& x) { return linalg::matrix_norm(x[0]); }, {{3, 4}}},
      {"matrix_norm_nuc",
       [](const Tensors& x) { return linalg::matrix_norm(x[0], linalg::MatrixNorm::nuc); },
       {{3, 4}}},
      {"matrix_norm_one",
       [](const Tensors& x) { return linalg::matrix_norm(x[0], linalg::MatrixNorm::one); },
       {{3, 4}}},
      {"matrix_norm_two",
       [](const Tensors& x) { return linalg::matrix_norm(x[0], linalg::MatrixNorm::two); },
       {{3, 4}}},
      {"svd_full", [](const Tensors& x) { return sin(linalg::svd(x[0], true).s); }, {{4, 2}}},
      {"qr_complete", [](const Tensors& x) { return square(linalg::qr(x[0], linalg::QrMode::complete).r); }, {{4, 2}}},
      {"cholesky", [](const Tensors& x) { return linalg::cholesky(x[0]); }, {{4, 4}}, true},
      {"cholesky_1x1", [](const Tensors& x) { return linalg::cholesky(x[0]); }, {{1, 1}}, true},
      {"cholesky_0x0", [](const Tensors& x) { return linalg::cholesky(x[0]); }, {{0, 0}}},
      {"eigh", [](const Tensors& x) { return from_eigh(x[0]); }, {{4, 4}}},
      {"eigh_1x1", [](const Tensors& x) { return from_eigh(x[0]); }, {{1, 1}}},
      {"eigvalsh", [](const Tensors& x) { return linalg::eigvalsh(x[0]); }, {{4, 4}}},
      {"eigvalsh_0x0", [](const Tensors& x) { return linalg::eigvalsh(x[0]); }, {{0, 0}}},
      {"svd_square", [](const Tensors& x) { return from_svd(x[0]); }, {{3, 3}}},
      {"svd_tall", [](const Tensors& x) { return from_svd(x[0]); }, {{4, 2}}},
      {"svd_wide", [](const Tensors& x) { return from_svd(x[0]); }, {{2, 4}}},
      {"singular_vectors_tall", [](const Tensors& x) { return from_vectors(x[0]); }, {{4, 2}}},
      {"singular_vectors_wide", [](const Tensors& x) { return from_vectors(x[0]); }, {{2, 4}}},
      {"svdvals_tall", [](const Tensors& x) { return linalg::svdvals(x[0]); }, {{4, 3}}},
      {"svdvals_wide", [](const Tensors& x) { return linalg::svdvals(x[0]); }, {{3, 4}}},
      {"svdvals_empty", [](const Tensors& x) { return linalg::svdvals(x[0]); }, {{3, 0}}},
      {"qr_square", [](const Tensors& x) { return from_qr(x[0]); }, {{3, 3}}},
      {"qr_tall", [](const Tensors& x) { return from_qr(x[0]); }, {{4, 2}}},
      {"qr_wide", [](const Tensors& x) { return from_qr(x[0]); }, {{2, 4}}},
      {"q_alone", [](const Tensors& x) { return square(linalg::qr(x[0]).q); }, {{4, 2}}},
      {"r_alone", [](const Tensors& x) { return square(linalg::qr(x[0]).r); }, {{4, 2}}},
  };
  return all;
}

// Elements where only rounding differs, relative to the largest one.
void check_close(const Tensor& actual, const Tensor& expected, double tolerance) {
  const double scale = expected.size() == 0 ? 1 : std::max(1.0, amax(abs(cast(expected, DType::float64))).item());
  check_elements(actual, expected.shape(), elements(expected), tolerance * scale);
}

void check_gradients(const Function& function) {
  BOOST_CHECK_NO_THROW(check_grads(function.f, function.inputs({})));
  BOOST_CHECK_NO_THROW(check_grads(function.f, function.inputs({2})));
}

// ⟨ct, jvp(t)⟩ = ⟨vjp(ct), t⟩.
void check_jvp_against_vjp(const Function& function) {
  for (const Shape& leading : {Shape{}, Shape{2, 3}}) {
    const Tensors x = function.inputs(leading);
    const Tensor y = function.f(x);
    const Tensor cotangent = random_tensor(y.shape(), -1, 1, 20);
    Tensors tangents;
    for (const Tensor& each : x) {
      tangents.push_back(random_tensor(each.shape(), -1, 1, 21));
    }
    const Tensors gradients = vjp(y, x, cotangent);
    double by_vjp = 0;
    double size = 1;
    for (std::size_t i = 0; i < x.size(); ++i) {
      by_vjp += sum(gradients[i] * tangents[i]).item();
      size += sum(abs(gradients[i] * tangents[i])).item();
    }
    const double by_jvp = sum(cotangent * jvp(y, x, tangents)).item();
    BOOST_TEST(std::abs(by_jvp - by_vjp) <= 1e-12 * size);
  }
}

// Value and gradient of many samples at once are those of each.
void check_vmap_against_loop(const Function& function) {
  const Tensors x = function.inputs({3});
  const auto gradient = [&](const Tensors& at) {
    Tensors fresh;
    for (const Tensor& each : at) {
      fresh.push_back(alias(each));
    }
    return grad(sum(sin(function.f(fresh))), fresh[0]);
  };
  for (const std::function<Tensor(const Tensors&)>& f : {function.f, std::function<Tensor(const Tensors&)>(gradient)}) {
    Tensors each;
    for (std::int64_t i = 0; i < 3; ++i) {
      each.push_back(f(x.size() == 1 ? Tensors{x[0][i]} : Tensors{x[0][i], x[1][i]}));
    }
    const Tensor mapped = x.size() == 1 ? vmap([&](const Tensor& a) { return f({a}); })(x[0])
                                        : vmap([&](const Tensor& a, const Tensor& b) {
                                            return f({a, b});
                                          })(x[0], x[1]);
    check_close(mapped, stack(each), 1e-12);
  }
}

void check_float32(const Function& function) {
  Tensors single;
  for (const Tensor& x : function.inputs({})) {
    single.push_back(cast(x, DType::float32).detach());
  }
  Tensors exact;
  for (const Tensor& x : single) {
    exact.push_back(cast(x, DType::float64).detach());
  }
  const Tensor y = function.f(single);
  const Tensor expected = function.f(exact);
  BOOST_TEST(y.dtype() == DType::float32);
  check_close(y, expected, 1e-5);
  const Tensor gradient = grad(sum(y), single[0]);
  BOOST_TEST(gradient.dtype() == DType::float32);
  check_close(gradient, grad(sum(expected), exact[0]), 1e-4);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gradients)
const testing::CasePerRow cases(functions(), &Function::name, check_gradients);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(jvp_against_vjp)
const testing::CasePerRow cases(functions(), &Function::name, check_jvp_against_vjp);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(vmap_against_loop)
const testing::CasePerRow cases(functions(), &Function::name, check_vmap_against_loop);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(in_float32)
const testing::CasePerRow cases(functions(), &Function::name, check_float32);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(third_derivatives) {
  const CheckGradsOptions third{.order = 3, .tolerance = 1e-5};
  for (const Function& function : functions()) {
    if (function.name == "det" || function.name == "solve" || function.name == "cholesky" ||
        function.name == "eigvalsh") {
      BOOST_TEST_CONTEXT(function.name) { BOOST_CHECK_NO_THROW(check_grads(function.f, function.inputs({}), third)); }
    }
  }
}

BOOST_AUTO_TEST_CASE(one_operand_of_a_system_may_be_the_same_for_all_samples) {
  const Tensor a = random_tensor({4, 3, 3}) + 5 * eye(3, 3, DType::float64);
  const Tensor b = random_tensor({4, 3}, -1, 1, 2);
  const auto solve = [](const Tensor& left, const Tensor& right) { return linalg::solve(left, right); };
  const Tensor same_matrix = vmap(solve, {unmapped, 0})(a[0], b);
  const Tensor same_side = vmap(solve, {0, unmapped})(a, b[0]);
  for (std::int64_t i = 0; i < 4; ++i) {
    check_close(same_matrix[i], linalg::solve(a[0], b[i]), 1e-14);
    check_close(same_side[i], linalg::solve(a[i], b[0]), 1e-14);
  }
  const auto by_shape = [&](const Tensors& x) { return linalg::solve(x[0], x[1]); };
  BOOST_CHECK_NO_THROW(check_grads(by_shape, {a[0].detach(), expand_dims(b, -1).detach()}));
  BOOST_CHECK_NO_THROW(check_grads(by_shape, {a, b[0].detach()}));
}

BOOST_AUTO_TEST_CASE(results_do_not_depend_on_the_number_of_threads) {
  for (const Function& function : functions()) {
    BOOST_TEST_CONTEXT(function.name) {
      const Tensors x = function.inputs({5});
      const auto on = [&](int threads) {
        const testing::Threads setting(threads);
        return elements(function.f(x));
      };
      BOOST_TEST(on(3) == on(1), boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
