#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/ops/map.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_special_values)

namespace {

using testing::check_elements;
using testing::make_tensor;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// An op at values where something special happens, and the gradient of the sum of what it gives.
struct Special {
  std::string name;
  std::function<Tensor(const Tensor&)> f;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> dx = {};  ///< not checked when empty
  double tolerance = 1e-15;
};

Tensor less_than_zero(const Tensor& x) { return x < 0; }

const std::vector<Special>& specials() {
  static const std::vector<Special> table = {
      {"abs", [](const Tensor& x) { return abs(x); }, {0, -0.0, -inf, nan}, {0, 0, inf, nan}, {0, 0, -1, nan}},
      {"relu", [](const Tensor& x) { return relu(x); }, {0, -0.0, inf, -inf}, {0, 0, inf, 0}, {0, 0, 1, 0}},
      {"relu_of_nan", [](const Tensor& x) { return relu(x); }, {nan}, {nan}, {1}},
      {"sign", [](const Tensor& x) { return sign(x); }, {0, -3, inf, nan}, {0, -1, 1, nan}},
      {"sqrt", [](const Tensor& x) { return sqrt(x); }, {0, 4, inf, -1}, {0, 2, inf, nan}, {inf, 0.25, 0, nan}},
      {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.5); }, {0, -inf, inf}, {0, -inf, inf}, {0.5, 0.5, 1}},
      {"prelu",
       [](const Tensor& x) { return prelu(x, 0.5); },
       {0, -inf, inf, nan},
       {0, -inf, inf, nan},
       {0.5, 0.5, 1, 0.5}},
      {"celu",
       [](const Tensor& x) { return celu(x, 2); },
       {0, -inf, inf, -1e-300, nan},
       {0, -2, inf, -1e-300, nan},
       {1, 0, 1, 1, 1}},
      {"softsign", softsign, {0, -inf, inf, 1, -1e300, nan}, {0, -1, 1, 0.5, -1, nan}, {1, 0, 0, 0.25, 0, nan}},
      {"hard_sigmoid",
       [](const Tensor& x) { return hard_sigmoid(x, 0.5, 0.5); },
       {-1, 1, -inf, inf, 0, nan},
       {0, 1, 0, 1, 0.5, nan},
       {0, 0, 0, 0, 0.5, 0.5}},
      {"hard_swish", hard_swish, {-3, 3, -inf, inf, 0}, {0, 3, 0, inf, 0}, {0, 1, 0, 1, 0.5}},
      {"thresholded_relu",
       [](const Tensor& x) { return thresholded_relu(x, 1); },
       {1, -inf, inf, 2, nan},
       {0, 0, inf, 2, nan},
       {0, 0, 1, 1, 1}},
      {"shrink",
       [](const Tensor& x) { return shrink(x, 1, 0.5); },
       {1, -1, 2, -2, inf, nan},
       {0, 0, 1.5, -1.5, inf, nan},
       {0, 0, 1, 1, 1, 1}},
      {"log", [](const Tensor& x) { return log(x); }, {0, 1, inf, -1}, {-inf, 0, inf, nan}, {inf, 1, 0, -1}},
      {"exp", [](const Tensor& x) { return exp(x); }, {-inf, inf, 1000}, {0, inf, inf}, {0, inf, inf}},
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }, {-1000, 1000, -inf, inf}, {0, 1, 0, 1}, {0, 0, 0, 0}},
      {"softplus",
       [](const Tensor& x) { return softplus(x); },
       {-1000, 1000, inf, 0},
       {0, 1000, inf, std::log(2)},
       {0, 1, 1, 0.5}},
      {"log_sigmoid",
       [](const Tensor& x) { return log_sigmoid(x); },
       {1000, -1000, -inf, 0},
       {0, -1000, -inf, -std::log(2)},
       {0, 1, 1, 0.5}},
      {"tanh", [](const Tensor& x) { return tanh(x); }, {-inf, inf, 1000}, {-1, 1, 1}, {0, 0, 0}},
      {"erf", [](const Tensor& x) { return erf(x); }, {-inf, inf, 40}, {-1, 1, 1}, {0, 0, 0}},
      {"expm1", [](const Tensor& x) { return expm1(x); }, {1e-20, -inf}, {1e-20, -1}, {1, 0}},
      {"log1p", [](const Tensor& x) { return log1p(x); }, {1e-20, -1}, {1e-20, -inf}, {1, inf}},
      {"clip_limits",
       [](const Tensor& x) { return clip(x, -1, 2); },
       {-1, 2, -3, 5, nan},
       {-1, 2, -1, 2, nan},
       {1, 1, 0, 0, 0}},
      {"clip_one_side", [](const Tensor& x) { return clip(x, 0, inf); }, {-1, 0, inf}, {0, 0, inf}, {0, 1, 1}},
      {"round_half_even", [](const Tensor& x) { return round(x); }, {0.5, 1.5, 2.5, -0.5, -1.5}, {0, 2, 2, 0, -2}},
      {"trunc", [](const Tensor& x) { return trunc(x); }, {-1.7, 1.7, -inf}, {-1, 1, -inf}},
      {"clip_limit_nan", [](const Tensor& x) { return clip(x, nan, 1); }, {0, 2}, {nan, nan}, {nan, nan}},
      {"isnan", [](const Tensor& x) { return isnan(x); }, {nan, inf, 0}, {1, 0, 0}},
      {"isinf", [](const Tensor& x) { return isinf(x); }, {nan, inf, -inf, 0}, {0, 1, 1, 0}},
      {"isfinite", [](const Tensor& x) { return isfinite(x); }, {nan, inf, -inf, 0}, {0, 0, 0, 1}},

      {"square_by_pow", [](const Tensor& x) { return pow(x, 2); }, {0, -3, 2}, {0, 9, 4}, {0, -6, 4}},
      {"cube_by_pow", [](const Tensor& x) { return pow(x, 3); }, {0, -2}, {0, -8}, {0, 12}},
      {"fifth_power", [](const Tensor& x) { return pow(x, 5); }, {0, -2}, {0, -32}, {0, 80}},
      {"power_0", [](const Tensor& x) { return pow(x, 0); }, {0, -2, nan}, {1, 1, 1}},
      {"power_1", [](const Tensor& x) { return pow(x, 1); }, {0, -2}, {0, -2}, {1, 1}},
      {"power_minus_1", [](const Tensor& x) { return pow(x, -1); }, {0, -2}, {inf, -0.5}, {-inf, -0.25}},
      {"power_half",
       [](const Tensor& x) { return pow(x, 0.5); },
       {0, 4, -inf, -1},
       {0, 2, inf, nan},
       {inf, 0.25, 0, nan}},
      {"power_minus_2", [](const Tensor& x) { return pow(x, -2); }, {1e-160, -2, 0, inf}, {inf, 0.25, inf, 0}},
      {"power_of_fraction", [](const Tensor& x) { return pow(x, 2.5); }, {0, -1}, {0, nan}, {0, nan}},
      {"pow_base",
       [](const Tensor& x) {
         return pow(x, Tensor{2.0, 0.0, 1.0, 2.0, 0.0});
       },
       {0, 0, 0, -3, 5},
       {0, 1, 0, 9, 1},
       {0, 0, 1, -6, 0}},
      {"pow_exponent",
       [](const Tensor& x) {
         return pow(Tensor{0.0, 0.0, 2.0}, x);
       },
       {2, 0, 0},
       {0, 1, 1},
       {0, 0, std::log(2)}},

      {"maximum_tie",
       [](const Tensor& x) {
         return maximum(x, Tensor{1.0, 1.0, 1.0, nan});
       },
       {1, 0, 2, 0},
       {1, 1, 2, nan},
       {0.5, 0, 1, 1}},
      {"minimum_tie",
       [](const Tensor& x) {
         return minimum(Tensor{1.0, 1.0, 1.0}, x);
       },
       {1, 0, nan},
       {1, 0, nan}},
      {"maximum_with_itself", [](const Tensor& x) { return maximum(x, x); }, {1, -2}, {1, -2}, {1, 1}},
      {"amax_ties", [](const Tensor& x) { return amax(x); }, {3, 1, 3, 3}, {3}, {1 / 3.0, 0, 1 / 3.0, 1 / 3.0}},
      {"amin_ties", [](const Tensor& x) { return amin(x); }, {3, 1, 1, 3}, {1}, {0, 0.5, 0.5, 0}},
      {"amax_of_infinities", [](const Tensor& x) { return amax(x); }, {-inf, -inf}, {-inf}, {0.5, 0.5}},
      {"amax_of_nan", [](const Tensor& x) { return amax(x); }, {1, nan, 3}, {nan}},
      {"amin_of_nan", [](const Tensor& x) { return amin(x); }, {1, 2, nan}, {nan}},
      {"argmax_tie_and_nan", [](const Tensor& x) { return argmax(x); }, {1, 5, 5, 2}, {1}},
      {"argmin_tie", [](const Tensor& x) { return argmin(x); }, {1, 0, 5, 0}, {1}},
      {"argmax_of_nan", [](const Tensor& x) { return argmax(x); }, {1, nan, 5, nan}, {1}},
      {"argmin_of_nan", [](const Tensor& x) { return argmin(x); }, {-inf, 1, nan}, {2}},

      {"where_nan_not_taken",
       [](const Tensor& x) { return where(less_than_zero(x), 0.0, x * x); },
       {-1, 2},
       {0, 4},
       {0, 4}},
      {"where_operand_nan_not_taken",
       [](const Tensor& x) { return where(Tensor{true, false}, x, Tensor{1.0, nan}); },
       {nan, inf},
       {nan, nan},
       {1, 0}},
      {"formula_branch_not_taken",
       [](const Tensor& x) { return map([](Scalar a) { return where(a > 0, sqrt(a) * log(a), 2 * a); }, x); },
       {0, -1, 1},
       {0, -2, 0},
       {2, 2, 1}},

      {"logsumexp_huge",
       [](const Tensor& x) { return logsumexp(x); },
       {1000, 1000, -1000},
       {1000 + std::log(2)},
       {0.5, 0.5, 0},
       1e-12},  // e^(x - y) loses the digits that x has before the point
      {"logsumexp_some_minus_inf",
       [](const Tensor& x) { return logsumexp(x); },
       {-inf, 0, 0},
       {std::log(2)},
       {0, 0.5, 0.5}},
      {"logsumexp_all_minus_inf", [](const Tensor& x) { return logsumexp(x); }, {-inf, -inf}, {-inf}, {0, 0}},
      {"logsumexp_inf", [](const Tensor& x) { return logsumexp(x); }, {inf, 0}, {inf}},
      {"logsumexp_nan", [](const Tensor& x) { return logsumexp(x); }, {nan, 0}, {nan}},
      {"softmax_huge", [](const Tensor& x) { return softmax(x); }, {1000, 1000, -1000}, {0.5, 0.5, 0}, {0, 0, 0}},
      {"softmax_masked", [](const Tensor& x) { return softmax(x); }, {-inf, 3, 3}, {0, 0.5, 0.5}, {0, 0, 0}},
      {"log_softmax_huge", [](const Tensor& x) { return log_softmax(x); }, {1e4, 0}, {0, -1e4}, {-1, 1}},
      {"log_softmax_masked",
       [](const Tensor& x) { return log_softmax(x); },
       {-inf, 3, 3},
       {-inf, -std::log(2), -std::log(2)},
       {1, -0.5, -0.5}},
      {"logaddexp",
       [](const Tensor& x) { return logaddexp(x, Tensor{-inf, inf, 1000.0, 0.0}); },
       {-inf, inf, 1000, -inf},
       {-inf, inf, 1000 + std::log(2), 0}},

      {"remainder_signs",
       [](const Tensor& x) { return remainder(x, Tensor{3.0, 3.0, -3.0, -3.0}); },
       {5, -5, 5, -5},
       {2, 1, -1, -2},
       {1, 1, 1, 1}},
      {"divide_by_zero", [](const Tensor& x) { return x / 0.0; }, {1, -1, 0}, {inf, -inf, nan}},
      {"atan2",
       [](const Tensor& x) { return atan2(x, Tensor{-1.0, -1.0, 0.0}); },
       {0, -0.0, 2},
       {std::acos(-1), -std::acos(-1), std::acos(0)}},
      {"atan2_small",
       [](const Tensor& x) { return atan2(x, Tensor{1e-200, -1e200}); },
       {1e-200, 1e200},
       {std::atan(1), 3 * std::atan(1)},
       {5e199, -5e-201}},
      {"asinh_large",
       [](const Tensor& x) { return asinh(x); },
       {1e200, -1e12, 0, nan},
       {std::asinh(1e200), -std::asinh(1e12), 0, nan},
       {1e-200, 1e-12, 1, nan}},
      {"acosh_large",
       [](const Tensor& x) { return acosh(x); },
       {1e200, 1e12, 0},
       {std::acosh(1e200), std::acosh(1e12), nan},
       {1e-200, 1e-12, nan}},
      {"gelu_far_out", [](const Tensor& x) { return gelu(x); }, {1e200, -1e200, nan}, {1e200, 0, nan}, {1, 0, nan}},
      {"gelu_tanh_far_out",
       [](const Tensor& x) { return gelu(x, true); },
       {1e200, -1e200, 40, nan},
       {1e200, 0, 40, nan},
       {1, 0, 1, nan}},
      {"norm_of_large", [](const Tensor& x) { return norm(x); }, {3e200, -4e200}, {5e200}, {0.6, -0.8}},
      {"norm_of_small", [](const Tensor& x) { return norm(x); }, {3e-200, 4e-200}, {5e-200}, {0.6, 0.8}},
      {"norm_of_inf", [](const Tensor& x) { return norm(x); }, {-inf, 1}, {inf}},
      {"norm_of_nan", [](const Tensor& x) { return norm(x); }, {nan, inf}, {nan}},
      {"softmax_far_apart", [](const Tensor& x) { return softmax(x)[0]; }, {1.7e308, -1.7e308}, {1}, {0, 0}},
      {"log_softmax_far_apart", [](const Tensor& x) { return log_softmax(x)[0]; }, {1.7e308, -1.7e308}, {0}, {0, 0}},
      {"remainder_takes_the_quotient_of_its_value",
       [](const Tensor& x) { return remainder(0.25, x); },
       {0.001},
       {std::fmod(0.25, 0.001)},
       {-249}},
      {"fmod_signs",
       [](const Tensor& x) { return fmod(x, Tensor{3.0, 3.0, -3.0, -3.0}); },
       {5, -5, 5, -5},
       {2, -2, 2, -2},
       {1, 1, 1, 1}},
      {"floor_divide",
       [](const Tensor& x) { return floor_divide(x, Tensor{2.0, 2.0, 0.001, 0.0}); },
       {-7.5, 7.5, 0.25, 1},
       {-4, 3, 249, inf}},
      {"hypot", [](const Tensor& x) { return hypot(x, Tensor{4e200, 0.0}); }, {3e200, -2}, {5e200, 2}, {0.6, -1}},
  };
  return table;
}

