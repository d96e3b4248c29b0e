#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/provenance/story.hpp"
#include "tests/testing.hpp"

/// \file
/// Planted faults: the error says where the number was born, by which primitive, of which numbers, and why.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(provenance_faults)

namespace {

using testing::check_elements;
using testing::check_parts;
using testing::error_of;
using testing::random_tensor;

std::string line(int number) { return "faults.cpp:" + std::to_string(number); }

/// A step that has to give a finite loss, and a variable that it must not change.
struct Step {
  Variable w{Tensor{1.0, 2.0}, "w"};

  std::string run(const std::function<Tensor(const Tensor& x, const Variable& w)>& loss, const Tensor& x) {
    const auto step = compile(
        [&](const Tensor& features) {
          const Tensor value = debug::require_finite(loss(features, w), "the loss");
          w.assign(w - 0.1 * grad(value, w));
          return value;
        },
        {.argument_names = {"features"}});
    const std::string text = error_of<NotFiniteError>([&] { step(x); });
    check_elements(w, {2}, {1, 2});
    return text;
  }
};

const double infinity = std::numeric_limits<double>::infinity();

}  // namespace

BOOST_AUTO_TEST_CASE(the_logarithm_of_zero_in_a_loss) {
  int at = 0;
  Step step;
  const std::string text = step.run(
      [&](const Tensor& x, const Variable& w) {
        const Tensor p = x * w;
        at = __LINE__ + 1;
        return -mean(log(p));
      },
      Tensor{{1.0, 1.0}, {2.0, 0.0}, {1.0, 3.0}});
  check_parts(text, {"[require_finite] the loss is inf", "born in [log] at ", line(at) + ": log(0) is -inf",
                     "element (1, 1) of float64(3, 2)", "operand a: 0, of float64(3, 2) from 0 to 6",
                     "behind it: [multiply] at ", line(at - 2) + ", from 0 to 6", "row 1 of features brings it about",
                     "likely cause: the logarithm of 0"});
}

BOOST_AUTO_TEST_CASE(division_by_zero_in_a_normalisation) {
  int at = 0;
  Step step;
  const std::string text = step.run(
      [&](const Tensor& x, const Variable& w) {
        const Tensor centred = x - mean(x, 1, true);
        const Tensor deviation = sqrt(mean(square(centred), 1, true));
        at = __LINE__ + 1;
        return sum(exp(w) / deviation);
      },
      Tensor{{1.0, 2.0}, {3.0, 3.0}, {0.5, 0.0}});
  check_parts(text, {"born in [divide] at ", line(at), "2.71828 / 0 is inf", "element (1, 0) of float64(3, 2)",
                     "operand b: 0, of float64(3, 1) from 0 to 0.5", "behind it: [sqrt] at ", line(at - 2),
                     "row 1 of features", "likely cause: division by 0"});
}

BOOST_AUTO_TEST_CASE(the_exponential_overflows_in_a_softmax_written_by_hand) {
  int at = 0;
  Step step;
  const std::string text = step.run(
      [&](const Tensor& x, const Variable& w) {
        const Tensor scores = x * w;
        at = __LINE__ + 1;
        const Tensor powers = exp(scores);
        return mean(powers / sum(powers, 1, true));
      },
      Tensor{{1.0, 1.0}, {2.0, 400.5}});
  check_parts(text, {"born in [exp] at ", line(at), "exp(801) is inf", "element (1, 1) of float64(2, 2)",
                     "it is NaN since [divide] at ", line(at + 1) + ": inf / inf is nan", "row 1 of features",
                     "likely cause: exp overflows: subtract the largest", "709.78"});
}

BOOST_AUTO_TEST_CASE(the_gradient_of_a_square_root_at_zero) {
  int at = 0;
  const Variable w(Tensor{1.0, 2.0}, "w");
  const auto step = compile([&](const Tensor& x) {
    at = __LINE__ + 1;
    const Tensor loss = sum(sqrt(x * w));
    const Tensor gradient = debug::require_finite(grad(loss, w), "the gradient");
    w.assign(w - gradient);
    return loss;
  });
  const std::string text = error_of<NotFiniteError>([&] { step(Tensor{{1.0, 2.0}, {4.0, 0.0}}); });
  check_parts(text, {"[require_finite] the gradient is not finite: float64(2,)", "1 NaN", "born in [",
                     "in the gradient of [sqrt] at ", line(at), " / 0 is inf", "element (1, 1) of float64(2, 2)",
                     "row 1 of argument 0", "likely cause: the derivative is infinite or undefined at this point"});
  check_elements(w, {2}, {1, 2});
}

