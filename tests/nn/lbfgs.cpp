#include "nn/optimizers/lbfgs.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/linalg.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/transforms/grad.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_lbfgs)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;

/// Σ 100 (x₂ᵢ₊₁ - x₂ᵢ²)² + (1 - x₂ᵢ)², whose only minimum is at 1 (Rosenbrock, 1960).
Tensor rosenbrock(const Tensor& w) {
  const Tensor x = w[range(0, w.size(), 2)];
  const Tensor y = w[range(1, w.size(), 2)];
  return sum(100 * square(y - square(x)) + square(1 - x));
}

/// ½ wᵀ A w - bᵀ w
struct Quadratic {
  Tensor a;
  Tensor b;
  explicit Quadratic(std::int64_t n) : b(testing::random_tensor({n}, -1, 1, 7)) {
    const Tensor root = testing::random_tensor({n, n}, -1, 1, 3);
    a = (matmul(root, transpose(root)) + eye(n, n, DType::float64)).detach();
  }
  Tensor operator()(const Tensor& w) const { return 0.5 * sum(w * matmul(a, w)) - sum(b * w); }
  Tensor gradient(const Tensor& w) const { return matmul(a, w) - b; }
  std::vector<double> minimum() const { return elements(linalg::solve(a, b)); }
};

/// One iteration, written on plain matrices: H from all changes by the BFGS update (Nocedal and Wright, 2006, equation
/// 6.17), which with a long enough memory is what the two-loop recursion applies.
Tensor bfgs_direction(const std::vector<Tensor>& s, const std::vector<Tensor>& y, const Tensor& gradient) {
  const std::int64_t n = gradient.size();
  const Tensor identity = eye(n, n, DType::float64);
  Tensor h = identity * (sum(s.back() * y.back()) / sum(y.back() * y.back()));
  for (std::size_t i = 0; i < s.size(); ++i) {
    const Tensor rho = 1 / sum(s[i] * y[i]);
    const Tensor left = identity - rho * outer(s[i], y[i]);
    h = (matmul(matmul(left, h), transpose(left)) + rho * outer(s[i], s[i])).detach();
  }
  return (-matmul(h, gradient)).detach();
}

}  // namespace

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_rosenbrocks_function) {
  for (const std::int64_t n : {2, 20}) {
    const Variable w(tile(Tensor{-1.2, 1.0}, {n / 2}), "w");
    nn::LBFGS lbfgs({w}, {.max_iterations = 100, .gradient_tolerance = 1e-10, .change_tolerance = 1e-14});
    BOOST_TEST(std::abs(lbfgs.minimize([&] { return rosenbrock(w); }).initial_loss -
                        24.2 * static_cast<double>(n) / 2) < 1e-10);
    check_elements(w, {n}, std::vector<double>(static_cast<std::size_t>(n), 1), 1e-8);
    BOOST_TEST(lbfgs.iterations() < 60);
    BOOST_TEST(lbfgs.evaluations() < 80);
  }
}

BOOST_AUTO_TEST_CASE(finds_the_minimum_of_quadratics_in_parameters_of_any_shape) {
  const Quadratic f(6);
  const Variable matrix(zeros({2, 2}, DType::float64), "matrix");
  const Variable vector(zeros({2}, DType::float64), "vector");
  const auto joined = [&] { return concatenate({reshape(matrix, {-1}), Tensor(vector)}); };
  nn::LBFGS lbfgs({matrix, vector}, {.max_iterations = 50, .gradient_tolerance = 1e-12, .change_tolerance = 0});
  lbfgs.minimize([&] { return f(joined()); });
  check_elements(joined(), {6}, f.minimum(), 1e-10);
}

BOOST_AUTO_TEST_CASE(takes_given_gradients_and_float32) {
  const Variable w(Tensor{5.0F, -3.0F}, "w");
  nn::LBFGS lbfgs({w});
  const Tensor scale = {1.0F, 10.0F};
  lbfgs.minimize([&] { return std::pair<Tensor, Tensors>(sum(scale * square(w - 1)), {2 * scale * (w - 1)}); });
  check_elements(w, {2}, {1, 1}, 1e-5);
  BOOST_TEST(w.dtype() == DType::float32);
}