bool is_elementwise(const Tensor& y, const Tensor& x) {
  const auto order = nodes_since(Tensors{x}, Tensors{y});
  return y.shape() == x.shape() && std::all_of(order.nodes.begin(), order.nodes.end(), [&](const Node* node) {
           return node->as<Map>() != nullptr || node->inputs().empty();
         });
}

// Forward mode gives the same: along all ones for elementwise ops, else along each axis where that is finite.
void check_forward_mode(const Special& special, const Tensor& x, const Tensor& y) {
  if (is_elementwise(y, x)) {
    check_elements(jvp(y, {x}, {ones_like(x)}), x.shape(), special.dx, special.tolerance);
    return;
  }
  for (std::size_t i = 0; i < special.dx.size(); ++i) {
    std::vector<double> direction(special.dx.size());
    direction[i] = 1;
    const Tensor along = sum(jvp(y, {x}, {make_tensor(direction, x.shape(), DType::float64)}));
    check_elements(along, {}, {special.dx[i]}, special.tolerance);
  }
}

void check(const Special& special) {
  const Tensor x = make_tensor(special.x, {static_cast<std::int64_t>(special.x.size())}, DType::float64);
  const Tensor y = special.f(x);
  check_elements(y, y.shape(), special.y, special.tolerance);
  const Tensor twice = stack({x, x});
  check_elements(vmap(special.f)(twice)[1], y.shape(), special.y, special.tolerance);
  if (!special.dx.empty()) {
    check_elements(grad(sum(y), x), x.shape(), special.dx, special.tolerance);
    check_forward_mode(special, x, y);
    const auto gradient = grad([&](const Tensor& v) { return sum(special.f(v)); });
    check_elements(vmap(gradient)(twice)[1], x.shape(), special.dx, special.tolerance);
  }
}