BOOST_AUTO_TEST_CASE(a_power_of_a_negative_number) {
  int at = 0;
  Step step;
  const std::string text = step.run(
      [&](const Tensor& x, const Variable& w) {
        at = __LINE__ + 1;
        return sum(pow(x + w, 1.5));
      },
      Tensor{{1.0, 1.0}, {2.0, -4.0}});
  check_parts(text, {"born in [pow] at ", line(at), "pow(-2, 1.5) is nan", "element (1, 1) of float64(2, 2)",
                     "likely cause: a negative number has no real power of 1.5"});
}

BOOST_AUTO_TEST_CASE(zero_by_zero_in_a_mean_over_a_mask) {
  int at = 0;
  Step step;
  const std::string text = step.run(
      [&](const Tensor& x, const Variable& w) {
        const Tensor mask = cast(x > 0.0, DType::float64);
        const Tensor total = sum(mask * x * w, 1);
        at = __LINE__ + 1;
        return mean(total / sum(mask, 1));
      },
      Tensor{{1.0, 1.0}, {-2.0, -4.0}, {1.0, -1.0}});
  check_parts(text, {"born in [divide] at ", line(at), "0 / 0 is nan", "element (1,) of float64(3,)",
                     "row 1 of features", "likely cause: 0 / 0: what is divided by counts nothing here"});
}

BOOST_AUTO_TEST_CASE(infinity_minus_infinity) {
  int at = 0;
  Step step;
  const std::string text = step.run(
      [&](const Tensor& x, const Variable& w) {
        const Tensor a = exp(x * w);
        const Tensor b = exp(x * w + 1.0);
        at = __LINE__ + 1;
        return sum(a - b);
      },
      Tensor{{1.0, 1.0}, {2.0, 500.0}});
  check_parts(text, {"born in [exp] at ", line(at - 3), "exp(1000) is inf", "element (1, 1) of float64(2, 2)",
                     "it is NaN since [subtract] at ", line(at) + ": inf - inf is nan"});
}

BOOST_AUTO_TEST_CASE(weights_that_a_learning_rate_too_large_has_made_huge) {
  const Variable w(full({4, 3}, 0.5F), "dense.weight");
  int at = 0;
  const auto step = compile([&](const Tensor& x) {
    at = __LINE__ + 1;
    const Tensor hidden = matmul(x, w);
    const Tensor loss = debug::require_finite(mean(square(hidden)), "the loss");
    w.assign(w - 1e12F * grad(loss, w));
    return loss;
  });
  const Tensor x = full({8, 4}, 1.5F);
  step(x);
  step(x);
  const std::string text = error_of<NotFiniteError>([&] {
    for (int i = 0; i < 5; ++i) {
      step(x);
    }
  });
  check_parts(text, {"born in [square] at ", line(at + 1), " is inf", "behind it: [matmul] at ", line(at),
                     "variable 'dense.weight' float32(4, 3), ",
                     "likely cause: the numbers have grown beyond the largest one", "lower the learning rate"});
  check_parts(debug::explain_not_finite(square(square(w))),
              {"born in [square]", "behind it: ", "variable 'dense.weight'"});
}

BOOST_AUTO_TEST_CASE(a_sample_of_the_data_that_is_nan) {
  Step step;
  const std::string text =
      step.run([&](const Tensor& x, const Variable& w) { return mean(square(matmul(x, w) - 1.0)); },
               Tensor{{1.0, 1.0}, {2.0, 5.0}, {3.0, std::nan("")}, {0.0, 1.0}});
  check_parts(text, {"the loss is nan", "not finite to begin with: features is nan, element (2, 1) of float64(4, 2)",
                     "all of it: from 0 to 5, 1 NaN", "it is in row 2"});
  const Variable spoilt(Tensor{1.0, infinity}, "spoilt");
  const auto use = compile([&](const Tensor& x) { return debug::require_finite(sum(x * spoilt), "the sum"); });
  check_parts(error_of<NotFiniteError>([&] {
                use(Tensor{1.0, 1.0});
              }),
              {"the sum is inf",
               "not finite to begin with: variable 'spoilt' float64(2,) is inf, element (1,) of float64(2,)"});
}