// Without a line search the steps follow from the formulas alone.
BOOST_AUTO_TEST_CASE(directions_are_those_of_bfgs) {
  const Quadratic f(5);
  const Tensor start = testing::random_tensor({5}, -1, 1, 9);
  for (const int history : {2, 100}) {
    const Variable w(start, "w");
    nn::LBFGS lbfgs({w}, {.learning_rate = 0.3, .max_iterations = 1, .history_size = history, .line_search = false});
    Tensor x = start;
    std::vector<Tensor> s;
    std::vector<Tensor> y;
    for (int i = 0; i < 8; ++i) {
      lbfgs.minimize([&] { return f(w); });
      const Tensor g = f.gradient(x);
      const double first = std::min(1.0, 1 / sum(abs(g)).item());
      const Tensor change = i == 0 ? -0.3 * first * g : 0.3 * bfgs_direction(s, y, g);
      if (i >= history) {
        s.erase(s.begin());
        y.erase(y.begin());
      }
      s.push_back(change.detach());
      x = (x + change).detach();
      y.push_back((f.gradient(x) - g).detach());
      check_elements(w, {5}, elements(x), 1e-9);
    }
  }
}

BOOST_AUTO_TEST_CASE(calls_go_on_where_the_last_one_ended) {
  const Variable once(Tensor{-1.2, 1.0}, "once");
  const Variable often = once.clone();
  nn::LBFGS in_one({once}, {.max_iterations = 12, .max_evaluations = 1000});
  in_one.minimize([&] { return rosenbrock(once); });
  nn::LBFGS in_four({often}, {.max_iterations = 3, .max_evaluations = 1000});
  for (int i = 0; i < 4; ++i) {
    in_four.minimize([&] { return rosenbrock(often); });
  }
  BOOST_TEST(in_four.iterations() == 12);
  check_elements(often, {2}, elements(once), 1e-12);
  in_four.reset();
  BOOST_TEST(in_four.iterations() == 0);
}

