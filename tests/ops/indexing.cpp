#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_indexing)

namespace {

using testing::check_elements;
using testing::check_throws;

/// Which positions Python's begin:end:step selects of an axis, found by walking.
std::vector<std::int64_t> walk(std::optional<std::int64_t> begin, std::optional<std::int64_t> end, std::int64_t step,
                               std::int64_t size) {
  std::vector<std::int64_t> positions;
  const std::int64_t first = begin ? (*begin < 0 ? *begin + size : *begin) : (step > 0 ? 0 : size - 1);
  const std::int64_t last = end ? (*end < 0 ? *end + size : *end) : (step > 0 ? size : -1);
  // From far outside: positions that do not exist are skipped, yet count as steps only once inside.
  std::int64_t i = step > 0 ? std::max<std::int64_t>(first, 0) : std::min(first, size - 1);
  for (; step > 0 ? i < last : i > last; i += step) {
    if (i >= 0 && i < size) {
      positions.push_back(i);
    }
  }
  return positions;
}

const Tensor& matrix() {  // element (i, j) is 10 i + j
  static const Tensor x = [] {
    std::vector<double> elements;
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 5; ++j) {
        elements.push_back(10 * i + j);
      }
    }
    return testing::make_tensor(elements, {4, 5}, DType::float64);
  }();
  return x;
}

