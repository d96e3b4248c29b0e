#include <chrono>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Which tensors belong to functions that are going on.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_scope)

namespace {

using detail::belongs_to_open_scope;
using testing::check_elements;

double seconds_of(const std::function<void()>& f) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

BOOST_AUTO_TEST_CASE(tensors_belong_while_the_function_goes_on) {
  const Tensor w = {2.0, 3.0};
  Tensor leaked;
  grad([&](const Tensor& x) {
    leaked = x * w;
    BOOST_TEST(belongs_to_open_scope(x));
    BOOST_TEST(belongs_to_open_scope(leaked));
    BOOST_TEST(!belongs_to_open_scope(w * 2));
    return sum(leaked);
  })(Tensor{1.0, 1.0});
  BOOST_TEST(!belongs_to_open_scope(leaked));
  BOOST_TEST(!belongs_to_open_scope(leaked * 2));
}

BOOST_AUTO_TEST_CASE(results_of_inner_functions_belong_to_the_outer_one_that_they_use) {
  const Tensor inner_point = {0.5, 0.25};
  grad([&](const Tensor& w) {
    const auto inner = grad([&](const Tensor& x) { return sum(w * x * x); });
    BOOST_TEST(belongs_to_open_scope(inner(inner_point)));  // through w, which the inner function captures
    const auto apart = grad([](const Tensor& x) { return sum(x * x); });
    BOOST_TEST(!belongs_to_open_scope(apart(inner_point)));
    return sum(inner(inner_point) * w);
  })(Tensor{1.0, 2.0});
}

BOOST_AUTO_TEST_CASE(a_compiled_function_is_called_with_what_belongs_to_a_transformation) {
  const auto square_sum = compile([](const Tensor& x) { return sum(x * x); });
  const auto outer = grad([&](const Tensor& w) {
    const Tensor gradient = grad([&](const Tensor& x) { return sum(w * x * x); })(Tensor{0.5, 0.25});
    return square_sum(gradient);  // the gradient is 2 w x
  });
  check_elements(outer(Tensor{3.0, 4.0}), {2}, {2 * 3.0 * 1, 2 * 4.0 * 0.25});
}

// Each scope of the chain is closed before the next one opens: none keeps those before it.
BOOST_AUTO_TEST_CASE(scopes_that_follow_each_other_form_no_chain) {
  const auto derivative = grad([](const Tensor& x) { return sum(0.5 * x * x); });
  Tensor x = {1.0};
  for (int i = 0; i < 100; ++i) {
    x = x - 0.01 * derivative(x);
    BOOST_TEST((x.node().scope() == nullptr));
  }
}

BOOST_AUTO_TEST_CASE(a_compiled_call_costs_the_same_whatever_the_history_of_its_argument) {
  const auto step = compile([](const Tensor& x) { return x + 1; });
  const auto with_history = [](int nodes) {
    Tensor x = ones({4}, DType::float64);
    for (int i = 0; i < nodes; ++i) {
      x = x + 1.0;
    }
    x.array();
    return x;
  };
  const Tensor young = with_history(1);
  const Tensor old = with_history(100'000);
  const auto calls = [&](const Tensor& x) {
    return [&] {
      for (int i = 0; i < 100; ++i) {
        step(x);
      }
    };
  };
  const double of_young = seconds_of(calls(young));
  const double of_old = seconds_of(calls(old));
  BOOST_TEST(of_old < 20 * of_young + 1e-4, of_old << " s instead of " << of_young << " s");  // by a walk: 10,000 times
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
