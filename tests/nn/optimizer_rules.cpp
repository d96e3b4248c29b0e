#include <array>
#include <cmath>
#include <functional>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "nn/optimizers.hpp"
#include "tests/testing.hpp"
#include "valley.hpp"

// Every update rule against a loop over plain numbers, written down from the papers.

BOOST_AUTO_TEST_SUITE(nn_optimizer_rules)

namespace {

using namespace xgrad;
using testing::elements;
using testing::Point;
using testing::valley;

/// One coordinate of an optimiser: changes w, given its gradient and the number of the step. What it remembers is in
/// its copy.
using Rule = std::function<void(double& w, double g, int t)>;

Point gradient_of_valley(const Point& w) {
  const double bend = w[1] - w[0] * w[0];
  return {-2 * (1 - w[0]) - 20 * w[0] * bend + 0.2 * w[2] * w[2] * w[0], 10 * bend, 0.2 * w[2] * w[0] * w[0]};
}

/// Whether the optimiser goes where the rule goes.
template <class Optimizer, class Options>
void check_rule(const Options& options, const Rule& rule, int steps = 20) {
  Point expected = {0.6, -0.9, 1.2};
  const Variable w(Tensor{expected[0], expected[1], expected[2]}, "w");
  Optimizer optimizer(nn::Variables{w}, options);
  std::array rules = {rule, rule, rule};
  for (int t = 1; t <= steps; ++t) {
    optimizer.minimize(valley(w));
    const Point g = gradient_of_valley(expected);
    for (std::size_t i = 0; i < 3; ++i) {
      rules[i](expected[i], g[i], t);
      const double actual = elements(w)[i];
      BOOST_TEST(std::abs(actual - expected[i]) <= 1e-10 * std::max(1.0, std::abs(expected[i])),
                 "step " << t << ", w[" << i << "] is " << actual << ", should be " << expected[i]);
    }
  }
}

double power(double base, int exponent) { return std::pow(base, exponent); }

}  // namespace

BOOST_AUTO_TEST_CASE(sgd_with_all_but_nesterov) {
  check_rule<nn::SGD>(nn::SGDOptions{.learning_rate = 0.01, .momentum = 0.8, .dampening = 0.4, .weight_decay = 0.2},
                      [v = 0.0](double& w, double g, int t) mutable {
                        g += 0.2 * w;
                        v = t == 1 ? g : 0.8 * v + 0.6 * g;
                        w -= 0.01 * v;
                      });
}

BOOST_AUTO_TEST_CASE(sgd_with_nesterov_and_weight_decay) {
  check_rule<nn::SGD>(nn::SGDOptions{.learning_rate = 0.01, .momentum = 0.8, .nesterov = true, .weight_decay = 0.2},
                      [v = 0.0](double& w, double g, int) mutable {
                        g += 0.2 * w;
                        v = 0.8 * v + g;
                        w -= 0.01 * (g + 0.8 * v);
                      });
}

BOOST_AUTO_TEST_CASE(sgd_climbs) {
  check_rule<nn::SGD>(nn::SGDOptions{.learning_rate = 1e-3, .maximize = true},
                      [](double& w, double g, int) { w += 1e-3 * g; });
  check_rule<nn::SGD>(nn::SGDOptions{.learning_rate = 1e-3, .weight_decay = 0.3, .maximize = true},
                      [](double& w, double g, int) { w -= 1e-3 * (-g + 0.3 * w); });
}

BOOST_AUTO_TEST_CASE(lion) {
  check_rule<nn::Lion>(nn::LionOptions{.learning_rate = 0.01, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.5},
                       [m = 0.0](double& w, double g, int) mutable {
                         const double u = 0.8 * m + 0.2 * g;
                         w -= 0.01 * ((u > 0 ? 1 : u < 0 ? -1 : 0) + 0.5 * w);
                         m = 0.95 * m + 0.05 * g;
                       });
}

BOOST_AUTO_TEST_CASE(adam_with_amsgrad_and_weight_decay) {
  const nn::AdamOptions options{
      .learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.1, .amsgrad = true};
  check_rule<nn::Adam>(options, [m = 0.0, v = 0.0, most = 0.0](double& w, double g, int t) mutable {
    g += 0.1 * w;
    m = 0.8 * m + 0.2 * g;
    v = 0.9 * v + 0.1 * g * g;
    most = std::max(most, v);
    w -= 0.05 * m / (1 - power(0.8, t)) / (std::sqrt(most / (1 - power(0.9, t))) + 1e-3);
  });
}

BOOST_AUTO_TEST_CASE(adamw_with_amsgrad_climbs) {
  const auto rule = [](double beta2, double decay) {
    return [=, m = 0.0, v = 0.0, most = 0.0](double& w, double g, int t) mutable {
      w -= 0.02 * decay * w;
      m = 0.9 * m - 0.1 * g;
      v = beta2 * v + (1 - beta2) * g * g;
      most = std::max(most, v);
      w -= 0.02 * m / (1 - power(0.9, t)) / (std::sqrt(most / (1 - power(beta2, t))) + 1e-8);
    };
  };
  nn::AdamWOptions options{.learning_rate = 0.02, .weight_decay = 0.3, .amsgrad = true, .maximize = true};
  check_rule<nn::AdamW>(options, rule(0.999, 0.3));
  // So far the largest moment was always the last one. With more decay the gradients become smaller.
  options.beta2 = 0.9;
  options.weight_decay = 3;
  check_rule<nn::AdamW>(options, rule(0.9, 3));
}