BOOST_AUTO_TEST_CASE(every_step_meets_the_strong_wolfe_conditions) {
  for (const double rate : {1.0, 0.05}) {  // the steps that are tried first: about right, and too short
    const Variable w(Tensor{-1.2, 1.0}, "w");
    nn::LBFGS lbfgs({w}, {.learning_rate = rate, .max_iterations = 1, .max_evaluations = 100});
    const auto gradient = [&] { return grad(rosenbrock(w), w).detach(); };
    for (int i = 0; i < 20; ++i) {
      const double before = rosenbrock(w).item();
      const Tensor from = w;
      const Tensor g = gradient();
      lbfgs.minimize([&] { return rosenbrock(w); });
      const Tensor change = w - from;  // t d
      const double slope = sum(g * change).item();
      BOOST_TEST(rosenbrock(w).item() <= before + 1e-4 * slope);
      BOOST_TEST(std::abs(sum(gradient() * change).item()) <= 0.9 * std::abs(slope));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_smaller_history_and_a_smaller_rate_still_arrive) {
  const Variable w(Tensor{-1.2, 1.0}, "w");
  nn::LBFGS lbfgs({w}, {.max_iterations = 200, .change_tolerance = 1e-14, .history_size = 2});
  BOOST_TEST(lbfgs.learning_rate().item() == 1);
  lbfgs.learning_rate().assign(0.5);
  lbfgs.minimize([&] { return rosenbrock(w); });
  check_elements(w, {2}, {1, 1}, 1e-4);
}

BOOST_AUTO_TEST_CASE(limits_end_it) {
  const Variable w(Tensor{-1.2, 1.0}, "w");
  nn::LBFGS few({w}, {.max_iterations = 100, .max_evaluations = 5});
  few.minimize([&] { return rosenbrock(w); });
  BOOST_TEST(few.evaluations() >= 5);
  BOOST_TEST(few.evaluations() < 5 + 26);

  const auto evaluations = [](const nn::LBFGSOptions& options) {
    const Variable start(Tensor{-1.2, 1.0}, "start");
    nn::LBFGS lbfgs({start}, options);
    lbfgs.minimize([&] { return rosenbrock(start); });
    return lbfgs.evaluations();
  };
  // With steps that begin too short, evaluations run out before iterations do.
  const std::int64_t by_default = evaluations({.learning_rate = 0.05, .max_iterations = 20});
  BOOST_TEST(by_default == evaluations({.learning_rate = 0.05, .max_iterations = 20, .max_evaluations = 25}));
  BOOST_TEST(by_default < evaluations({.learning_rate = 0.05, .max_iterations = 20, .max_evaluations = 40}));

  const Variable flat(Tensor{1.0, 1.0}, "flat");
  nn::LBFGS none({flat});
  none.minimize([&] { return rosenbrock(flat); });
  BOOST_TEST(none.evaluations() == 1);
  BOOST_TEST(none.iterations() == 0);
}

// log is not defined where the first trial steps lead.
BOOST_AUTO_TEST_CASE(comes_back_from_where_the_loss_is_not_a_number) {
  const Variable w(Tensor{0.01}, "w");
  nn::LBFGS lbfgs({w}, {.learning_rate = 1e3, .max_iterations = 50});
  lbfgs.minimize([&] { return sum(-log(w) - log(1 - w)); });
  check_elements(w, {1}, {0.5}, 1e-6);
}

// The derivative of the root at 0 is infinite, the loss is not.
BOOST_AUTO_TEST_CASE(a_beginning_that_is_not_finite_is_an_error) {
  const Variable w(Tensor{0.0, 2.0}, "w");
  nn::LBFGS lbfgs({w});
  check_throws<ValueError>([&] { lbfgs.minimize([&] { return sum(sqrt(w)) + square(sum(w)); }); },
                           {"[lbfgs] ", "begins", "the gradient of parameter '0.w'", "not finite", "lbfgs.cpp"});
  check_throws<ValueError>([&] { lbfgs.minimize([&] { return sum(log(w)); }); }, {"the loss is -inf"});
  check_elements(w, {2}, {0, 2});
}

// (w - 3)² where w is at most 2, and infinite or with an infinite gradient beyond.
BOOST_AUTO_TEST_CASE(the_line_search_turns_back_from_infinite_losses_and_gradients) {
  for (const bool only_gradient : {false, true}) {
    const Variable w(Tensor(0.0), "w");
    nn::LBFGS lbfgs({w}, {.learning_rate = 20, .max_iterations = 50});
    const nn::LBFGSResult result = lbfgs.minimize([&]() -> std::pair<Tensor, Tensors> {
      const bool beyond = w.item() > 2;
      const double infinite = std::numeric_limits<double>::infinity();
      return {Tensor(beyond && !only_gradient ? infinite : (square(w - 3)).item()),
              {Tensor(beyond ? infinite : (2 * (w - 3)).item())}};
    });
    BOOST_TEST(w.item() > 1);
    BOOST_TEST(w.item() <= 2);
    BOOST_TEST(result.initial_loss == 9);
    BOOST_TEST(result.loss == std::pow(w.item() - 3, 2), boost::test_tools::tolerance(1e-12));
    BOOST_TEST(!result.stopped.empty());
  }
}

// From 1, steps of -0.75 / w lead to 0.25, and from there beyond 0.
BOOST_AUTO_TEST_CASE(a_step_without_line_search_to_what_is_not_finite_is_an_error_at_the_best_point) {
  const Variable w(Tensor(1.0), "w");
  nn::LBFGS lbfgs({w}, {.learning_rate = 0.75, .max_iterations = 10, .line_search = false});
  check_throws<ValueError>(
      [&] { lbfgs.minimize([&] { return log(w); }); },
      {"[lbfgs] the loss is nan after a step", "iteration 2", "lower the learning rate", "lbfgs.cpp"});
  BOOST_TEST(w.item() == 0.25);
  BOOST_TEST(lbfgs.iterations() == 0);
}

BOOST_AUTO_TEST_CASE(the_result_says_why_it_stopped_and_what_was_reached) {
  const auto stopped = [](const nn::LBFGSOptions& options) {
    const Variable w(Tensor{-1.2, 1.0}, "w");
    nn::LBFGS lbfgs({w}, options);
    const nn::LBFGSResult result = lbfgs.minimize([&] { return rosenbrock(w); });
    BOOST_TEST(result.initial_loss == 24.2, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(result.loss == rosenbrock(w).item());
    return result.stopped;
  };
  BOOST_TEST(stopped({.max_iterations = 3, .max_evaluations = 100}) == "3 iterations were made");
  BOOST_TEST(stopped({.max_iterations = 1, .max_evaluations = 100, .line_search = false}) == "1 iterations were made");
  BOOST_TEST(stopped({.max_evaluations = 1}) == "the loss was evaluated 3 times");
  BOOST_TEST(stopped({.max_iterations = 100, .gradient_tolerance = 1e-3, .change_tolerance = 0}) ==
             "no element of the gradient is above 0.001");
  BOOST_TEST(stopped({.max_iterations = 100, .gradient_tolerance = 0, .change_tolerance = 1e-3}).find("0.001") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_learning_rate_is_checked_when_it_is_used) {
  const Variable w(Tensor{-1.2, 1.0}, "w");
  nn::LBFGS lbfgs({w});
  lbfgs.learning_rate().assign(-1);
  check_throws<ValueError>([&] { lbfgs.minimize([&] { return rosenbrock(w); }); },
                           {"[lbfgs] the learning rate is above 0, got -1", "lbfgs.cpp"});
}

BOOST_AUTO_TEST_CASE(a_failure_changes_nothing) {
  const Variable w(Tensor{-1.2, 1.0}, "w");
  nn::LBFGS lbfgs({w}, {.max_iterations = 4});
  lbfgs.minimize([&] { return rosenbrock(w); });
  const std::vector<double> before = elements(w);
  const std::int64_t iterations = lbfgs.iterations();
  const std::int64_t evaluations = lbfgs.evaluations();
  int calls = 0;
  const auto failing = [&]() -> Tensor {
    if (++calls == 3) {
      throw std::runtime_error("out of luck");
    }
    return rosenbrock(w);
  };
  BOOST_CHECK_THROW(lbfgs.minimize(failing), std::runtime_error);
  BOOST_TEST(elements(w) == before);
  BOOST_TEST(lbfgs.iterations() == iterations);
  BOOST_TEST(lbfgs.evaluations() == evaluations);

  const Variable undisturbed(Tensor{-1.2, 1.0}, "w");
  nn::LBFGS other({undisturbed}, {.max_iterations = 4});
  for (int i = 0; i < 2; ++i) {
    other.minimize([&] { return rosenbrock(undisturbed); });
  }
  lbfgs.minimize([&] { return rosenbrock(w); });
  BOOST_TEST(elements(w) == elements(undisturbed));
}

BOOST_AUTO_TEST_CASE(senseless_arguments_are_refused) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const Variable unused(Tensor(1.0), "unused");
  const auto make = [&w](const nn::LBFGSOptions& options) { return [=] { nn::LBFGS({w}, options); }; };
  check_throws<ValueError>([] { nn::LBFGS({}); }, {"[lbfgs] ", "empty", "lbfgs.cpp"});
  check_throws<ValueError>([&] { nn::LBFGS({w, w}); }, {"[lbfgs] ", "same variable, 'w'"});
  check_throws<ValueError>(make({.learning_rate = 0}), {"[lbfgs] ", "learning rate", "got 0"});
  check_throws<ValueError>(make({.max_iterations = 0}), {"iterations", "got 0"});
  check_throws<ValueError>(make({.max_evaluations = -1}), {"evaluations", "got -1"});
  check_throws<ValueError>(make({.history_size = 0}), {"history", "got 0"});
  check_throws<ValueError>(make({.gradient_tolerance = -1}), {"tolerance of the gradient", "got -1"});
  check_throws<ValueError>(make({.change_tolerance = -1}), {"tolerance of changes", "got -1"});
  nn::LBFGS both({w, unused});
  check_throws<GradientError>([&] { both.minimize([&] { return sum(w); }); }, {"'unused'", "lbfgs.cpp"});
  nn::LBFGS lbfgs({w});
  using Result = std::pair<Tensor, Tensors>;
  check_throws<ValueError>([&] { lbfgs.minimize([&] { return Result(sum(w), {}); }); },
                           {"[lbfgs] 0 gradients for 1 parameters", "lbfgs.cpp"});
  check_throws<ShapeError>([&] { lbfgs.minimize([&] { return Result(sum(w), {Tensor(1.0)}); }); }, {"'0.w'", "(2,)"});
}

BOOST_AUTO_TEST_SUITE_END()
