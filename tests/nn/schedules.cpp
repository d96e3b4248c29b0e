#include "nn/schedules.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_schedules)

namespace {

using namespace xgrad;
using namespace xgrad::nn::schedules;
using testing::check_throws;

void check(const nn::Schedule& schedule, const std::vector<double>& expected) {
  for (std::size_t t = 0; t < expected.size(); ++t) {
    const double actual = schedule(static_cast<std::int64_t>(t));
    BOOST_TEST(std::abs(actual - expected[t]) <= 1e-14,
               "at step " << t << " it is " << actual << ", should be " << expected[t]);
  }
  BOOST_TEST(schedule(-3) == schedule(0));
}

}  // namespace

BOOST_AUTO_TEST_CASE(constant_stays) { check(constant(0.3), {0.3, 0.3, 0.3}); }

BOOST_AUTO_TEST_CASE(linear_falls_to_zero_and_stays) {
  check(linear(0.8, 0, 4), {0.8, 0.6, 0.4, 0.2, 0, 0});
  BOOST_TEST(linear(0.8, 0, 4)(1000000) == 0);
  check(linear(0.1, 0.5, 2), {0.1, 0.3, 0.5, 0.5});
}

BOOST_AUTO_TEST_CASE(factors_apply_at_steps) {
  check(step(1, 2, 0.5), {1, 1, 0.5, 0.5, 0.25});
  check(multi_step(1, {1, 3, 3}, 0.5), {1, 0.5, 0.5, 0.125, 0.125});
  check(multi_step(1, {}, 0.5), {1, 1});
  check(exponential(1, 0.5), {1, 0.5, 0.25, 0.125});
}

BOOST_AUTO_TEST_CASE(curves_fall_to_the_end) {
  check(polynomial(1, 4, 2), {1, 0.5625, 0.25, 0.0625, 0, 0});
  check(polynomial(1, 2, 1, 0.5), {1, 0.75, 0.5, 0.5});
  check(cosine(1, 4, 0.5),
        {1, 0.75 + 0.25 * std::numbers::sqrt2 / 2, 0.75, 0.75 - 0.25 * std::numbers::sqrt2 / 2, 0.5});
}

BOOST_AUTO_TEST_CASE(restarts_come_after_growing_periods) {
  check(warm_restarts(1, 2, 1, 0.5), {1, 0.75, 1, 0.75, 1});
  check(warm_restarts(1, 1, 2), {1, 1, 0.5, 1, 0.5 + std::numbers::sqrt2 / 4, 0.5, 0.5 - std::numbers::sqrt2 / 4, 1});
  BOOST_TEST(warm_restarts(1, 3)(3'000'000'000'000) == 1);
}

// Rises in steps 0 to 2, falls in steps 2 to 9.
BOOST_AUTO_TEST_CASE(one_cycle_rises_and_falls) {
  OneCycleOptions options{.initial_divisor = 4, .final_divisor = 10, .straight = true};
  std::vector<double> rates = {0.25, 0.625, 1};
  std::vector<double> momenta = {0.95, 0.9, 0.85};
  for (int i = 1; i <= 7; ++i) {
    rates.push_back(1 - (1 - 0.025) * i / 7);
    momenta.push_back(0.85 + 0.1 * i / 7);
  }
  rates.push_back(0.025);
  momenta.push_back(0.95);
  check(one_cycle(1, 10, options), rates);
  check(one_cycle_momentum(10, options), momenta);

  options.three_phases = true;  // up in steps 0 to 2, down in 2 to 4, on down in 4 to 9
  check(one_cycle(1, 10, options), {0.25, 0.625, 1, 0.625, 0.25, 0.205, 0.16, 0.115, 0.07, 0.025, 0.025});
  check(one_cycle_momentum(10, options), {0.95, 0.9, 0.85, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95, 0.95});

  options.straight = false;
  check(one_cycle(1, 10, options), {0.25, 0.625, 1, 0.625, 0.25});  // half way the cosine is half way
  for (const double rise : {0.0, 0.05, 0.1, 0.5, 1.0}) {
    const nn::Schedule rate = one_cycle(1, 10, {.rise = rise});
    for (int t = 0; t < 12; ++t) {
      BOOST_TEST((rate(t) > 0 && rate(t) <= 1), "with " << rise << " at step " << t << " it is " << rate(t));
    }
  }
}

BOOST_AUTO_TEST_CASE(schedules_are_composed) {
  check(warm_up(2, linear(0.8, 0, 4)), {0, 0.4, 0.8, 0.6, 0.4, 0.2, 0, 0});
  check(warm_up(2, constant(1), 0.5), {0.5, 0.75, 1, 1});
  check(sequential({constant(1), exponential(2, 0.5), constant(3)}, {2, 5}), {1, 1, 2, 1, 0.5, 3, 3});
  check(chained({linear(0.5, 1, 2), exponential(0.1, 0.5)}), {0.05, 0.0375, 0.025, 0.0125});
  check([](std::int64_t t) { return t < 0 ? 1.0 : 1.0 / (1 + static_cast<double>(t)); }, {1, 0.5});
}

