#include <cstdint>
#include <functional>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"
#include "tests/testing.hpp"

/// \file
/// Derivatives of the Cholesky factorization, which are operations of their own.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_cholesky)

namespace {

using testing::check_elements;
using testing::elements;
using testing::random_tensor;

Tensor transposed(const Tensor& x) { return swapaxes(x, -2, -1); }

Tensor symmetric_part(const Tensor& x) { return (x + transposed(x)) / 2; }

Tensor positive_definite(const Shape& shape, DType dtype = DType::float64) {
  const Tensor x = random_tensor(shape, -1, 1);
  const auto n = static_cast<double>(shape.back());
  return cast(matmul(x, transposed(x)) + (n / 4 + 1) * eye(shape.back(), -1, DType::float64), dtype).detach();
}

// The lower triangle with half of the diagonal.
Tensor half_lower(const Tensor& x) { return (tril(x) + tril(x, -1)) / 2; }

// l⁻¹ x
Tensor divided(const Tensor& l, const Tensor& x) { return linalg::solve_triangular(l, x); }

// l⁻ᵀ x
Tensor divided_by_transpose(const Tensor& l, const Tensor& x) {
  return linalg::solve_triangular(transposed(l), x, false);
}

// l Φ(l⁻¹ da l⁻ᵀ)
Tensor change_of_factor(const Tensor& l, const Tensor& da) {
  return matmul(l, half_lower(divided(l, transposed(divided(l, transposed(da))))));
}

// The symmetric part of l⁻ᵀ Φ(lᵀ ct) l⁻¹.
Tensor cotangent_of_matrix(const Tensor& l, const Tensor& ct) {
  const Tensor left = divided_by_transpose(l, half_lower(matmul(transposed(l), ct)));
  return symmetric_part(transposed(divided_by_transpose(l, transposed(left))));
}

void check_close(const Tensor& actual, const Tensor& expected, double tolerance) {
  BOOST_TEST(actual.dtype() == expected.dtype());
  const double scale = expected.size() == 0 ? 1 : amax(abs(cast(expected, DType::float64))).item();
  check_elements(actual, expected.shape(), elements(expected), tolerance * scale);
}

// Around one and more of the blocks that the kernel cuts matrices into, which are at most 16 wide at the bottom.
const std::vector<std::int64_t> orders = {0, 1, 2, 5, 15, 16, 17, 31, 32, 33, 48, 64, 100, 130};

void for_each_matrix(const std::function<void(const Tensor& a, const Tensor& direction, double tolerance)>& check) {
  for (const DType dtype : {DType::float64, DType::float32}) {
    for (const Shape& leading : {Shape{}, Shape{3}, Shape{2, 2}, Shape{0}}) {
      for (const std::int64_t n : orders) {
        Shape shape = leading;
        shape.push_back(n);
        shape.push_back(n);
        BOOST_TEST_CONTEXT(to_string(dtype) << to_string(shape)) {
          check(positive_definite(shape, dtype), cast(random_tensor(shape, -1, 1, 2), dtype),
                dtype == DType::float64 ? 1e-13 : 2e-5);
        }
      }
    }
  }
}

// The factorization written with elementwise operations, which do not know its rules.
Tensor factor_by_elements(const Tensor& matrix) {
  const Tensor a = symmetric_part(matrix);
  const std::int64_t n = a.shape(-1);
  std::vector<Tensors> l(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    Tensors& row = l[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < n; ++j) {
      if (j > i) {
        row.push_back(zeros({}, a.dtype()));
        continue;
      }
      Tensor rest = a[i][j];
      for (std::int64_t k = 0; k < j; ++k) {
        const auto at = static_cast<std::size_t>(k);
        rest = rest - row[at] * (j == i ? row : l[static_cast<std::size_t>(j)])[at];
      }
      row.push_back(j == i ? sqrt(rest) : rest / l[static_cast<std::size_t>(j)][static_cast<std::size_t>(j)]);
    }
  }
  Tensors rows;
  for (const Tensors& row : l) {
    rows.push_back(stack(row));
  }
  return stack(rows);
}

using MatrixFunction = std::function<Tensor(const Tensor&)>;

// A number of which no derivative is zero.
MatrixFunction loss_of(const MatrixFunction& factor) {
  return [factor](const Tensor& a) {
    const Tensor l = factor(a);
    return sum(sin(l) * random_tensor(l.shape(), 0.5, 1, 3)) + sum(log(diagonal(l)));
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_are_those_of_the_formula) {
  for_each_matrix([](const Tensor& a, const Tensor& ct, double tolerance) {
    const Tensor l = linalg::cholesky(a);
    check_close(vjp(l, {a}, ct)[0], cotangent_of_matrix(l, ct), tolerance);
  });
}

BOOST_AUTO_TEST_CASE(tangents_are_those_of_the_formula) {
  for_each_matrix([](const Tensor& a, const Tensor& da, double tolerance) {
    const Tensor l = linalg::cholesky(a);
    check_close(jvp(l, {a}, {da}), change_of_factor(l, symmetric_part(da)), tolerance);
  });
}

BOOST_AUTO_TEST_CASE(derivatives_of_any_order_and_mode_are_those_of_elementwise_operations) {
  const MatrixFunction f = loss_of([](const Tensor& a) { return linalg::cholesky(a); });
  const MatrixFunction expected = loss_of(factor_by_elements);
  const Tensor a = positive_definite({4, 4});
  const Tensor u = random_tensor({4, 4}, -1, 1, 4);
  const Tensor v = random_tensor({4, 4}, -1, 1, 5);
  const auto check = [&](const std::function<Tensor(const MatrixFunction&)>& derivative) {
    check_close(derivative(f), derivative(expected), 1e-11);
  };
  const auto along = [](const MatrixFunction& g, const Tensor& direction) {
    return [=](const Tensor& x) { return jvp(g, {x}, {direction}).second; };
  };
  const auto slope = [](const MatrixFunction& g, const Tensor& direction) {
    return [=](const Tensor& x) { return sum(grad(g)(x) * direction); };
  };
  check([&](const MatrixFunction& g) { return grad(g)(a); });
  check([&](const MatrixFunction& g) { return hessian(g)(a); });
  check([&](const MatrixFunction& g) { return along(grad(g), u)(a); });
  check([&](const MatrixFunction& g) { return grad(along(g, u))(a); });
  check([&](const MatrixFunction& g) { return along(along(g, u), v)(a); });
  check([&](const MatrixFunction& g) { return grad(slope(g, u))(a); });
  check([&](const MatrixFunction& g) { return grad(slope(slope(g, u), v))(a); });
  check([&](const MatrixFunction& g) { return along(grad(slope(g, u)), v)(a); });
  check([&](const MatrixFunction& g) { return grad(along(along(g, u), v))(a); });
  check([&](const MatrixFunction& g) { return along(along(grad(g), u), v)(a); });
  check([&](const MatrixFunction& g) { return hessian(slope(g, u))(a); });
}

BOOST_AUTO_TEST_CASE(derivatives_through_several_blocks) {
  const auto f = [](const Tensors& x) { return linalg::cholesky(x[0]); };
  BOOST_CHECK_NO_THROW(check_grads(f, {positive_definite({33, 33})}));
  BOOST_CHECK_NO_THROW(check_grads(f, {positive_definite({2, 17, 17})}));
  const CheckGradsOptions third{.order = 3, .tolerance = 1e-5};
  BOOST_CHECK_NO_THROW(check_grads(f, {positive_definite({18, 18})}, third));
}

// What lies above the diagonal is no part of l, also when one asks for a derivative with respect to l itself.
BOOST_AUTO_TEST_CASE(derivatives_of_gradients_depend_on_lower_triangles) {
  const Tensor a = positive_definite({5, 5});
  const Tensor l = linalg::cholesky(a);
  const Tensor gradient = vjp(l, {a}, random_tensor({5, 5}))[0];
  const Tensor of_l = grad(sum(square(gradient)), l);
  check_elements(triu(of_l, 1), {5, 5}, std::vector<double>(25, 0.0));
  BOOST_TEST(all(diagonal(of_l) != 0).item<bool>());
}

// As where log(l) follows, of which only a part is used.
BOOST_AUTO_TEST_CASE(infinite_cotangents_above_the_diagonal_do_not_matter) {
  const Tensor ct = random_tensor({20, 20});
  const Tensor infinite = where(triu(ones({20, 20}, DType::float64), 1) > 0, 1 / zeros({}, DType::float64), ct);
  const auto derivatives = [](const Tensor& cotangent) {
    const Tensor a = alias(positive_definite({20, 20}));
    const Tensor gradient = vjp(linalg::cholesky(a), {a}, cotangent)[0];
    return stack({gradient, grad(sum(square(gradient)), a), jvp(gradient, {a}, {random_tensor({20, 20})})});
  };
  check_close(derivatives(infinite), derivatives(ct), 0);
}

BOOST_AUTO_TEST_CASE(vmap_of_gradients) {
  const MatrixFunction gradient = grad(loss_of([](const Tensor& a) { return linalg::cholesky(a); }));
  const Tensor a = positive_definite({3, 20, 20});
  const Tensor mapped = vmap(gradient)(a);
  for (std::int64_t i = 0; i < 3; ++i) {
    check_close(mapped[i], gradient(a[i]), 1e-13);
  }
}

// One factor for all samples of what is differentiated, and the other way round.
BOOST_AUTO_TEST_CASE(vmap_of_one_operand) {
  const auto back = [](const Tensor& a, const Tensor& ct) { return vjp(linalg::cholesky(a), {a}, ct)[0]; };
  const auto forth = [](const Tensor& a, const Tensor& da) { return jvp(linalg::cholesky(a), {a}, {da}); };
  const Tensor a = positive_definite({2, 3, 20, 20});
  const Tensor x = random_tensor({2, 3, 20, 20}, -1, 1, 2);
  for (const std::function<Tensor(const Tensor&, const Tensor&)>& f :
       {std::function<Tensor(const Tensor&, const Tensor&)>(back),
        std::function<Tensor(const Tensor&, const Tensor&)>(forth)}) {
    const Tensor same_factor = vmap(f, {unmapped, 0})(a[0], x);
    const Tensor same_direction = vmap(f, {0, unmapped})(a, x[0]);
    for (std::int64_t i = 0; i < 2; ++i) {
      check_close(same_factor[i], f(a[0], x[i]), 1e-14);
      check_close(same_direction[i], f(a[i], x[0]), 1e-14);
    }
  }
}

BOOST_AUTO_TEST_CASE(derivatives_do_not_depend_on_the_number_of_threads) {
  const int before = runtime::num_threads();
  const auto derivatives = [](int threads) {
    runtime::set_num_threads(threads);
    const Tensor a = alias(positive_definite({5, 70, 70}));
    const Tensor l = linalg::cholesky(a);
    return elements(stack({grad(sum(sin(l)), a), jvp(l, {a}, {random_tensor({5, 70, 70})})}));
  };
  BOOST_TEST(derivatives(1) == derivatives(3), boost::test_tools::per_element());
  runtime::set_num_threads(before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