/// Derivatives of the sum of f, of the sum of that, and so on, at values where something special happens.
struct Higher {
  std::string name;
  std::function<Tensor(const Tensor&)> f;
  std::vector<double> x;
  std::vector<std::vector<double>> derivatives;
};

const std::vector<Higher>& higher_orders() {
  static const std::vector<Higher> table = {
      {"sqrt", [](const Tensor& x) { return sqrt(x); }, {0, 4}, {{inf, 0.25}, {-inf, -1 / 32.0}, {inf, 3 / 256.0}}},
      {"log", [](const Tensor& x) { return log(x); }, {0, inf}, {{inf, 0}, {-inf, 0}, {inf, 0}}},
      {"reciprocal", [](const Tensor& x) { return 1 / x; }, {0, inf}, {{-inf, 0}, {inf, 0}, {-inf, 0}}},
      {"square_by_pow", [](const Tensor& x) { return pow(x, 2); }, {0, -3}, {{0, -6}, {2, 2}, {0, 0}}},
      {"cube_by_pow", [](const Tensor& x) { return pow(x, 3); }, {0, -2}, {{0, 12}, {0, -12}, {6, 6}}},
      {"fifth_power", [](const Tensor& x) { return pow(x, 5); }, {0, -2}, {{0, 80}, {0, -160}, {0, 240}}},
      {"power_of_fraction", [](const Tensor& x) { return pow(x, 1.5); }, {0, -2}, {{0, nan}, {inf, nan}, {-inf, nan}}},
      {"power_by_tensor",
       [](const Tensor& x) {
         return pow(x, Tensor{2.0, 1.0, 0.0, 3.0, 2.0});
       },
       {0, 0, 0, 0, -3},
       {{0, 1, 0, 0, -6}, {2, 0, 0, 0, 2}, {0, 0, 0, 6, 0}}},
      {"power_of_base_0",
       [](const Tensor& x) {
         return pow(Tensor{0.0, 0.0, -2.0}, x);
       },
       {0, 2, 2},
       {{0, 0, nan}, {0, 0, nan}, {0, 0, nan}}},
      {"norm_at_0", [](const Tensor& x) { return norm(x); }, {0, 0}, {{0, 0}, {inf, inf}}},
      {"square_of_norm_at_0", [](const Tensor& x) { return square(norm(x)); }, {0, 0}, {{0, 0}, {nan, nan}}},
      {"square_of_norm", [](const Tensor& x) { return square(norm(x)); }, {3, 4}, {{6, 8}, {2, 2}}},
      {"stddev_at_0", [](const Tensor& x) { return stddev(x); }, {1, 1}, {{0, 0}, {nan, nan}}},
      {"elu_kink",
       [](const Tensor& x) { return elu(x, 2); },
       {0, 1, -1},
       {{2, 1, 2 * std::exp(-1)}, {0, 0, 2 * std::exp(-1)}}},
      {"selu_kink",
       [](const Tensor& x) { return selu(x) / 1.0507009873554805; },
       {0, 1},
       {{1.6732632423543772, 1}, {0, 0}}},
      {"logsumexp_of_minus_inf", [](const Tensor& x) { return logsumexp(x); }, {-inf, -inf}, {{0, 0}, {0, 0}}},
      {"logsumexp_some_minus_inf",
       [](const Tensor& x) { return square(logsumexp(x)); },
       {-inf, 0, 0},
       {{0, std::log(2), std::log(2)}, {0, 1, 1}, {0, 0, 0}}},
      {"softplus_far_out",
       [](const Tensor& x) { return softplus(x); },
       {1000, -1000, inf, -inf, 0},
       {{1, 0, 1, 0, 0.5}, {0, 0, 0, 0, 0.25}, {0, 0, 0, 0, 0}}},
      {"sigmoid_far_out",
       [](const Tensor& x) { return sigmoid(x); },
       {inf, -inf, 0},
       {{0, 0, 0.25}, {0, 0, 0}, {0, 0, -0.125}}},
      {"tanh_far_out", [](const Tensor& x) { return tanh(x); }, {inf, -inf, 0}, {{0, 0, 1}, {0, 0, 0}, {0, 0, -2}}},
      {"abs", [](const Tensor& x) { return abs(x); }, {0, -2}, {{0, -1}, {0, 0}}},
      {"relu_squared", [](const Tensor& x) { return square(relu(x)); }, {0, -2, 3}, {{0, 0, 6}, {0, 0, 2}, {0, 0, 0}}},
      {"maximum_tie", [](const Tensor& x) { return square(maximum(x, 1.0)); }, {1, 2}, {{1, 4}, {0.5, 2}, {0, 0}}},
      {"branch_not_taken",
       [](const Tensor& x) { return map([](Scalar a) { return where(a > 0, log(a) * sqrt(a), a * a); }, x); },
       {0, -1, 1},
       {{0, -2, 1}, {2, 2, 0}, {0, 0, -0.25}}},
      {"clip_of_nan", [](const Tensor& x) { return clip(x, -1, 1); }, {nan, 0.5}, {{0, 1}, {0, 0}}},
      {"product_with_a_zero", [](const Tensor& x) { return prod(x); }, {0, 3, 2}, {{6, 0, 0}, {5, 2, 3}, {2, 2, 2}}},
      {"product_with_two_zeros", [](const Tensor& x) { return prod(x); }, {0, 0, 2}, {{0, 0, 0}, {2, 2, 0}, {2, 2, 2}}},
  };
  return table;
}