BOOST_AUTO_TEST_CASE(adamax_with_weight_decay) {
  check_rule<nn::Adamax>(nn::AdamaxOptions{.learning_rate = 0.05, .beta2 = 0.9, .weight_decay = 0.2},
                         [m = 0.0, u = 0.0](double& w, double g, int t) mutable {
                           g += 0.2 * w;
                           m = 0.9 * m + 0.1 * g;
                           u = std::max(0.9 * u, std::abs(g) + 1e-8);
                           w -= 0.05 / (1 - power(0.9, t)) * m / u;
                         });
}

BOOST_AUTO_TEST_CASE(nadam_with_both_weight_decays) {
  for (const bool decoupled : {false, true}) {
    const nn::NAdamOptions options{
        .learning_rate = 0.02, .weight_decay = 0.2, .momentum_decay = 0.05, .decoupled_weight_decay = decoupled};
    check_rule<nn::NAdam>(options, [=, m = 0.0, v = 0.0, product = 1.0](double& w, double g, int t) mutable {
      if (decoupled) {
        w *= 1 - 0.02 * 0.2;
      } else {
        g += 0.2 * w;
      }
      const double mu = 0.9 * (1 - 0.5 * std::pow(0.96, 0.05 * t));
      const double next = 0.9 * (1 - 0.5 * std::pow(0.96, 0.05 * (t + 1)));
      product *= mu;
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const double mean = next * m / (1 - product * next) + (1 - mu) * g / (1 - product);
      w -= 0.02 * mean / (std::sqrt(v / (1 - power(0.999, t))) + 1e-8);
    });
  }
}

// With β₂ = 0.6, ρ is 4 and the rectification never begins; with 0.9 it does at step 6.
BOOST_AUTO_TEST_CASE(radam_with_both_weight_decays) {
  for (const bool decoupled : {false, true}) {
    for (const double beta2 : {0.6, 0.9}) {
      const nn::RAdamOptions options{
          .learning_rate = 0.02, .beta2 = beta2, .weight_decay = 0.2, .decoupled_weight_decay = decoupled};
      check_rule<nn::RAdam>(options, [=, m = 0.0, v = 0.0](double& w, double g, int t) mutable {
        if (decoupled) {
          w *= 1 - 0.02 * 0.2;
        } else {
          g += 0.2 * w;
        }
        m = 0.9 * m + 0.1 * g;
        v = beta2 * v + (1 - beta2) * g * g;
        const double mean = m / (1 - power(0.9, t));
        const double limit = 2 / (1 - beta2) - 1;
        const double length = limit - 2 * t * power(beta2, t) / (1 - power(beta2, t));
        if (length > 5) {
          const double r = std::sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length));
          w -= 0.02 * mean * r * std::sqrt(1 - power(beta2, t)) / (std::sqrt(v) + 1e-8);
        } else {
          w -= 0.02 * mean;
        }
      });
    }
  }
}

BOOST_AUTO_TEST_CASE(rmsprop_centered_with_momentum_and_weight_decay) {
  const nn::RMSpropOptions options{
      .learning_rate = 0.01, .decay = 0.9, .epsilon = 1e-4, .weight_decay = 0.2, .momentum = 0.7, .centered = true};
  check_rule<nn::RMSprop>(options, [s = 0.0, a = 0.0, v = 0.0](double& w, double g, int) mutable {
    g += 0.2 * w;
    s = 0.9 * s + 0.1 * g * g;
    a = 0.9 * a + 0.1 * g;
    v = 0.7 * v + g / (std::sqrt(s - a * a) + 1e-4);
    w -= 0.01 * v;
  });
}

// s - a² tends to 0 there, and rounding may take it below.
BOOST_AUTO_TEST_CASE(rmsprop_centered_takes_equal_gradients) {
  const Variable w(Tensor{1.0, 1.0, 1.0}, "w");
  nn::RMSprop rmsprop({w}, {.learning_rate = 1e-9, .decay = 0.3, .centered = true});
  for (int i = 0; i < 100; ++i) {
    rmsprop.step({Tensor{0.1, 1.0 / 3, 0.7}});
    BOOST_TEST(all(isfinite(w)).item<bool>());
  }
}

BOOST_AUTO_TEST_CASE(adagrad_with_everything) {
  const nn::AdagradOptions options{
      .learning_rate = 0.2, .learning_rate_decay = 0.1, .initial_accumulator = 0.5, .weight_decay = 0.2};
  check_rule<nn::Adagrad>(options, [s = 0.5](double& w, double g, int t) mutable {
    g += 0.2 * w;
    s += g * g;
    w -= 0.2 / (1 + (t - 1) * 0.1) * g / (std::sqrt(s) + 1e-10);
  });
}

BOOST_AUTO_TEST_CASE(adadelta_with_weight_decay_climbs) {
  check_rule<nn::Adadelta>(nn::AdadeltaOptions{.learning_rate = 0.5, .weight_decay = 0.2, .maximize = true},
                           [s = 0.0, u = 0.0](double& w, double g, int) mutable {
                             g = -g + 0.2 * w;
                             s = 0.9 * s + 0.1 * g * g;
                             const double d = std::sqrt(u + 1e-6) / std::sqrt(s + 1e-6) * g;
                             u = 0.9 * u + 0.1 * d * d;
                             w -= 0.5 * d;
                           });
}

BOOST_AUTO_TEST_SUITE_END()