BOOST_AUTO_TEST_CASE(an_arc_cosine_outside_of_its_range) {
  int at = 0;
  Step step;
  const std::string text = step.run(
      [&](const Tensor& x, const Variable& w) {
        const Tensor cosine = sum(x * w, 1) / sqrt(sum(square(x), 1));
        at = __LINE__ + 1;
        return sum(acos(cosine));
      },
      Tensor{{0.5, -0.25}, {2.0, 4.0}});
  check_parts(text, {"born in [acos] at ", line(at), "acos(2.23607) is nan", "element (1,) of float64(2,)",
                     "operand a: 2.23607", "likely cause: it takes numbers from -1 to 1"});
}

BOOST_AUTO_TEST_CASE(the_second_derivative_of_a_norm_at_zero) {
  int at = 0;
  const auto norm = [&](const Tensor& x) {
    at = __LINE__ + 1;
    return sqrt(sum(square(x)));
  };
  const auto curvature = compile([&](const Tensor& x) {
    return debug::require_finite(grad([&](const Tensor& y) { return sum(grad(norm)(y)); })(x), "the curvature");
  });
  const std::string text = error_of<NotFiniteError>([&] { curvature(Tensor{0.0, 0.0}); });
  check_parts(text, {"the curvature is not finite", "born in [", "in the gradient of [", line(at), "/ 0 is",
                     "likely cause: the derivative is infinite or undefined at this point"});
}

BOOST_AUTO_TEST_CASE(a_step_of_a_loop) {
  int at = 0;
  int loop_at = 0;
  Step step;
  const auto loss = [&](const Tensor& x, const Variable& w) {
    loop_at = __LINE__ + 1;
    const Tensor last = fori(
        6,
        [&](const Tensor& i, const Tensor& c) {
          at = __LINE__ + 1;
          return c + w / (cast(i, DType::float64) - x[0]);
        },
        w);
    return sum(last);
  };
  const std::string text = step.run(loss, Tensor{4.0, 1.0});
  check_parts(text, {"born in [divide] at ", line(at), "1 / 0 is inf", "element (0,) of float64(2,)",
                     "in step 4 of the loop at ", line(loop_at), "likely cause: division by 0"});
  // In the backward pass, which goes the other way.
  const auto gradient = compile([&](const Tensor& x) {
    return debug::require_finite(grad([&](const Tensor& y) {
                                   const Tensor last = fori(
                                       5,
                                       [&](const Tensor& i, const Tensor& c) {
                                         at = __LINE__ + 1;
                                         return c + sqrt(y * abs(cast(i, DType::float64) - 3.0));
                                       },
                                       y);
                                   return sum(last);
                                 })(x),
                                 "the gradient");
  });
  const std::string backward = error_of<NotFiniteError>([&] { gradient(Tensor{1.0, 4.0}); });
  check_parts(backward, {"born in [", "in the gradient of [sqrt] at ", line(at), "/ 0 is ", "in step 3 of the loop"});
}

BOOST_AUTO_TEST_CASE(a_branch) {
  int at = 0;
  int cond_at = 0;
  Step step;
  const auto loss = [&](const Tensor& x, const Variable& w) {
    cond_at = __LINE__ + 1;
    const Tensor chosen = cond(
        x[0] > 0.0,
        [&](const Tensor& y) {
          at = __LINE__ + 1;
          return log(y - 1.0);
        },
        [](const Tensor& y) { return y; }, w);
    return sum(chosen);
  };
  const std::string text = step.run(loss, Tensor{1.0, 0.0});
  check_parts(text, {"born in [log] at ", line(at), "log(0) is -inf", "element (0,) of float64(2,)",
                     "in the branch of [cond] at ", line(cond_at), "that is taken when the predicate is true",
                     "behind it: [subtract] at ", "variable 'w'", "likely cause: the logarithm of 0"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