// In reverse over reverse, and for elementwise ops in forward over reverse.
void check_higher(const Higher& higher) {
  const Tensor x = make_tensor(higher.x, {static_cast<std::int64_t>(higher.x.size())}, DType::float64);
  Tensor y = higher.f(x);
  for (const std::vector<double>& expected : higher.derivatives) {
    const Tensor derivative = grad(sum(y), x, Unreached::zeros);
    check_elements(derivative, x.shape(), expected, 1e-13);
    if (is_elementwise(y, x)) {
      check_elements(jvp(y, {x}, {ones_like(x)}), x.shape(), expected, 1e-13);
    }
    y = derivative;
  }
}

}  // namespace

const testing::CasePerRow cases(specials(), &Special::name, check);
const testing::CasePerRow higher_cases(
    higher_orders(), [](const Higher& higher) { return "higher_orders_of_" + higher.name; }, check_higher);

BOOST_AUTO_TEST_CASE(empty_reductions) {
  const Tensor nothing = zeros({0, 3}, DType::float64);
  check_elements(sum(nothing), {}, {0});
  check_elements(sum(nothing, 0), {3}, {0, 0, 0});
  check_elements(sum(zeros({0}, DType::int32)), {}, {0});
  check_elements(mean(nothing), {}, {nan});
  check_elements(mean(nothing, 0), {3}, {nan, nan, nan});
  check_elements(mean(nothing, 1), {0}, {});
  check_elements(logsumexp(nothing, 0), {3}, {-inf, -inf, -inf});
  check_elements(all(zeros({0}, DType::boolean)), {}, {1});
  check_elements(any(zeros({0}, DType::boolean)), {}, {0});
  check_elements(amax(zeros({3, 0}), 0), {0}, {});
  check_elements(grad(sum(nothing * nothing), nothing), {0, 3}, {});
}

