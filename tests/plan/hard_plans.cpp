#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "tests/testing.hpp"

/// \file
/// Graphs in which two passes could get in each other's way, each written out.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_hard_plans)

namespace {

using testing::check_elements;
using testing::elements;
using testing::random_tensor;

const CompileOptions checked{.plan = {.verify = true}};

/// Elements of a matrix product, by the definition.
std::vector<double> product_of(const std::vector<double>& a, const std::vector<double>& b, std::size_t n) {
  std::vector<double> c(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) {
        c[i * n + j] += a[i * n + k] * b[k * n + j];
      }
    }
  }
  return c;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_variable_is_not_overwritten_while_rows_of_a_product_still_read_it) {
  constexpr std::int64_t n = 256;
  const Variable w(random_tensor({n, n}, -0.1, 0.1, 1) * 1.0, "w");
  const Tensor x = random_tensor({n, n}, -0.1, 0.1, 2);
  const std::vector<double> before = elements(w);
  std::vector<double> expected = product_of(elements(x), before, n);
  std::transform(expected.begin(), expected.end(), before.begin(), expected.begin(),
                 [](double y, double old) { return std::tanh(y) * 0.5 + old; });
  const auto step = compile([&](const Tensor& t) { w.assign(tanh(matmul(t, w)) * 0.5 + w); }, checked);
  step(x);
  check_elements(w, {n, n}, expected, 1e-12);
}

BOOST_AUTO_TEST_CASE(a_variable_is_not_overwritten_while_a_formula_of_its_rows_can_still_fail) {
  constexpr std::int64_t n = 100000;
  const Variable count(zeros({n}, DType::int32) + 0, "count");
  const auto step = compile([&](const Tensor& a, const Tensor& b) { count.assign(count + a / b + 1); }, checked);
  const Tensor a = full({n}, 6, DType::int32);
  const Tensor b = full({n}, 2, DType::int32);
  step(a, b);
  check_elements(count, {n}, std::vector<double>(n, 4));
  const Tensor last_is_zero = where(arange(n, DType::int32) < static_cast<std::int64_t>(n - 1), b, 0);
  BOOST_CHECK_THROW(step(a, last_is_zero), ValueError);
  check_elements(count, {n}, std::vector<double>(n, 4));
}

BOOST_AUTO_TEST_CASE(a_product_that_is_read_in_another_shape_too_is_not_lost_in_a_sum) {
  const auto step = compile(
      [](const Tensor& a, const Tensor& b, const Tensor& c) {
        const Tensor p = matmul(a, b);
        return Tensors{p + c, sum(reshape(p, {-1}))};
      },
      checked);
  const Tensors results =
      step(Tensor{{1.0, 2.0}, {3.0, 4.0}}, Tensor{{1.0, 0.0}, {0.0, 2.0}}, ones({2, 2}, DType::float64));
  check_elements(results.at(0), {2, 2}, {2, 5, 4, 9});
  check_elements(results.at(1), {}, {16});
}

BOOST_AUTO_TEST_CASE(a_sum_of_casts_is_no_product_that_starts_from_the_other) {
  const auto step =
      compile([](const Tensor& a, const Tensor& b,
                 const Tensor& c) { return cast(matmul(a, b), DType::float64) + cast(c, DType::float64); },
              checked);
  check_elements(step(Tensor{{1.0f, 2.0f}, {3.0f, 4.0f}}, Tensor{{1.0f, 0.0f}, {0.0f, 2.0f}}, ones({2, 2})), {2, 2},
                 {2, 5, 4, 9});
}

BOOST_AUTO_TEST_CASE(a_checkpoint_of_arguments_variables_and_constants_passes_verification) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const Tensor constant = {3.0, 4.0};
  const auto step = compile(
      [&](const Tensor& x) {
        const auto f = checkpoint([&](const Tensor& t) { return sum(t * t * constant * w); });
        return grad(f(x), {x, w});
      },
      checked);
  const Tensors gradients = step(Tensor{1.0, 2.0});
  check_elements(gradients.at(0), {2}, {6, 32});
  check_elements(gradients.at(1), {2}, {3, 16});
}