BOOST_AUTO_TEST_CASE(an_optimizer_follows_a_schedule) {
  const Variable w(Tensor(1.0), "w");
  nn::SGD sgd({w}, {.momentum = 0.5});
  const nn::Schedule rate = step(0.5, 1, 0.5);
  const nn::Schedule momentum = linear(0, 1, 1);
  for (std::int64_t t = 0; t < 2; ++t) {
    sgd.learning_rate().assign(rate(t));
    sgd.momentum().assign(momentum(t));
    sgd.step({Tensor(1.0)});
  }
  BOOST_TEST(w.item() == 1 - 0.5 - 0.25 * 2);
}

BOOST_AUTO_TEST_CASE(senseless_schedules_are_refused) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  check_throws<ValueError>([] { constant(-1); }, {"[constant] ", "got -1", "schedules.cpp"});
  check_throws<ValueError>([] { linear(0.1, 0, 0); }, {"[linear] ", "got 0", "schedules.cpp"});
  check_throws<ValueError>([&] { linear(infinity, 0, 1); }, {"[linear] ", "initial rate", "inf"});
  check_throws<ValueError>([] { step(0.1, 0); }, {"[step] ", "period", "got 0"});
  check_throws<ValueError>([] { multi_step(0.1, {3, 2}); }, {"[multi_step] ", "ascending", "2 at position 1"});
  check_throws<ValueError>([] { exponential(0.1, -0.5); }, {"[exponential] ", "factor", "-0.5"});
  check_throws<ValueError>([] { polynomial(0.1, 5, 0); }, {"[polynomial] ", "power", "got 0"});
  check_throws<ValueError>([] { cosine(0.1, 5, -1); }, {"[cosine] ", "final rate", "got -1"});
  check_throws<ValueError>([] { warm_restarts(0.1, 5, 0); }, {"[warm_restarts] ", "multiplier", "got 0"});
  check_throws<ValueError>([] { one_cycle(0.1, 10, {.rise = 1.5}); }, {"[one_cycle] ", "[0, 1]", "got 1.5"});
  check_throws<ValueError>([] { one_cycle(0.1, 10, {.rise = 0.6, .three_phases = true}); }, {"[0, 0.5]", "got 0.6"});
  check_throws<ValueError>([] { one_cycle(0.1, 0); }, {"[one_cycle] ", "got 0"});
  check_throws<ValueError>([] { one_cycle_momentum(0); }, {"[one_cycle] ", "got 0", "schedules.cpp"});
  check_throws<ValueError>([] { warm_up(0, constant(1)); }, {"[warm_up] ", "got 0"});
  check_throws<ValueError>([] { sequential({constant(1)}, {3}); }, {"[sequential] 1 schedules and 1 milestones"});
  check_throws<ValueError>([] { chained({}); }, {"[chained] ", "empty", "schedules.cpp"});
}

BOOST_AUTO_TEST_CASE(the_rate_falls_on_a_plateau) {
  nn::ReduceOnPlateau plateau(1, {.factor = 0.5, .patience = 1, .threshold = 0.1, .cooldown = 1});
  // better by a tenth: 10, 8, 7; two in a row that are not: a reduction, after which one does not count
  const std::vector<double> metrics = {10, 8, 7.9, 7, 6.9, 6.8, 6.7, 6.6, 6.5, 1};
  const std::vector<double> expected = {1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25};
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    BOOST_TEST(plateau.update(metrics[i]) == expected[i], "after " << metrics[i]);
    BOOST_TEST(plateau.rate() == expected[i]);
  }
  BOOST_TEST(plateau.best() == 1);
}

BOOST_AUTO_TEST_CASE(plateaus_of_metrics_to_maximize) {
  nn::ReduceOnPlateau plateau(
      1, {.maximize = true, .factor = 0.1, .patience = 0, .threshold = 0.5, .relative = false, .min_rate = 0.05});
  BOOST_TEST(plateau.update(-3) == 1);
  BOOST_TEST(plateau.update(-2) == 1);
  BOOST_TEST(plateau.update(-1.6) == 0.1);  // better by less than a half
  BOOST_TEST(plateau.best() == -2);
  BOOST_TEST(plateau.update(std::nan("")) == 0.05);  // not below the least rate
  BOOST_TEST(plateau.update(std::nan("")) == 0.05);

  nn::ReduceOnPlateau stiff(1e-8, {.patience = 0});
  stiff.update(1);
  BOOST_TEST(stiff.update(1) == 1e-8);  // too small a change to make
}

BOOST_AUTO_TEST_CASE(senseless_plateaus_are_refused) {
  check_throws<ValueError>([] { nn::ReduceOnPlateau(-1); }, {"[reduce_on_plateau] ", "-1", "schedules.cpp"});
  check_throws<ValueError>([] { nn::ReduceOnPlateau(1, {.factor = 1}); }, {"factor", "got 1"});
  check_throws<ValueError>([] { nn::ReduceOnPlateau(1, {.patience = -1}); }, {"patience", "got -1"});
  check_throws<ValueError>([] { nn::ReduceOnPlateau(1, {.threshold = -1}); }, {"threshold", "got -1"});
  check_throws<ValueError>([] { nn::ReduceOnPlateau(1, {.cooldown = -1}); }, {"cooldown", "got -1"});
  check_throws<ValueError>([] { nn::ReduceOnPlateau(1, {.min_rate = -1}); }, {"least rate", "got -1"});
}

BOOST_AUTO_TEST_SUITE_END()