BOOST_AUTO_TEST_CASE(integer_division_truncates_and_remainder_takes_the_sign_of_the_divisor) {
  const Tensor a = {7, -7, 7, -7};
  const Tensor b = {2, 2, -2, -2};
  check_elements(a / b, {4}, {3, -3, -3, 3});
  check_elements(remainder(a, b), {4}, {1, 1, -1, -1});
  const std::int32_t least = std::numeric_limits<std::int32_t>::min();
  check_elements(Tensor{least} / -1, {1}, {static_cast<double>(least)});
  check_elements(remainder(Tensor{least}, -1), {1}, {0});
}

BOOST_AUTO_TEST_CASE(second_derivatives_at_kinks_are_finite) {
  const Tensor x = {0.0};
  for (const auto& f : {+[](const Tensor& a) { return abs(a) * a; }, +[](const Tensor& a) { return relu(a) * a; },
                        +[](const Tensor& a) { return softplus(a); }, +[](const Tensor& a) { return pow(a, 2); },
                        +[](const Tensor& a) { return maximum(a, 0.0) * a; }}) {
    const Tensor first = grad(sum(f(x)), x);
    BOOST_TEST(std::isfinite(grad(sum(first), x, Unreached::zeros).item()));
  }
  check_elements(grad(sum(grad(sum(softplus(x)), x)), x), {1}, {0.25}, 1e-15);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