BOOST_AUTO_TEST_CASE(products_over_nothing_are_zero_and_nothing_is_there) {
  const Variable w(zeros({2, 3}, DType::float64) + 0.0, "w");
  const auto step = compile(
      [&](const Tensor& a, const Tensor& b) {
        w.assign(w + matmul(a, b) + 1.0);
        return Tensors{matmul(a, b),
                       matmul(transpose(b), transpose(a)),
                       sum(a, {1}),
                       amax(concatenate({sum(a, {1}), Tensor{-1.0}})),
                       softmax(transpose(a), 1),
                       b * 2.0 + 1.0};
      },
      checked);
  const Tensors results = step(zeros({2, 0}, DType::float64), zeros({0, 3}, DType::float64));
  check_elements(results.at(0), {2, 3}, {0, 0, 0, 0, 0, 0});
  check_elements(results.at(1), {3, 2}, {0, 0, 0, 0, 0, 0});
  check_elements(results.at(2), {2}, {0, 0});
  check_elements(results.at(3), {}, {0});
  check_elements(results.at(4), {0, 2}, {});
  check_elements(results.at(5), {0, 3}, {});
  check_elements(w, {2, 3}, {1, 1, 1, 1, 1, 1});
}

BOOST_AUTO_TEST_CASE(axes_of_size_0_anywhere) {
  using Op = std::function<Tensor(const Tensor&, const Tensor&)>;
  const std::vector<Op> ops = {
      [](const Tensor& a, const Tensor& b) { return tanh(matmul(a, b)); },
      [](const Tensor& a, const Tensor& b) { return sum(exp(matmul(a, b)), 0); },
      [](const Tensor& a, const Tensor& b) {
        return sum(reshape(matmul(a, b), {a.shape(0), b.shape(1), 1}), 0);
      },
      [](const Tensor& a, const Tensor& b) { return sum(expand_dims(a, 0) * sum(b), 1); },
      [](const Tensor& a, const Tensor& b) { return softmax(matmul(a, b), 0) + softmax(matmul(a, b), 1); },
      [](const Tensor& a, const Tensor& b) { return cumsum(matmul(a, b), 0) * cumprod(matmul(a, b), 1); },
      [](const Tensor& a, const Tensor& b) {
        return tile(sort(matmul(a, b), 0), {2, 3});
      },
      [](const Tensor& a, const Tensor& b) { return outer(reshape(a, {-1}), reshape(b, {-1})); },
      [](const Tensor& a, const Tensor& b) {
        return concatenate({matmul(a, b), matmul(a, b)}, 0);
      },
      [](const Tensor& a, const Tensor& b) {
        return sum(zeros({4, 3, 0}, DType::float64) * sum(a) * sum(b), 0);
      },
  };
  const auto with_derivatives = [](const Op& op, const Tensor& a, const Tensor& b) {
    const Tensor y = op(a, b);
    Tensors results = vjp({y}, {a, b}, {ones(y.shape(), DType::float64)});
    results.push_back(jvp(y, {a, b}, {ones(a.shape(), DType::float64), ones(b.shape(), DType::float64)}));
    results.push_back(y);
    return results;
  };
  for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{{0, 3, 4}, {2, 0, 4}, {2, 3, 0}, {0, 0, 0}}) {
    const Tensor a = random_tensor({m, k});
    const Tensor b = random_tensor({k, n}, -2, 2, 2);
    for (const Op& op : ops) {
      const auto step = compile([&](const Tensor& x, const Tensor& y) { return with_derivatives(op, x, y); }, checked);
      const Tensors planned = step(a, b);
      const Tensors computed = with_derivatives(op, a, b);
      for (std::size_t i = 0; i < computed.size(); ++i) {
        check_elements(planned.at(i), computed[i].shape(), elements(computed[i]), 1e-14);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