// The gradient of Σ x[...]²: twice the element where it was selected, 0 elsewhere.
void check_gradient(const Tensor& x, const Tensor& selected) {
  std::vector<double> expected(static_cast<std::size_t>(x.size()));
  for (const double element : testing::elements(selected)) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (testing::elements(x)[i] == element) {
        expected[i] += 2 * element;
      }
    }
  }
  check_elements(grad(sum(square(selected)), x, Unreached::zeros), x.shape(), expected);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_range_selects_what_python_selects) {
  for (const std::int64_t size : {0, 1, 5}) {
    const Tensor x = arange(static_cast<double>(size), DType::float64);
    for (std::int64_t begin = -7; begin <= 7; ++begin) {
      for (std::int64_t end = -7; end <= 7; ++end) {
        for (const std::int64_t step : {1, 2, 3, -1, -2, -7}) {
          const auto positions = walk(begin, end, step, size);
          const std::vector<double> expected(positions.begin(), positions.end());
          BOOST_TEST_CONTEXT(begin << ":" << end << ":" << step << " of " << size) {
            check_elements(x[range(begin, end, step)], {static_cast<std::int64_t>(expected.size())}, expected);
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(steps_of_any_length_leave_the_axis) {
  constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max();
  const Tensor& x = matrix();
  check_elements((x[{range(1, 4, longest), 0}]), {1}, {10});
  check_elements((x[{range(2, 0, -longest), 0}]), {1}, {20});
  check_elements((x[{range(2, 0, Slice::open), 0}]), {1}, {20});
  check_elements((x[{range(3, 3, longest), 0}]), {0}, {});
  check_gradient(x, x[range(1, 4, longest)]);
}

BOOST_AUTO_TEST_CASE(positions) {
  const Tensor& x = matrix();
  check_elements(x[1], {5}, {10, 11, 12, 13, 14});
  check_elements(x[-1], {5}, {30, 31, 32, 33, 34});
  check_elements(x[{2, 3}], {}, {23});
  check_elements(x[{all(), 2}], {4}, {2, 12, 22, 32});
  check_elements(x[{-1, -1}], {}, {34});
  check_elements(x[1][2], {}, {12});
  check_gradient(x, x[1]);
  check_gradient(x, x[{all(), -2}]);
}

BOOST_AUTO_TEST_CASE(ranges) {
  const Tensor& x = matrix();
  check_elements(x[range(1, 3)], {2, 5}, {10, 11, 12, 13, 14, 20, 21, 22, 23, 24});
  check_elements(x[range(3)], {1, 5}, {30, 31, 32, 33, 34});
  check_elements(x[{range(0, 4, 2), range(4, 0, -2)}], {2, 2}, {4, 2, 24, 22});
  check_elements(x[{range(2, 2), all()}], {0, 5}, {});
  check_elements(x[{range(Slice::open, Slice::open, -3), 0}], {2}, {30, 0});
  for (const Tensor& selected : {x[range(1, 3)], x[{range(0, 4, 2), range(4, 0, -2)}], x[{range(2, 2)}]}) {
    check_gradient(x, selected);
  }
}

BOOST_AUTO_TEST_CASE(new_axes_and_ellipsis) {
  const Tensor& x = matrix();
  check_elements(x[{newaxis(), 1}], {1, 5}, {10, 11, 12, 13, 14});
  check_elements(x[{1, newaxis(), range(0, 2), newaxis()}], {1, 2, 1}, {10, 11});
  check_elements(x[{ellipsis(), 0}], {4}, {0, 10, 20, 30});
  check_elements(x[{0, ellipsis()}], {5}, {0, 1, 2, 3, 4});
  check_elements(x[{1, ellipsis(), 1}], {}, {11});
  BOOST_TEST((x[{ellipsis()}].same_as(x)));
  BOOST_TEST((x[all()].same_as(x)));
  const Tensor y = reshape(x, {2, 2, 5});
  check_elements(y[{1, ellipsis(), range(0, 5, 4)}], {2, 2}, {20, 24, 30, 34});
  check_gradient(x, x[{newaxis(), range(3, Slice::open, -2), ellipsis(), newaxis()}]);
}

BOOST_AUTO_TEST_CASE(elements_selected_twice_add_up) {
  const Tensor x = {1.0, 2.0, 3.0};
  check_elements(grad(sum(take(x, Tensor{0, 0, 2, 0})), x), {3}, {3, 0, 1});
  check_elements(grad(sum(x[0] * x[0]), x), {3}, {2, 0, 0});
  check_elements(grad(sum(x[range(0, 2)] * x[range(1, 3)]), x), {3}, {2, 4, 2});
}

BOOST_AUTO_TEST_CASE(second_derivatives_flow_through_selections) {
  check_grads(
      [](const Tensors& x) {
        return pow(x[0][{range(3, 0, -2), all()}], 3.0) * x[0][{0, ellipsis()}];
      },
      {testing::random_tensor({4, 5})});
  check_grads(
      [](const Tensors& x) {
        return square(take(x[0], Tensor{2, 0, 2}, 1));
      },
      {testing::random_tensor({4, 5})});
}

BOOST_AUTO_TEST_CASE(updates_that_meet_are_taken_in_order) {
  const Tensor x = {1.0, 2.0, 3.0, 4.0};
  const Tensor places = {1, -1, 1, 3};  // -1 is 3
  const Tensor updates = {10.0, 20.0, 30.0, 5.0};
  check_elements(scatter(x, places, updates, 0), {4}, {1, 30, 3, 5});
  check_elements(scatter(x, places, updates, 0, Scatter::add), {4}, {1, 42, 3, 29});
  check_elements(scatter(x, places, updates, 0, Scatter::multiply), {4}, {1, 600, 3, 400});
  check_elements(scatter(x, places, updates, 0, Scatter::maximum), {4}, {1, 30, 3, 20});
  check_elements(scatter(x, places, updates, 0, Scatter::minimum), {4}, {1, 2, 3, 4});
  check_elements(grad(sum(scatter(x, places, updates, 0)), updates), {4}, {0, 0, 1, 1});
  check_elements(grad(sum(scatter(x, places, updates, 0)), x), {4}, {1, 0, 1, 0});
}

BOOST_AUTO_TEST_CASE(infinities_and_nan_stay_where_updates_put_them) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = {1.0, 2.0, 0.0};
  const Tensor places = {0, 1, 1, 0};
  check_elements(scatter(x, places, Tensor{inf, 3.0, 4.0, 2.0}, 0, Scatter::multiply), {3}, {inf, 24, 0});
  check_elements(scatter(x, places, Tensor{0.0, 3.0, nan, inf}, 0, Scatter::multiply), {3}, {nan, nan, 0});
  for (const Scatter how : {Scatter::maximum, Scatter::minimum}) {
    check_elements(scatter(x, Tensor{1, 1, 2}, Tensor{nan, 5.0, 0.0}, 0, how), {3}, {1, nan, 0});
    check_elements(scatter(Tensor{nan, 1.0}, Tensor{0}, Tensor{7.0}, 0, how), {2}, {nan, 1});
  }
  check_elements(scatter(x, Tensor{2, 2}, Tensor{nan, 5.0}, 0), {3}, {1, 2, 5});
}

BOOST_AUTO_TEST_CASE(derivatives_of_scattered_products_are_right_where_factors_are_zero) {
  const Tensor x = {2.0, 3.0};
  const Tensor zeros_meet = {0.0, 5.0, 0.0};
  const auto product = [](const Tensors& t) { return scatter(t[0], Tensor{0, 0, 0}, t[1], 0, Scatter::multiply); };
  check_elements(grad(sum(product({x, zeros_meet})), zeros_meet), {3}, {0, 0, 0});
  const Tensor second = grad(grad(sum(product({x, zeros_meet})), zeros_meet)[0], zeros_meet);
  check_elements(second, {3}, {0, 0, 10});
  check_grads(product, {x, zeros_meet});
  check_grads([&](const Tensors& t) { return exp(product(t)); }, {x, Tensor{0.0, 0.5, 0.25}});
}

BOOST_AUTO_TEST_CASE(equal_extremes_share_the_derivative_of_a_scatter) {
  const Tensor x = {3.0, 1.0};
  const Tensor updates = {3.0, 3.0, 2.0};
  const Tensor y = scatter(x, Tensor{0, 0, 0}, updates, 0, Scatter::maximum);
  check_elements(grad(sum(y), x), {2}, {1.0 / 3, 1}, 1e-15);
  check_elements(grad(sum(y), updates), {3}, {1.0 / 3, 1.0 / 3, 0}, 1e-15);
}

BOOST_AUTO_TEST_CASE(searches_and_counts_at_the_ends) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor sorted = {1.0, 2.0, 2.0, 3.0, nan};
  check_elements(searchsorted(sorted, Tensor{-inf, 2.0, 2.5, inf, nan}), {5}, {0, 1, 3, 4, 4});
  check_elements(searchsorted(sorted, Tensor{-inf, 2.0, 2.5, inf, nan}, true), {5}, {0, 3, 3, 4, 5});
  check_elements(searchsorted(sorted, 2.0), {}, {1});
  check_elements(bincount(Tensor{2, 0, 2}, 4), {4}, {1, 0, 2, 0});
  BOOST_TEST(bincount(zeros({0}, DType::uint8), 0).shape() == Shape({0}));
  check_elements(cummax(Tensor{1.0, 3.0, 3.0, nan, 5.0}, 0).values, {5}, {1, 3, 3, nan, nan});
  check_elements(cummax(Tensor{1.0, 3.0, 3.0, nan, 5.0}, 0).indices, {5}, {0, 1, 2, 3, 3});
}

BOOST_AUTO_TEST_CASE(extremes_so_far_are_found_one_by_one) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  // Many equal ones, with NaN and infinities here and there; more columns than are taken at a time.
  const Shape shape{3, 40, 70};
  const Tensor numbers = cast(floor(random::uniform(random::Key(1), shape, -6, 7)), DType::int32);
  const Tensor rare = random::uniform(random::Key(2), shape);
  const Tensor x =
      where(rare < 0.02, nan, where(rare < 0.04, inf, where(rare < 0.06, -inf, cast(numbers, DType::float64))));
  const auto at = [](const Tensor& t, std::int64_t i) { return t.value<double>().data()[i]; };
  for (const DType dtype : {DType::float64, DType::float32, DType::int32}) {
    const Tensor of_dtype = dtype == DType::int32 ? cast(numbers, dtype) : cast(x, dtype);
    const Tensor plain = cast(of_dtype, DType::float64);
    for (const std::int64_t axis : {0, 1, 2}) {
      for (const bool largest : {true, false}) {
        const CumulativeExtreme found = largest ? cummax(of_dtype, axis) : cummin(of_dtype, axis);
        const Tensor values = cast(found.values, DType::float64);
        const Tensor indices = cast(found.indices, DType::float64);
        evaluate({plain, values, indices});
        const std::int64_t n = shape[static_cast<std::size_t>(axis)];
        const std::int64_t inner = axis == 0 ? 2800 : axis == 1 ? 70 : 1;
        std::int64_t wrong = 0;
        for (std::int64_t first = 0; first < plain.size(); ++first) {
          if (first / inner % n != 0) {
            continue;
          }
          std::int64_t best = 0;
          for (std::int64_t k = 0; k < n; ++k) {
            const double here = at(plain, first + k * inner);
            const double before = at(plain, first + best * inner);
            const bool wins = std::isnan(here) || (!std::isnan(before) && (largest ? here >= before : here <= before));
            best = wins ? k : best;
            const double value = at(values, first + k * inner);
            const double expected = at(plain, first + best * inner);
            wrong += at(indices, first + k * inner) != static_cast<double>(best) ||
                     !(value == expected || (std::isnan(value) && std::isnan(expected)));
          }
        }
        BOOST_TEST(wrong == 0, dtype << ", axis " << axis << ": " << wrong << " are wrong");
        if (dtype == DType::float64) {
          const Tensor taken = take_along_axis(of_dtype, found.indices, axis);
          const Tensor weights = random::normal(random::Key(3), shape, 0, 1, DType::float64);
          check_elements(sum(abs(grad(sum(found.values * weights), of_dtype) - grad(sum(taken * weights), of_dtype))),
                         {}, {0}, 1e-9);
          const Tensor t = random::normal(random::Key(4), shape, 0, 1, DType::float64);
          check_elements(sum(abs(jvp(found.values, {of_dtype}, {t}) - jvp(taken, {of_dtype}, {t}))), {}, {0});
        }
      }
    }
  }
  const Tensor y{1.0, 3.0, 2.0, 4.0};
  const Tensor infinite{1.0, 2.0, inf, 5.0};  // stays where it belongs
  check_elements(vjp(cummax(y, 0).values, {y}, infinite)[0], {4}, {1, inf, 0, 5});
}

BOOST_AUTO_TEST_CASE(weights_are_counted_by_numbers) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const Tensor x{2, 0, 2, 3, 2};
  check_elements(bincount(x, Tensor{0.5, 1.0, 0.25, inf, -1.0}, 5), {5}, {1, 0, -0.25, inf, 0});
  check_elements(bincount(reshape(x, {5, 1}), Tensor{{1}, {2}, {3}, {4}, {2147483647}}, 4), {4},
                 {2, 0, -2147483645, 4});
  BOOST_TEST(bincount(x, cast(x, DType::int64), 4).dtype() == DType::int64);
  BOOST_TEST(bincount(zeros({0}, DType::int32), zeros({0}), 0).shape() == Shape({0}));
  // Many small float32 numbers keep their digits: of a million times 0.1.
  const Tensor many = bincount(zeros({1000000}, DType::int32), full({1000000}, 0.1F), 1);
  check_elements(many, {1}, {100000}, 0.01);

  // As a matrix of ones times the weights, with its derivatives.
  const Tensor weights = random::normal(random::Key(1), {5}, 0, 1, DType::float64);
  const Tensor hot = one_hot(x, 4, DType::float64);
  const auto counted = [&](const Tensor& w) { return bincount(x, w, 4); };
  check_elements(sum(abs(counted(weights) - matmul(weights, hot))), {}, {0}, 1e-15);
  check_elements(sum(abs(jacobian(counted, 0, JacobianMode::reverse)(weights) - transpose(hot))), {}, {0});
  check_elements(sum(abs(jacobian(counted, 0, JacobianMode::forward)(weights) - transpose(hot))), {}, {0});
  const Tensor g = grad(sum(square(counted(weights))), weights);
  check_elements(sum(abs(g - 2 * matmul(hot, matmul(weights, hot)))), {}, {0}, 1e-14);

  // Of samples, of numbers and of weights.
  const Tensor numbers{{0, 1, 1}, {2, 2, 0}};
  const Tensor each{{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  const auto both = vmap([](const Tensor& n, const Tensor& w) { return bincount(n, w, 3); });
  check_elements(both(numbers, each), {2, 3}, {1, 5, 0, 6, 0, 9});
  const auto one = vmap([](const Tensor& n) { return bincount(n, Tensor{1.0, 10.0, 100.0}, 3); });
  check_elements(one(numbers), {2, 3}, {1, 110, 0, 100, 0, 11});

  check_throws<ValueError>([&] { bincount(x, weights, 3).value<double>(); }, {"[bincount] number 3 at position 3"});
  check_throws<ValueError>([&] { bincount(Tensor{-1}, Tensor{1.0}, 3).value<double>(); }, {"[bincount] number -1"});
  check_throws<ValueError>([&] { bincount(Tensor{0}, Tensor{1.0}, 0).value<double>(); }, {"[bincount] number 0"});
  check_throws<ValueError>([&] { bincount(x, weights, -1); }, {"[bincount] the length is -1"});
  check_throws<ShapeError>([&] { bincount(x, Tensor{1.0}, 4); }, {"[bincount] numbers of shape (5,)", "(1,)"});
  check_throws<DTypeError>([&] { bincount(x, x > 1, 4); }, {"[bincount] the weights are boolean"});
}

BOOST_AUTO_TEST_CASE(integers_index_integers_and_booleans) {
  check_elements(Tensor{1, 2, 3}[range(2, Slice::open, -1)], {3}, {3, 2, 1});
  check_elements(Tensor{true, false, true}[{1}], {}, {0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
